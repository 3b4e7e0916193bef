"""Single points of the predicate that the generated record does not hold: versions, links, cursors."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_bridge.access import Access, Grant, Limit
from fhir_bridge.errors import BridgeError
from fhir_bridge.search import Registry, parse_search, plan
from fhir_bridge.store import Store, open_store

MUM = Access.patients(["mum"])


@pytest.fixture
def store(tmp_path: Path, registry: Registry) -> Store:
    """Two persons; an observation of each, one that was put right and one that was deleted."""
    opened = open_store(f"sqlite:///{tmp_path}/record.sqlite3", registry=registry)
    for batch in (
        [{"resourceType": "Patient", "id": each} for each in ("mum", "son")],
        [_observation("own", "mum"), _observation("foreign", "son")],
        [
            _observation("was-mums", "mum"),
            _observation("was-sons", "son"),
            _observation("gone", "mum"),
        ],
        [_observation("was-mums", "son"), _observation("was-sons", "mum")],
    ):
        with opened.transaction() as transaction:
            transaction.put_many(batch)
    with opened.transaction() as transaction:
        transaction.delete("Observation", "gone")
    return opened


def _observation(id_: str, person: str, category: str = "laboratory") -> dict[str, object]:
    return {
        "resourceType": "Observation",
        "id": id_,
        "subject": {"reference": f"Patient/{person}"},
        "category": [{"coding": [{"code": category}]}],
    }


def versions(store: Store, id_: str, access: Access) -> list[int]:
    """The versions of an observation that a history shows, and that can be read one by one."""
    shown = [each.version for each in store.history("Observation", id_, access=access).matches]
    assert shown == [n for n in (2, 1) if store.vread("Observation", id_, n, access)]
    return shown


def test_what_was_put_right_is_not_shown_to_whom_it_never_was(store: Store) -> None:
    """Neither the old version to whom it was given by mistake, nor the mistake to whose it is."""
    assert versions(store, "was-mums", MUM) == []
    assert versions(store, "was-sons", MUM) == [2]
    assert versions(store, "was-mums", Access.everything()) == [2, 1]


def test_a_deleted_resource_is_told_of_to_whose_it_was(store: Store) -> None:
    """Its history stays theirs."""
    deleted = store.read("Observation", "gone", MUM)
    assert deleted is not None
    assert deleted.deleted
    assert versions(store, "gone", MUM) == [2, 1]
    assert store.read("Observation", "gone", Access.patients(["son"])) is None


def test_the_search_of_a_scope_closes_a_deleted_resource(store: Store) -> None:
    """What is not there any more satisfies no search, and closed is the safe side."""
    limited = Access((Grant("rs", None, Limit(only=((("category", "laboratory"),),))),))
    assert store.read("Observation", "gone", limited) is None
    assert store.read("Observation", "own", limited) is not None


def test_a_search_that_may_never_hold_leaves_out_what_satisfies_it(store: Store) -> None:
    """A type that has no such parameter is not touched by it."""
    without = Access((Grant("rs", None, Limit(never=((("category", "laboratory"),),))),))
    assert store.read("Observation", "own", without) is None
    assert store.read("Patient", "mum", without) is not None


def test_a_link_to_the_next_page_is_of_use_with_the_same_rights_only(
    store: Store, registry: Registry
) -> None:
    """Rights are part of what is asked."""
    asked = plan(parse_search("Observation", [("_count", "1")], registry), registry)
    following = store.find(asked, MUM).next
    assert [each.id for each in store.find(asked, Access.patients(["mum"]), following).matches]
    with pytest.raises(BridgeError, match="FB-4110"):
        store.find(asked, Access.patients(["son"]), following)


def test_two_alternatives_are_joined_and_two_limits_are_met(store: Store) -> None:
    """A union of grants; what lies within two accesses satisfies both."""
    both = Access((*MUM.grants, *Access.patients(["son"]).grants))
    assert store.read("Observation", "foreign", both) is not None
    assert store.read("Observation", "foreign", both.within(MUM)) is None
    assert store.read("Observation", "own", both.within(MUM)) is not None
    assert not both.within(Access((Grant("c"),))).grants
