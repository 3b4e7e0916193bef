"""Lasting ids and references, and what is said again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, definitions
from fhir_bridge.identity import Link, Saying, StatedPatient
from fhir_bridge.ingest import business_id, parse_feed
from fhir_bridge.ingest.draft import Draft
from fhir_bridge.ingest.resolve import Resolver, Spoken
from fhir_bridge.ingest.resolved import Resolved
from fhir_bridge.search import Registry
from fhir_bridge.store import Store, open_store
from fhir_bridge.update import UpdateRules

FEED = 'title.en = "F"\nsource = "contract"\nformat = "fhir"\n'
FIRST = parse_feed("first", FEED)
SECOND = parse_feed("second", FEED)


class CountingLinker:
    """Gives every statement the same person and counts how often it is asked."""

    times = 0

    def read_patient(self, patient: dict[str, Any]) -> StatedPatient:
        """Nothing by which it is found."""
        return StatedPatient(patient, ("", ""), [], [], [], [], [], [])

    def lookup_keys(self, said: StatedPatient, saying: Saying) -> list[bytes]:
        """No keys."""
        return []

    def link(
        self, ledger: object, patient: dict[str, Any], saying: Saying, _: StatedPatient
    ) -> Link:
        """Always p1."""
        self.times += 1
        said = (saying.source, "p1")
        made = {**patient, "id": "p1"}
        return Link("p1", made, "number", statement=said, stated_at=saying.at)

    def operate(self, *_: object) -> None:
        """Nothing changes."""

    def living(self, ledger: object, patient_id: str) -> str:
        """Itself."""
        return patient_id

    def person(self, ledger: object, identifier: dict[str, Any]) -> str:
        """Nobody."""
        return ""


class Site:
    """A resolver over a record of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.linker = CountingLinker()
        self.resolver = Resolver(self.linker, UpdateRules())

    def resolve(self, *entries: dict[str, Any], feed: Any = FIRST, keep: bool = True) -> Resolved:
        """Resolves a Bundle and records what it changes."""
        bundle = {"resourceType": "Bundle", "entry": list(entries)}
        with self.store.transaction() as transaction:
            draft = Draft(transaction)
            spoken = Spoken(feed, lambda: "digest", (), 1, 1)
            resolved = self.resolver.resolve(self.resolver.read(bundle, spoken), draft)
            draft.apply()
        if keep:
            self.resolver.keep()
        return resolved


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An empty record."""
    store = open_store(f"sqlite:///{tmp_path}/r.sqlite3", registry=Registry(definitions()))
    yield Site(store)
    store.close()


def _written(resolved: Resolved) -> list[Resource]:
    return [resource for _, resource in resolved.changed]


def _entry(resource_type: str, full_url: str = "", /, **content: Any) -> dict[str, Any]:
    return {"fullUrl": full_url, "resource": {"resourceType": resource_type, **content}}


def test_a_resource_is_named_by_its_first_identifier_whoever_says_it(site: Site) -> None:
    """Two feeds, one contract number, one id; another number, another id."""
    number = {"identifier": [{"system": "urn:x", "value": "7"}]}
    one = site.resolve(_entry("Contract", **number)).targets
    other = site.resolve(_entry("Contract", **number), feed=SECOND).targets

    assert one == other == [f"Contract/{business_id('Contract', 'urn:x', '7')}"]


def test_a_number_without_a_system_is_its_owners(site: Site) -> None:
    """The same bare number from two owners names two things."""
    bare = {"identifier": [{"value": "7"}]}

    assert (
        site.resolve(_entry("Contract", **bare)).targets
        != site.resolve(_entry("Contract", **bare), feed=SECOND).targets
    )


def test_what_has_no_identifier_is_named_by_the_content_of_its_record(site: Site) -> None:
    """Stable for the same record, different by place in it."""
    first = site.resolve(_entry("Observation"), _entry("Observation")).targets

    assert len(set(first)) == 2
    assert first == site.resolve(_entry("Observation"), _entry("Observation")).targets


def test_references_follow_their_entries_and_may_be_conditional(site: Site) -> None:
    """By fullUrl, by a resource's own id, and by number where the target has not come."""
    task = _entry(
        "Task",
        "urn:uuid:t",
        focus={"reference": "urn:uuid:o"},
        **{"for": {"reference": "Patient/own"}},
        basedOn=[{"reference": "Contract?identifier=urn%3Ax%7C7"}],
        note=[{"authorReference": {"reference": "Practitioner/elsewhere"}}],
    )
    resolved = site.resolve(
        task,
        _entry("Observation", "urn:uuid:o"),
        _entry("Patient", "urn:uuid:p", id="own"),
    )

    written = next(each for each in _written(resolved) if each["resourceType"] == "Task")
    assert written["for"] == {"reference": "Patient/p1"}
    assert written["focus"] == {"reference": resolved.targets[1]}
    number = {"system": "urn:x", "value": "7"}
    assert written["basedOn"] == [{"type": "Contract", "identifier": number}]
    assert written["note"] == [{"authorReference": {"reference": "Practitioner/elsewhere"}}]


