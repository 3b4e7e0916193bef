"""FHIR Bridge: hospitals, public health and family-doctor contracts as one FHIR R4 record."""
