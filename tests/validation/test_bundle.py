"""What holds between the entries of a Bundle: documents and results of a search."""

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions
from fhir_bridge.validation import Validator

VALIDATOR = Validator(definitions(), Profiles())
BASE = "https://hospital.example/fhir"
ORGANIZATION = "urn:uuid:2aaf815f-3ebe-4a03-9b87-05d0700313b2"


def _faults(bundle):
    found = VALIDATOR.check({"resourceType": "Bundle", **bundle})
    return [issue.where for issue in found if issue.code == "FB-3026"]


def _document(full_url, author, author_url, *, section_author="#"):
    composition = {
        "resourceType": "Composition",
        "id": "c",
        "status": "final",
        "type": {"text": "Discharge summary"},
        "date": "2026-01-02",
        "title": "Discharge summary",
        "author": [{"reference": author}],
        "section": [{"title": "a", "section": [{"title": "b", "author": [{"reference": section_author}]}]}],
    }  # fmt: skip
    if section_author == "#":
        del composition["section"]
    organization = {"resourceType": "Organization", "id": "666", "name": "x"}
    return {
        "type": "document",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:0"},
        "timestamp": "2026-01-02T08:00:00Z",
        "entry": [
            {"fullUrl": full_url, "resource": composition},
            {"fullUrl": author_url, "resource": organization},
        ],
    }


def test_a_document_holds_what_its_composition_refers_to():
    """By fullUrl, or by type and id below the same server."""
    composition = "urn:uuid:10a67a86-a9ec-427e-ba3f-f042cef21733"

    assert [] == _faults(_document(composition, ORGANIZATION, ORGANIZATION))
    assert [] == _faults(
        _document(f"{BASE}/Composition/c", "Organization/666", f"{BASE}/Organization/666")
    )


def test_a_reference_that_leads_out_of_a_document_is_named():
    """A relative reference means nothing beside a urn:uuid, and sections are looked into."""
    composition = "urn:uuid:10a67a86-a9ec-427e-ba3f-f042cef21733"
    relative = _document(composition, "Organization/666", ORGANIZATION)
    nested = _document(composition, ORGANIZATION, ORGANIZATION, section_author="Organization/7")

    lost = [
        "Bundle.entry[0].resource.author[0]",
        "Bundle.entry[1]",
    ]  # and so nothing joins the other
    assert lost == _faults(relative)
    assert ["Bundle.entry[0].resource.section[0].section[0].author[0]"] == _faults(nested)


def test_results_of_a_search_have_ids_and_their_own_mode():
    """Outcomes are OperationOutcomes, and what was found can be read again."""
    patient = {"resourceType": "Patient", "active": True}
    found = {"fullUrl": f"{BASE}/Patient/1", "resource": {**patient, "id": "1"}}
    without_id = {"fullUrl": ORGANIZATION, "resource": patient}

    assert [] == _faults({"type": "searchset", "entry": [{**found, "search": {"mode": "match"}}]})
    assert ["Bundle.entry[0].resource"] == _faults({"type": "searchset", "entry": [without_id]})
    assert ["Bundle.entry[0].resource"] == _faults(
        {"type": "searchset", "entry": [{**found, "search": {"mode": "outcome"}}]}
    )


def test_a_page_has_one_next_page():
    """The second link of a relation that may stand once is named."""
    links = [
        {"relation": name, "url": BASE}
        for name in ("self", "next", "alternate", "alternate", "next")
    ]

    assert ["Bundle.link[4]"] == _faults({"type": "searchset", "link": links})


def test_each_entry_of_a_document_is_joined_to_its_composition():
    """By references in either direction; a stranger is none of the document."""
    address = "urn:uuid:5d9588d8-3cd6-4b32-8fb7-00000000000"
    composition = {
        "resourceType": "Composition",
        "status": "final",
        "type": {"text": "x"},
        "date": "2024",
        "author": [{"reference": f"{address}1"}],
        "title": "x",
    }
    author = {"resourceType": "Organization", "name": "a"}
    about = {"resourceType": "Flag", "status": "active", "code": {"text": "x"}}
    about["subject"] = {"reference": f"{address}1"}
    bundle = {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"{address}9"},
        "timestamp": "2024-01-01T00:00:00Z",
        "entry": [
            {"fullUrl": f"{address}{number}", "resource": resource}
            for number, resource in enumerate((composition, author, about))
        ],
    }

    assert [] == [issue.where for issue in VALIDATOR.check(bundle)]
    about["subject"] = {"display": "x"}
    assert ["Bundle.entry[2]"] == [issue.where for issue in VALIDATOR.check(bundle)]
