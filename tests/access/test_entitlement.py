"""What a caller is entitled to follows from the record as it is now."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from fhir_bridge.access import Access, Caller, Limit, Role, read_scopes
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.entitlement import Entitlements, EntitlementSettings, Policy, entitled
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from fhir_bridge.search import Registry
from fhir_bridge.store import Store, open_store
from tests.access.cast import NOW, resources

POLICY = Policy.load(Artifacts())


@pytest.fixture
def store(tmp_path: Path, registry: Registry) -> Store:
    """A record with every case of an agreement, on its own."""
    opened = open_store(f"sqlite:///{tmp_path}/record.sqlite3", registry=registry)
    wanted = {
        "Patient",
        "RelatedPerson",
        "Group",
        "Contract",
        "CareTeam",
        "PractitionerRole",
        "Task",
    }
    with opened.transaction() as transaction:
        transaction.put_many(each for each in resources(registry) if each["resourceType"] in wanted)
    return opened


def resident(who: str, scopes: str | None = None, patient: str = "") -> Caller:
    """A resident, with an app or without."""
    asked = None if scopes is None else read_scopes(scopes, definitions().resource_types)
    return Caller("account", "app", (Role("resident", patient=who),), asked, patient)


def reached(access: Access, resource_type: str = "Observation") -> set[str]:
    """The patients whose resources may be read."""
    limits = access.limits(resource_type, "r")
    return {each for limit in limits for each in limit.patients or ()}


@pytest.mark.parametrize(
    ("age", "expected"),
    [(14, {"mum", "kid13"}), (15, {"mum", "kid13", "kid14"}), (0, {"mum"})],
)
def test_children_are_seen_until_they_are_old_enough(
    store: Store, age: int, expected: set[str]
) -> None:
    """On the birthday it is over; an aunt answers for nobody."""
    settings = EntitlementSettings(guardian_age=age)
    assert reached(entitled(resident("mum"), store, NOW, POLICY, settings)) == expected


def test_a_child_sees_the_record_of_no_adult_of_the_family(store: Store) -> None:
    """Nor does a member who left it."""
    assert reached(entitled(resident("fkid"), store, NOW, POLICY)) == {"fkid"}
    assert reached(entitled(resident("left"), store, NOW, POLICY)) == set()
    assert reached(entitled(resident("fa"), store, NOW, POLICY)) == {"fa", "fkid"}


def test_an_agreement_is_good_for_the_whole_of_its_last_day(store: Store) -> None:
    """It ends with the day."""
    late = NOW.replace(hour=23, minute=59)
    assert reached(entitled(resident("today"), store, late, POLICY)) == {"today"}
    assert reached(entitled(resident("today"), store, late + timedelta(minutes=2), POLICY)) == set()


@pytest.mark.parametrize(
    ("afterwards", "contract", "observation"),
    [("nothing", False, False), ("agreements", True, False), ("recorded", True, True)],
)
def test_what_stays_visible_afterwards_is_a_setting(
    store: Store,
    afterwards: Literal["nothing", "agreements", "recorded"],
    contract: bool,
    observation: bool,
) -> None:
    """Nothing, their own agreements, or what was recorded until the end."""
    settings = EntitlementSettings(afterwards=afterwards)
    access = entitled(resident("over"), store, NOW, POLICY, settings)
    assert ("over" in reached(access, "Contract"), "over" in reached(access)) == (
        contract,
        observation,
    )
    assert not access.allows("Communication", "c")
    if observation:
        (limit,) = access.limits("Observation", "r")
        assert limit.only == ((("_lastUpdated", "le2027-12-01T23:59:59+00:00"),),)


def test_scopes_of_a_patient_without_a_patient_are_refused(store: Store) -> None:
    """A missing context is never "no limit"."""
    with pytest.raises(BridgeError, match="FB-4209"):
        entitled(resident("mum", "patient/*.rs"), store, NOW, POLICY)


def test_an_app_reaches_the_patient_in_context_only(store: Store) -> None:
    """Also of a guardian, and of those alone whom the person may see."""
    assert reached(entitled(resident("mum", "patient/*.rs", "kid13"), store, NOW, POLICY)) == {
        "kid13"
    }
    assert (
        reached(entitled(resident("mum", "patient/*.rs", "stranger"), store, NOW, POLICY)) == set()
    )


def test_no_scope_gives_more_than_the_role(store: Store) -> None:
    """``user/*.cruds`` of a resident writes no Condition, ``system/`` is for backend clients."""
    access = entitled(resident("mum", "user/*.cruds"), store, NOW, POLICY)
    assert not access.allows("Condition", "c")
    assert access.allows("Communication", "c")
    assert not entitled(resident("mum", "system/*.rs"), store, NOW, POLICY).grants


def test_an_inspector_names_a_purpose(store: Store) -> None:
    """Without one nobody's resources are open."""
    inspector = (Role("inspector"),)
    assert not entitled(Caller("a", roles=inspector), store, NOW, POLICY).allows("Patient", "r")
    named = Caller("a", roles=inspector, purpose="HCOMPL")
    assert entitled(named, store, NOW, POLICY).limits("Patient", "r") == (Limit(),)


def test_an_answer_is_kept_until_something_changes(store: Store) -> None:
    """The agreement is revoked: closed at the next request."""
    entitlements = Entitlements(store, POLICY)
    before = entitlements.of(resident("stranger"), NOW)
    assert reached(before) == {"stranger"}
    assert entitlements.of(resident("stranger"), NOW) is before
    with store.transaction() as transaction:
        transaction.put(
            {
                "resourceType": "Contract",
                "id": "c-stranger",
                "status": "terminated",
                "subject": [{"reference": "Patient/stranger"}],
                "applies": {"start": "2026-01-01", "end": "2026-12-31"},
            }
        )
    assert reached(entitlements.of(resident("stranger"), NOW)) == set()


def test_a_role_that_no_file_says_gives_nothing(store: Store) -> None:
    """A name that was taken out of the files closes."""
    assert entitled(Caller("a", roles=(Role("astronaut"),)), store, NOW, POLICY).grants == ()
