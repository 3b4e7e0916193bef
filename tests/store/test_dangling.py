"""A check follows every reference, and tells only those that lead nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fhir_bridge.fhir import definitions
from fhir_bridge.search import Registry
from fhir_bridge.store import Store, maintenance
from fhir_bridge.store.maintenance.literals import literals, read
from tests.store.asking import observation, patient

NOBODY = "urn:uuid:19593262-d431-4b63-a6e4-1dc0b2e6e11a"


def _put(store: Store, *resources: dict[str, Any]) -> None:
    with store.transaction() as tx:
        tx.put_many(resources)


def _found(store: Store) -> list[tuple[str, str, str]]:
    """(code, place, element) of each issue."""
    return [
        (each.code, each.where or "", str(each.details["element"]))
        for each in maintenance.check(store).issues
    ]


def _about(id_: str, subject: dict[str, Any]) -> dict[str, Any]:
    return {**observation(id_, ""), "subject": subject}


def _replaced(id_: str, by: str) -> dict[str, Any]:
    link = {"other": {"reference": f"Patient/{by}"}, "type": "replaced-by"}
    return patient(id_, active=False, link=[link])


def test_a_reference_to_what_was_never_there_is_told_with_its_element(store: Store) -> None:
    """Also where no search parameter looks: in an extension, in a value's extension."""
    deep = {"url": "urn:e", "valueReference": {"reference": "Location/no"}}
    _put(
        store,
        patient("p", extension=[deep], _birthDate={"extension": [deep]}),
        observation("o", "nobody"),
    )
    (of_patient, of_observation) = maintenance.check(store).issues
    assert (of_patient.code, of_patient.where) == ("FB-5020", "Patient/p")
    assert of_patient.details["count"] == "2"
    assert of_observation.where == "Observation/o"
    assert "Observation.subject of Observation/o refers to Patient/nobody" in str(of_observation)


def test_a_reference_to_what_was_deleted_is_told_unless_it_speaks_of_the_past(store: Store) -> None:
    """A Provenance and an AuditEvent keep naming what is gone; they may not name what never was."""
    past = {"resourceType": "Provenance", "recorded": "2026-01-01T00:00:00Z"}
    _put(store, patient("p"), observation("o", "p"))
    _put(
        store,
        {**past, "id": "told", "target": [{"reference": "Patient/p"}]},
        {**past, "id": "wrong", "target": [{"reference": "Patient/never"}]},
    )
    with store.transaction() as tx:
        tx.delete("Patient", "p")
    assert _found(store) == [
        ("FB-5020", "Observation/o", "Observation.subject"),
        ("FB-5020", "Provenance/wrong", "Provenance.target"),
    ]


def test_a_versioned_reference_needs_its_version(store: Store) -> None:
    """A version that was replaced is still there; one that says "deleted" is nothing to read."""
    _put(store, patient("p"))
    _put(store, patient("p", gender="male"))
    with store.transaction() as tx:
        tx.delete("Patient", "p")
    for version in ("1", "2", "3", "9", "x"):
        target = f"p/_history/{version}"
        _put(store, observation(f"o{version}", target))
    assert _found(store) == [
        ("FB-5020", f"Observation/o{version}", "Observation.subject") for version in ("3", "9", "x")
    ]


def test_a_reference_may_be_stored_before_its_target(store: Store) -> None:
    """What counts is the record as it is, not the order in which it was written."""
    _put(store, observation("o", "p"))
    _put(store, patient("p"))
    assert maintenance.check(store).issues == ()


def test_what_is_contained_is_looked_for_inside(store: Store) -> None:
    """`#` alone is the resource itself; a missing one is told."""
    inside = {"resourceType": "Practitioner", "id": "doctor"}
    upwards = {
        "resourceType": "PractitionerRole",
        "id": "role",
        "practitioner": {"reference": "#doctor"},
        "extension": [{"url": "urn:e", "valueReference": {"reference": "#"}}],
    }
    _put(
        store,
        patient("p"),
        observation("good", "p", contained=[inside, upwards], performer=[{"reference": "#role"}]),
        observation("bad", "p", contained=[inside], performer=[{"reference": "#nurse"}]),
    )
    assert _found(store) == [("FB-5021", "Observation/bad", "Observation.performer")]