def test_the_owner_may_change_what_others_only_complete(site: Site) -> None:
    """First's name stands against second's; second's telephone is added; first may rename."""
    number = {"identifier": [{"system": "urn:o", "value": "1"}]}
    site.resolve(_entry("Organization", name="A", **number))
    (completed,) = _written(
        site.resolve(
            _entry("Organization", name="B", telecom=[{"value": "1"}], **number), feed=SECOND
        )
    )
    (renamed,) = _written(site.resolve(_entry("Organization", name="C", **number)))

    assert (completed["name"], completed["telecom"]) == ("A", [{"value": "1"}])
    assert (renamed["name"], renamed["telecom"]) == ("C", [{"value": "1"}])


def test_what_was_said_last_is_not_said_again(site: Site) -> None:
    """The linker is asked once for one statement; a rollback makes it ask anew."""
    patient = _entry("Patient", identifier=[{"system": "urn:p", "value": "1"}])
    site.resolve(patient, keep=False)
    again = site.resolve(patient, keep=False)
    site.resolver.forget()
    site.resolve(patient)

    assert (again.changed, again.targets) == ([], ["Patient/p1"])
    assert site.linker.times == 2


def test_a_conditional_create_never_replaces(site: Site) -> None:
    """``ifNoneExist`` names the resource and is satisfied by what is stored."""
    entry = _entry("CareTeam", name="stub")
    entry["request"] = {"method": "POST", "ifNoneExist": "identifier=urn:t|1"}
    reference = f"CareTeam/{business_id('CareTeam', 'urn:t', '1')}"
    described = _entry("CareTeam", name="team", identifier=[{"system": "urn:t", "value": "1"}])

    assert site.resolve(entry).targets == [reference]
    assert site.resolve(described).changed
    assert site.resolve(entry).changed == []


def test_two_entries_about_one_thing_are_one_resource(site: Site) -> None:
    """A Bundle that mentions a doctor twice writes the doctor once, with all that was said."""
    number = {"identifier": [{"system": "urn:d", "value": "1"}]}
    resolved = site.resolve(
        _entry("Practitioner", "urn:uuid:1", gender="male", **number),
        _entry("Practitioner", "urn:uuid:2", birthDate="1970-01-01", **number),
    )

    (doctor,) = _written(resolved)
    assert (doctor["gender"], doctor["birthDate"]) == ("male", "1970-01-01")


def test_an_entry_without_a_resource_is_a_coded_error(site: Site) -> None:
    """FB-6005 names the entry."""
    with pytest.raises(BridgeError, match=r"FB-6005 error at entry\[0\]"):
        site.resolve({"fullUrl": "urn:uuid:1"})
