"""Functions and operators by chapter of the specification, entered in `registry`.

http://hl7.org/fhirpath/N1/#functions, https://hl7.org/fhir/R4/fhirpath.html#functions
"""