def test_a_search_left_in_place_of_a_reference_is_told_without_what_it_looks_for(
    store: Store,
) -> None:
    """The number of a person stays out of the issue."""
    searched = {"reference": "Patient?identifier=urn:ids|11010519491231002X"}
    _put(store, _about("o", searched))
    (issue,) = maintenance.check(store).issues
    assert issue.code == "FB-5022"
    assert "Patient?…" in str(issue)
    assert "1949" not in str(issue)


@pytest.mark.parametrize("temporary", [NOBODY, NOBODY.upper(), "urn:oid:1.2.3"])
def test_a_temporary_id_is_told(store: Store, temporary: str) -> None:
    """Whatever the case it is written in."""
    _put(store, patient("p", generalPractitioner=[{"reference": temporary}]))
    assert _found(store) == [("FB-5023", "Patient/p", "Patient.generalPractitioner")]


def test_a_bundle_kept_as_a_document_speaks_of_its_own_entries(store: Store) -> None:
    """Its temporary ids are its own; so is an identifier that a resource states of itself."""
    entry = {"fullUrl": NOBODY, "resource": _about("o", {"reference": NOBODY})}
    own = {"system": "urn:ietf:rfc:3986", "value": NOBODY}
    _put(
        store,
        {"resourceType": "Bundle", "id": "b", "type": "document", "entry": [entry]},
        {"resourceType": "Binary", "id": "x", "contentType": "text/plain", "data": "dXJuOnV1aWQ6"},
        patient("p", identifier=[own], link=[{"other": {"reference": NOBODY}, "type": "seealso"}]),
    )
    assert maintenance.check(store).issues == ()


def test_what_is_not_a_reference_to_this_record_is_left_alone(store: Store) -> None:
    """Another server, a logical reference, a display, a URI that is only called reference."""
    _put(
        store,
        _about("o1", {"reference": "https://elsewhere.example/fhir/Patient/1"}),
        _about("o2", {"identifier": {"system": "urn:ids", "value": "1"}}),
        _about("o3", {"display": "王芳"}),
        _about("o4", {"reference": "urn:iso:std:iso:11238"}),
        {"resourceType": "DetectedIssue", "id": "d", "status": "final", "reference": "about/1"},
        {
            "resourceType": "Immunization",
            "id": "i",
            "status": "completed",
            "education": [{"reference": "leaflets/7"}],
        },
    )
    assert maintenance.check(store).issues == ()


def test_an_address_of_this_server_is_a_reference_to_this_record(
    opening: Callable[..., Store],
) -> None:
    """Below its own base the target must be there; what names no resource is told."""
    own = Registry(definitions(), own_bases=("https://own.example/fhir",))
    store = opening(registry=own)
    _put(
        store,
        patient("p"),
        _about("good", {"reference": "https://own.example/fhir/Patient/p"}),
        _about("bad", {"reference": "https://own.example/fhir/Patient/q"}),
        _about("odd", {"reference": "-"}),
    )
    assert [where for _, where, _ in _found(store)] == ["Observation/bad", "Observation/odd"]


