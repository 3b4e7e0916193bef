"""References by canonical URL are followed: by includes with their version, by chains without."""

from __future__ import annotations

import pytest

from fhir_bridge.store import Store
from tests.store.asking import ask, ids

_LIBRARY = "http://example.org/Library/rules"


@pytest.fixture
def filled(store: Store) -> Store:
    """Two versions of a Library, Measures that name one of them or any, a response to a form."""

    def library(version: str) -> dict[str, object]:
        return {
            "resourceType": "Library",
            "id": f"v{version}",
            "url": _LIBRARY,
            "version": version,
            "status": "active",
        }

    def measure(id_: str, canonical: str) -> dict[str, object]:
        return {"resourceType": "Measure", "id": id_, "status": "active", "library": [canonical]}

    plan = {
        "resourceType": "PlanDefinition",
        "id": "plan",
        "relatedArtifact": [
            {"type": "depends-on", "resource": f"{_LIBRARY}|2"},
            {"type": "composed-of", "resource": f"{_LIBRARY}|1"},
        ],
    }
    with store.transaction() as tx:
        tx.put_many(
            [
                library("1"),
                library("2"),
                measure("one", f"{_LIBRARY}|1"),
                measure("any", _LIBRARY),
                measure("none", "http://example.org/Library/other"),
                plan,
            ]
        )
    return store


@pytest.mark.parametrize(
    ("resource_type", "query", "expected"),
    [
        ("Measure", "_id=one&_include=Measure:depends-on", "v1"),
        ("Measure", "_id=any&_include=Measure:depends-on", "v1 v2"),
        ("Measure", "_id=none&_include=Measure:depends-on", ""),
        ("Measure", "_id=one&_include=Measure:depends-on:Library", "v1"),
        ("Measure", "_id=one&_include=Measure:depends-on:Measure", ""),
        ("Measure", "_id=one&_include=Measure:*", "v1"),
        ("Measure", "_id=one&_include=*", "v1"),
        ("PlanDefinition", "_include=PlanDefinition:depends-on", "v2"),
        ("PlanDefinition", "_include=PlanDefinition:composed-of", "v1"),
        ("Library", "_id=v1&_revinclude=Measure:depends-on", "any one"),
        ("Library", "_id=v2&_revinclude=Measure:depends-on", "any"),
        ("Library", "_id=v2&_revinclude=*", "any plan"),
        (
            "Measure",
            "_id=one&_include=Measure:depends-on&_revinclude:iterate=PlanDefinition:composed-of",
            "plan v1",
        ),
    ],
)
def test_includes_follow_a_canonical_to_its_version(
    filled: Store, resource_type: str, query: str, expected: str
) -> None:
    """Forward and back, of a parameter and of all; a reference without a version means any."""
    page = ask(filled, resource_type, query)
    assert sorted(each.id for each in page.includes) == expected.split()


def test_chains_follow_a_canonical_whatever_its_version(filled: Store) -> None:
    """Also back, and in a filter."""
    assert sorted(ids(filled, "Measure", "depends-on.status=active")) == ["any", "one"]
    assert sorted(ids(filled, "Measure", "_filter=depends-on.version eq 1")) == ["any", "one"]
    assert sorted(ids(filled, "Library", "_has:Measure:depends-on:_id=one")) == ["v1", "v2"]


def test_a_document_is_found_by_its_composition(store: Store) -> None:
    """The parameter leads to a resource within the Bundle, not to a reference."""
    composition = {"resourceType": "Composition", "id": "c1", "status": "final"}
    document = {
        "resourceType": "Bundle",
        "id": "d",
        "type": "document",
        "entry": [{"fullUrl": "urn:uuid:1", "resource": composition}],
    }
    with store.transaction() as tx:
        tx.put(document)
    assert ids(store, "Bundle", "composition=Composition/c1") == ["d"]
    assert ids(store, "Bundle", "composition=c1") == ["d"]
    assert ids(store, "Bundle", "message=c1") == []
