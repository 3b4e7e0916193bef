"""What expressions work on: items of trees and System values, their types and equality.

http://hl7.org/fhirpath/N1/#literals, https://hl7.org/fhir/R4/fhirpath.html#types

`node` with `model` and `types` (trees and what the definitions say of them), `temporal` with
`temporal_arithmetic` and `date_formats`, `quantity` with `fhir_quantity`, `equality`.
"""