def test_what_is_about_a_replaced_patient_is_told(store: Store) -> None:
    """Not what says so (links, a Person), not the past, and not what is merely inactive."""
    survivor = "Patient/new"
    _put(
        store,
        patient("new", link=[{"other": {"reference": "Patient/old"}, "type": "replaces"}]),
        _replaced("old", "new"),
        patient("inactive", active=False),
        observation("right", "new"),
        observation("wrong", "old"),
        observation("still", "inactive"),
        {"resourceType": "Person", "id": "x", "link": [{"target": {"reference": "Patient/old"}}]},
        {
            "resourceType": "Provenance",
            "id": "y",
            "recorded": "2026-01-01T00:00:00Z",
            "target": [{"reference": "Patient/old"}, {"reference": survivor}],
        },
        {
            "resourceType": "Appointment",
            "id": "z",
            "status": "booked",
            "participant": [{"actor": {"reference": "Patient/old"}, "status": "accepted"}],
        },
    )
    assert _found(store) == [
        ("FB-5025", "Observation/wrong", "Observation.subject"),
        ("FB-5025", "Appointment/z", "Appointment.participant.actor"),
    ]


def test_a_patient_linked_to_itself_is_told(store: Store) -> None:
    """By whatever kind of link, and whatever way the reference is written."""
    _put(
        store,
        patient("a", link=[{"other": {"reference": "Patient/a"}, "type": "seealso"}]),
        patient(
            "b", link=[{"other": {"reference": "Patient/b/_history/1"}, "type": "replaced-by"}]
        ),
    )
    assert [(code, where) for code, where, _ in _found(store)] == [
        ("FB-5024", "Patient/a"),
        ("FB-5024", "Patient/b"),
    ]


def test_a_circle_of_replacements_is_told_and_a_chain_is_not(store: Store) -> None:
    """Nor are two that see each other, nor the pair of replaces and replaced-by."""
    see = [{"other": {"reference": f"Patient/{id_}"}, "type": "seealso"} for id_ in ("s1", "s2")]
    _put(
        store,
        *(_replaced(f"c{n}", f"c{n + 1}") for n in range(40)),
        patient("c40", link=[{"other": {"reference": "Patient/c39"}, "type": "replaces"}]),
        patient("s1", link=[see[1]]),
        patient("s2", link=[see[0]]),
        _replaced("r1", "r2"),
        _replaced("r2", "r3"),
        _replaced("r3", "r1"),
        _replaced("into", "r1"),
    )
    assert sorted((code, where) for code, where, _ in _found(store)) == [
        ("FB-5024", "Patient/into"),
        ("FB-5024", "Patient/r1"),
        ("FB-5024", "Patient/r2"),
        ("FB-5024", "Patient/r3"),
    ]


def test_many_faults_of_a_kind_are_counted_and_the_first_of_each_kind_told(store: Store) -> None:
    """A flood of one kind hides no other."""
    _put(store, *(observation(f"o{n}", "nobody") for n in range(450)))
    _put(store, patient("p", generalPractitioner=[{"reference": NOBODY}]))
    checked = maintenance.check(store)
    assert checked.counts == {"FB-5020": 450, "FB-5023": 1}
    told = [each.code for each in checked.issues]
    assert (told.count("FB-5020"), told.count("FB-5023")) == (200, 1)


def test_portions_and_ranges_change_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets are remembered and forgotten on the way; what is found stays the same."""
    _put(store, *(patient(f"p{n}") for n in range(0, 60, 2)))
    _put(store, *(observation(f"o{n}", f"p{n % 60}") for n in range(120)))
    expected = sorted(_found(store))
    assert len(expected) == 60
    monkeypatch.setattr("fhir_bridge.store.maintenance.dangling._MAX_PENDING", 3)
    monkeypatch.setattr("fhir_bridge.store.maintenance.dangling._MAX_CACHED", 5)
    monkeypatch.setattr("fhir_bridge.store.maintenance.index_rows.RANGE", 7)
    assert sorted(_found(store)) == expected


def test_places_are_paths_of_elements() -> None:
    """Indices left out, as an issue names them."""
    resource = {
        "resourceType": "Encounter",
        "participant": [{"individual": {"reference": "Practitioner/1"}}],
        "subject": {"reference": "Patient/1"},
    }
    assert {str(element): text for element, text in literals(resource)} == {
        "Encounter.participant.individual": "Practitioner/1",
        "Encounter.subject": "Patient/1",
    }
    assert read("patient/1").kind == "unreadable"
