"""A check tells one number that two persons hold, and only that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from fhir_bridge.store import Store, maintenance
from fhir_bridge.store.maintenance.shared_identities import AllNumbers
from tests.store.asking import observation, patient

HOSPITAL = "urn:oid:1.2.3.1"


def _number(value: str, system: str = HOSPITAL, **more: Any) -> dict[str, Any]:
    return {"system": system, "value": value, **more}


def _person(id_: str, *numbers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return patient(id_, identifier=list(numbers), **more)


def _visit(id_: str, subject: str, *numbers: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": id_,
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{subject}"},
        "identifier": list(numbers),
    }


def _put(store: Store, *resources: dict[str, Any]) -> None:
    with store.transaction() as tx:
        tx.put_many(resources)


def _found(store: Store) -> list[tuple[str, str, str]]:
    """(code, place, the others) of each issue."""
    return [
        (each.code, each.where or "", str(each.details["others"]))
        for each in maintenance.check(store).issues
    ]


def test_one_number_on_two_persons_is_told_without_the_number(store: Store) -> None:
    """Of three holders the first is the place; the system is named."""
    _put(store, *(_person(id_, _number("778899")) for id_ in "abc"))
    (issue,) = maintenance.check(store).issues
    assert (issue.code, issue.where) == ("FB-5026", "Patient/a")
    assert "Patient/b, Patient/c" in str(issue)
    assert HOSPITAL in str(issue)
    assert "778899" not in str(issue)


def test_numbers_that_only_look_alike_are_not_told(store: Store) -> None:
    """Another system, no system, a number that is no longer used, an earlier version."""
    _put(store, _person("moved", _number("5")))
    _put(
        store,
        _person("a", _number("1")),
        _person("b", _number("1", "urn:oid:9.9")),
        _person("c", {"value": "2"}),
        _person("d", {"value": "2"}),
        _person("e", _number("3")),
        _person("f", _number("3", use="old")),
        _person("g", _number("4"), _number("4")),
        _person("moved", _number("6")),
        _person("now", _number("5")),
    )
    assert maintenance.check(store).issues == ()


def test_linked_replaced_and_inactive_persons_may_share_a_number(store: Store) -> None:
    """The record says already what the two are to each other; a third one is told."""
    other = {"other": {"reference": "Patient/a"}, "type": "seealso"}
    by = {"other": {"reference": "Patient/a"}, "type": "replaced-by"}
    _put(
        store,
        _person("a", _number("1")),
        _person("b", _number("1"), link=[other]),
        _person("c", _number("1"), link=[by]),
        _person("d", _number("1"), active=False),
    )
    assert maintenance.check(store).issues == ()
    _put(store, _person("x", _number("1")))
    assert [each[0] for each in _found(store)] == ["FB-5026"]


def test_two_that_are_linked_do_not_hide_a_third(store: Store) -> None:
    """The first is linked to both others, which are strangers to each other."""
    links = [{"other": {"reference": f"Patient/{id_}"}, "type": "refer"} for id_ in "bc"]
    _put(
        store,
        _person("a", _number("1"), link=links),
        _person("b", _number("1")),
        _person("c", _number("1")),
    )
    assert _found(store) == [("FB-5026", "Patient/b", "Patient/c")]


def test_the_site_says_which_numbers_are_personal(store: Store) -> None:
    """Each holder is asked about on its own."""
    _put(store, _person("child", _number("1")), _person("mother", _number("1"), gender="female"))
    assert maintenance.check(store, numbers=_OfWomen()).issues == ()


@pytest.mark.parametrize("second", ["p1", "p2"])
def test_one_visit_number_of_two_persons_is_told(store: Store, second: str) -> None:
    """Two visits of one person may share a number, as two stays share an inpatient number."""
    _put(
        store,
        patient("p1"),
        patient("p2"),
        _visit("v1", "p1", _number("V1"), _number("A")),
        _visit("v2", second, _number("A")),
        _visit("v3", "p2", _number("V1", "urn:oid:9.9")),
    )
    expected = [("FB-5027", "Encounter/v1", "Encounter/v2")] if second == "p2" else []
    assert _found(store) == expected


def test_the_old_and_the_new_record_of_a_person_are_one_person(store: Store) -> None:
    """What is still about the replaced Patient is another finding."""
    by = {"other": {"reference": "Patient/p1"}, "type": "replaced-by"}
    _put(
        store,
        patient("p1"),
        patient("p2", active=False, link=[by]),
        _visit("v1", "p1", _number("V1")),
        _visit("v2", "p2", _number("V1")),
    )
    assert [each.code for each in maintenance.check(store).issues] == ["FB-5025"]


def test_types_of_which_several_persons_share_a_number_are_left_alone(store: Store) -> None:
    """A family's policy, a mother's own number on two children, a specimen of a pool."""
    for kind, element in (("Coverage", "beneficiary"), ("RelatedPerson", "patient")):
        for person in ("p1", "p2"):
            _put(
                store,
                patient(person),
                {
                    "resourceType": kind,
                    "id": f"{kind}-{person}",
                    "status": "active",
                    "identifier": [_number("1")],
                    element: {"reference": f"Patient/{person}"},
                },
            )
    assert maintenance.check(store).issues == ()


def test_single_and_master_identifiers_count(store: Store) -> None:
    """A Composition has one identifier, a DocumentReference one above the others."""
    for person in ("p1", "p2"):
        subject = {"reference": f"Patient/{person}"}
        _put(
            store,
            patient(person),
            {
                "resourceType": "Composition",
                "id": person,
                "identifier": _number("D"),
                "subject": subject,
            },
            {
                "resourceType": "DocumentReference",
                "id": person,
                "masterIdentifier": _number("M"),
                "subject": subject,
            },
        )
    assert _found(store) == [
        ("FB-5027", "Composition/p1", "Composition/p2"),
        ("FB-5027", "DocumentReference/p1", "DocumentReference/p2"),
    ]


def test_a_check_stopped_among_the_numbers_goes_on_there(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was compared is not compared again, and what was found is told once."""
    from fhir_bridge.store.maintenance import checking

    _put(store, _person("a", _number("1")), _person("b", _number("1")))
    _put(store, observation("o1", "a", identifier=[_number("O")]))
    _put(store, observation("o2", "b", identifier=[_number("O")]))
    compare = checking.check_resources
    compared: list[str] = []

    def stopping(session: Any, resource_type: str, *rest: Any) -> None:
        if resource_type == "Observation" and not compared.count("stopped"):
            compared.append("stopped")
            raise _StopError
        compared.append(resource_type)
        compare(session, resource_type, *rest)

    monkeypatch.setattr(checking, "check_resources", stopping)
    with pytest.raises(_StopError):
        maintenance.check(store)
    checked = maintenance.check(store)
    assert compared.count("Encounter") == 1
    assert (checked.resources, checked.counts) == (4, {"FB-5026": 1, "FB-5027": 1})


class _OfWomen(AllNumbers):
    def identifies(self, _: Mapping[str, Any], patient: dict[str, Any]) -> bool:
        return patient.get("gender") == "female"


class _StopError(Exception):
    """The check is stopped by hand."""
