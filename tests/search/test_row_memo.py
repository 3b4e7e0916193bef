"""Elements whose content comes again add the same rows as at the first time."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy
from itertools import count
from pathlib import Path

from fhir_bridge.fhir import Resource, parse_json, parse_json_lines
from fhir_bridge.search import Indexer, Registry

_EXAMPLES_OF_A_TYPE = 4


def test_the_second_time_gives_the_rows_of_the_first(registry: Registry, shared: Path) -> None:
    """Of every published example, by an indexer that has met its contents and by one that has not."""
    resources = [
        resource
        for file in sorted((shared / "conformance" / "examples" / "r4").glob("*.ndjson"))
        if file.stem in registry.definitions.resource_types
        for resource in parse_json_lines(
            b"\n".join(file.read_bytes().split(b"\n")[:_EXAMPLES_OF_A_TYPE])
        )
    ]
    indexer = _indexer(registry)
    first = [indexer.rows(resource) for resource in resources]
    assert len(first) > 200
    assert [indexer.rows(resource) for resource in resources] == first


def test_what_is_done_to_rows_stays_with_them(registry: Registry) -> None:
    """Rows that one resource was given are no part of the next one's."""
    indexer = _indexer(registry)
    rows = indexer.rows(_observation("Patient/1"))
    expected = deepcopy(rows)
    rows.postings.clear()
    rows.terms.clear()
    rows.references.clear()
    assert indexer.rows(_observation("Patient/1")) == expected


def test_another_subject_adds_other_rows(registry: Registry) -> None:
    """Another subject is another reference, however alike all the rest is."""
    indexer = _indexer(registry)
    one, other = indexer.rows(_observation("Patient/1")), indexer.rows(_observation("Patient/2"))
    assert one.references != other.references
    assert one.postings - other.postings
    assert list(one.references.values()) == [True]


def _indexer(registry: Registry) -> Indexer:
    numbers: dict[str, int] = defaultdict(count(1).__next__)
    for resource_type in registry.definitions.resource_types:
        for code in registry.parameters(resource_type):
            _ = numbers[f"{resource_type}.{code}"]
    return Indexer(registry, numbers)


def _observation(subject: str) -> Resource:
    text = """{"resourceType": "Observation", "id": "1", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        "component": [{"code": {"text": "sys"}, "valueQuantity": {"value": 120.0, "code": "mm[Hg]"}}],
        "subject": {"reference": "SUBJECT"}}"""
    return parse_json(text.replace("SUBJECT", subject))
