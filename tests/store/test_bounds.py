"""Searches as large and as deep as they may be are answered, on both databases; larger are refused."""

from __future__ import annotations

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.store import Store
from tests.store.asking import ids, observation, patient


@pytest.fixture
def chained(store: Store) -> Store:
    """An Observation of a patient of an organization in another, and so on."""
    levels = [
        {"resourceType": "Organization", "id": f"o{level}", "name": f"n{level}"}
        | ({"partOf": {"reference": f"Organization/o{level + 1}"}} if level < 8 else {})
        for level in range(9)
    ]
    whole = patient(
        "p", managingOrganization={"reference": "Organization/o0"}, name=[{"text": "x"}]
    )
    with store.transaction() as tx:
        tx.put_many([*levels, whole, observation("a", "p", effectiveDateTime="2024")])
    return store


@pytest.mark.parametrize("depth", range(7))
def test_a_chain_may_be_as_long_as_it_is_allowed_to_be(chained: Store, depth: int) -> None:
    """Each step is a query beside the others, not within them."""
    query = f"patient.organization.{'partof.' * (depth - 1)}" if depth else "patient."
    name = f"name=n{depth - 1}" if depth else "name=x"
    assert ids(chained, "Observation", query + name) == ["a"]


def test_reverse_chains_nest_as_deep(chained: Store) -> None:
    """The same from the other end."""
    chain = "_has:Organization:partof:" * 6
    assert ids(chained, "Organization", f"{chain}_id=o0") == ["o6"]


@pytest.mark.parametrize(
    ("resource_type", "query"),
    [
        ("Patient", "name=" + ",".join(["y"] * 999 + ["x"])),
        ("Patient", "identifier=" + ",".join(["y"] * 1999) + "&name=x"),
        ("Patient", "name:exact=" + ",".join(["y"] * 1999 + ["x"])),
        ("Observation", "date=" + ",".join(["ge2025"] * 300 + ["2024"])),
        ("Observation", "patient.name=" + ",".join(["y"] * 900 + ["x"])),
        ("Patient", "_filter=" + "(not not " * 5 + "name eq x" + ")" * 5),
        ("Patient", "_filter=" + " or ".join(["name eq y"] * 59 + ["name eq x"])),
        ("Patient", "&".join(["name=x", *(f"_lastUpdated=ge20{year}" for year in range(10, 25))])),
        ("Patient", "&".join(["name=x"] * 999)),
        ("Patient", "_filter=" + " and ".join(["name eq x"] * 60)),
        (None, "_lastUpdated=gt2020&_id=p,a"),
    ],
)  # fmt: skip
def test_many_values_are_answered(chained: Store, resource_type: str | None, query: str) -> None:
    """No database's bound on nesting, on the depth of an expression or on parameters is met."""
    if resource_type == "Patient" and query.startswith("identifier"):
        assert ids(chained, resource_type, query) == []
    else:
        assert "p" in ids(chained, resource_type, query) or "a" in ids(
            chained, resource_type, query
        )


@pytest.mark.parametrize(
    ("resource_type", "query"),
    [
        ("Patient", "name=" + ",".join(["y"] * 1001)),
        ("Patient", "identifier=" + ",".join(["y"] * 2001)),
        ("Observation", "date=" + ",".join(["ge2025"] * 501)),
        ("Patient", "&".join(f"name=x{number}" for number in range(61))),
        (None, "&".join(f"_lastUpdated=gt20{year}" for year in range(10, 50))),
    ],
)
def test_more_is_refused(store: Store, resource_type: str | None, query: str) -> None:
    """A search that would hold the database for long is FB-4109."""
    with pytest.raises(BridgeError) as refused:
        ids(store, resource_type, query)
    assert refused.value.code == "FB-4109"
