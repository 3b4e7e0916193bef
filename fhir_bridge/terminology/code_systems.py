"""The OID and the URI of an international code system or identifier system.

https://terminology.hl7.org/identifiers.html and https://hl7.org/fhir/R4/terminologies-systems.html

An OID without a name of its own is ``urn:oid:…``, which FHIR allows everywhere
(https://hl7.org/fhir/R4/datatypes.html#oid).
"""

from __future__ import annotations

__all__ = ["oid_of", "uri_of"]

_URIS = {
    "2.16.840.1.113883.6.1": "http://loinc.org",
    "2.16.840.1.113883.6.96": "http://snomed.info/sct",
    "2.16.840.1.113883.6.8": "http://unitsofmeasure.org",
    "2.16.840.1.113883.6.88": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "2.16.840.1.113883.6.3": "http://hl7.org/fhir/sid/icd-10",
    "2.16.840.1.113883.6.90": "http://hl7.org/fhir/sid/icd-10-cm",
    "2.16.840.1.113883.6.103": "http://hl7.org/fhir/sid/icd-9-cm",
    "2.16.840.1.113883.6.12": "http://www.ama-assn.org/go/cpt",
    "2.16.840.1.113883.6.69": "http://hl7.org/fhir/sid/ndc",
    "2.16.840.1.113883.6.73": "http://www.whocc.no/atc",
    "2.16.840.1.113883.6.59": "http://hl7.org/fhir/sid/cvx",
    "2.16.840.1.113883.12.292": "http://hl7.org/fhir/sid/cvx",
    "2.16.840.1.113883.4.1": "http://hl7.org/fhir/sid/us-ssn",
    "2.16.840.1.113883.4.6": "http://hl7.org/fhir/sid/us-npi",
    "2.16.840.1.113883.6.24": "urn:iso:std:iso:11073:10101",
    "2.16.840.1.113883.6.121": "urn:ietf:bcp:47",
    "1.0.3166.1.2.2": "urn:iso:std:iso:3166",
    "1.2.840.10008.2.16.4": "http://dicom.nema.org/resources/ontology/DCM",
    "2.16.840.1.113883.5.1": "http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender",
    "2.16.840.1.113883.5.2": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
    "2.16.840.1.113883.5.4": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "2.16.840.1.113883.5.6": "http://terminology.hl7.org/CodeSystem/v3-ActClass",
    "2.16.840.1.113883.5.7": "http://terminology.hl7.org/CodeSystem/v3-ActPriority",
    "2.16.840.1.113883.5.8": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "2.16.840.1.113883.5.14": "http://terminology.hl7.org/CodeSystem/v3-ActStatus",
    "2.16.840.1.113883.5.25": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "2.16.840.1.113883.5.83": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
    "2.16.840.1.113883.5.84": "http://terminology.hl7.org/CodeSystem/v3-ObservationMethod",
    "2.16.840.1.113883.5.88": "http://terminology.hl7.org/CodeSystem/v3-ParticipationFunction",
    "2.16.840.1.113883.5.90": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
    "2.16.840.1.113883.5.110": "http://terminology.hl7.org/CodeSystem/v3-RoleClass",
    "2.16.840.1.113883.5.111": "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
    "2.16.840.1.113883.5.112": "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration",
    "2.16.840.1.113883.5.129": "http://terminology.hl7.org/CodeSystem/v3-SpecimenType",
    "2.16.840.1.113883.5.1008": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor",
    "2.16.840.1.113883.5.1063": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "2.16.840.1.113883.5.1076": "http://terminology.hl7.org/CodeSystem/v3-ReligiousAffiliation",
    "2.16.840.1.113883.6.238": "urn:oid:2.16.840.1.113883.6.238",
}
_OIDS = {uri: oid for oid, uri in _URIS.items()}


def uri_of(oid: str) -> str:
    """The URI of an OID; one that is no OID (a URI, a UUID) is made a URI or kept.

    >>> uri_of("2.16.840.1.113883.6.1"), uri_of("1.2.3")
    ('http://loinc.org', 'urn:oid:1.2.3')
    """
    known = _URIS.get(oid)
    if known or ":" in oid:
        return known or oid
    digits = oid.replace(".", "")
    if digits.isascii() and digits.isdigit():
        return f"urn:oid:{oid}"
    return f"urn:uuid:{oid.lower()}" if len(oid) == 36 and oid.count("-") == 4 else oid


def oid_of(uri: str) -> str | None:
    """The OID of a URI, or None when it has none that is known.

    >>> oid_of("http://loinc.org"), oid_of("urn:oid:1.2.3"), oid_of("http://example.org")
    ('2.16.840.1.113883.6.1', '1.2.3', None)
    """
    return uri.removeprefix("urn:oid:") if uri.startswith("urn:oid:") else _OIDS.get(uri)
