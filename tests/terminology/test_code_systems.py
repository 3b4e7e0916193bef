"""OIDs and URIs of code systems."""

from __future__ import annotations

from fhir_bridge.terminology import oid_of, uri_of


def test_a_known_oid_has_its_uri_and_back() -> None:
    """The two names of SNOMED CT lead to one another."""
    assert uri_of("2.16.840.1.113883.6.96") == "http://snomed.info/sct"
    assert oid_of("http://snomed.info/sct") == "2.16.840.1.113883.6.96"


def test_an_unknown_oid_is_a_urn() -> None:
    """An OID without a URI of its own is written as FHIR asks."""
    assert uri_of("2.16.156.10011.1.3") == "urn:oid:2.16.156.10011.1.3"


def test_a_uuid_becomes_a_urn_and_a_uri_stays() -> None:
    """A root may be a UUID, and what is a URI already is left alone."""
    assert uri_of("6B6ED376-A7DA-44CB-92D1-E75CE1AE73B0").startswith("urn:uuid:6b6ed376")
    assert uri_of("http://example.org") == "http://example.org"
