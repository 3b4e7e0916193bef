"""Bundles: envelopes that are valid and pass stored bytes through."""

from fhir_bridge.fhir import Resource, bundle, parse_json, render_json
from fhir_bridge.validation import validate

PATIENT: Resource = {"resourceType": "Patient", "id": "1", "active": True}


def _is_valid(resource: Resource) -> bool:
    issues = validate(parse_json(render_json(resource)))["issue"]
    return all(issue["severity"] == "information" for issue in issues)


def test_a_searchset_passes_bytes_through_unchanged() -> None:
    """What is stored is what is served, odd spacing included."""
    body = b'{"resourceType":"Patient",  "id":"1"}'
    entry = bundle.search_entry("https://h.example/fhir/Patient/1", bundle.embedded(body))

    text = render_json(
        bundle.searchset([entry], total=1, links={"self": "https://h.example/fhir/Patient"})
    )

    assert body in text
    assert _is_valid(parse_json(text))


def test_an_empty_searchset_has_no_entry() -> None:
    """FHIR JSON knows no empty list."""
    assert {"resourceType": "Bundle", "type": "searchset", "total": 0} == bundle.searchset(
        [], total=0
    )


def test_every_kind_of_bundle_is_valid() -> None:
    """History, and the answers of batches and transactions."""
    url = "https://h.example/fhir/Patient/1"
    history = bundle.history(
        [
            bundle.history_entry(url, None, method="DELETE", url="Patient/1", status="204 No Content"),
            bundle.history_entry(url, PATIENT, method="PUT", url="Patient/1", status="201 Created", etag='W/"1"', last_modified="2024-01-01T00:00:00Z"),
        ],
        total=2,
    )  # fmt: skip
    answer = bundle.transaction_response(
        [bundle.response_entry("201 Created", location="Patient/1/_history/1")]
    )
    batch = bundle.batch_response(
        [bundle.response_entry("404 Not Found", outcome=validate(PATIENT))]
    )

    for resource in (history, answer, batch):
        assert _is_valid(resource), resource
