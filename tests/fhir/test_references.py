"""Literal references, taken apart."""

import pytest

from fhir_bridge.fhir import Reference, parse_reference, walk_references


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Patient/1", Reference("", "Patient", "1", "", "")),
        ("Patient/1/_history/3", Reference("", "Patient", "1", "3", "")),
        ("https://h.example/fhir/Patient/a-b.c", Reference("https://h.example/fhir", "Patient", "a-b.c", "", "")),
        ("Patient/1#team", Reference("", "Patient", "1", "", "team")),
        ("#team", Reference("", "", "", "", "team")),
        ("urn:uuid:6f0c6c1e-6f8f-5d0e-9d51-6d2f7a1f4c10", None),
        ("Patient?identifier=x|1", None),
        ("Nonsense/1", None),
        ("Patient/with blank", None),
        ("Patient/", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_reference_is_taken_apart(text: str, expected: Reference | None) -> None:
    """RESTful references have parts; everything else answers None."""
    assert expected == parse_reference(text)


def test_all_references_are_found_and_can_be_rewritten() -> None:
    """At every depth, in lists and in contained resources."""
    resource = {
        "subject": {"reference": "urn:uuid:1"},
        "contained": [{"member": [{"entity": {"reference": "urn:uuid:2"}}]}],
        "note": {"reference": 3},
    }
    for holder in walk_references(resource):
        holder["reference"] = holder["reference"].replace("urn:uuid:", "Patient/")

    assert resource["subject"] == {"reference": "Patient/1"}
    assert resource["contained"][0]["member"][0]["entity"] == {"reference": "Patient/2"}  # type: ignore[index]
