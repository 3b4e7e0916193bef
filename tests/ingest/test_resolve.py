"""Lasting ids and references, without a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir import render_json
from fhir_bridge.ingest import named_resource_id, parse_feed
from fhir_bridge.ingest.resolve import Resolved, Resolver

FEED = 'title.en = "F"\nsource = "contract"\nformat = "fhir"\n'
FIRST = parse_feed("first", FEED)
SECOND = parse_feed("second", FEED)


@dataclass
class Link:
    """A linker's answer."""

    patient_id: str
    patient: dict[str, Any]
    issues: list[Issue] = field(default_factory=list)
    replaced: list[dict[str, Any]] = field(default_factory=list)


class CountingLinker:
    """Gives every statement the same person and counts how often it is asked."""

    asked = 0

    def link(self, ledger: object, patient: dict[str, Any], feed: str, message: object) -> Link:
        """Always p1."""
        self.asked += 1
        return Link("p1", {**patient, "id": "p1"})


@dataclass
class Kept:
    """A stored version."""

    body: bytes
    deleted: bool = False


class Transaction(dict[str, Any]):
    """What is stored, by reference."""

    def read(self, resource_type: str, id_: str) -> Kept | None:
        """The stored version or None."""
        return self.get(f"{resource_type}/{id_}")


def _resolve(resolver: Resolver, *entries: dict[str, Any], feed=FIRST, stored=None) -> Resolved:
    bundle = {"resourceType": "Bundle", "entry": list(entries)}
    return resolver.resolve(bundle, feed, lambda: "digest", Transaction(stored or {}))


def _entry(resource_type: str, full_url: str = "", /, **content: Any) -> dict[str, Any]:
    return {"fullUrl": full_url, "resource": {"resourceType": resource_type, **content}}


@pytest.fixture
def resolver() -> Resolver:
    """A resolver over a counting linker."""
    return Resolver(CountingLinker())


def test_a_resource_is_named_by_its_first_identifier_whoever_says_it(resolver: Resolver) -> None:
    """Two feeds, one contract number, one id; another number, another id."""
    number = {"identifier": [{"system": "urn:x", "value": "7"}]}
    one = _resolve(resolver, _entry("Contract", **number)).targets
    other = _resolve(resolver, _entry("Contract", **number), feed=SECOND).targets

    assert one == other == [f"Contract/{named_resource_id('Contract', 'urn:x', '7')}"]


def test_a_number_without_a_system_is_its_owners(resolver: Resolver) -> None:
    """The same bare number from two owners names two things."""
    bare = {"identifier": [{"value": "7"}]}

    assert (
        _resolve(resolver, _entry("Contract", **bare)).targets
        != _resolve(resolver, _entry("Contract", **bare), feed=SECOND).targets
    )


def test_what_has_no_identifier_is_named_by_the_content_of_its_record(resolver: Resolver) -> None:
    """Stable for the same record, different by place in it."""
    first = _resolve(resolver, _entry("Observation"), _entry("Observation")).targets

    assert len(set(first)) == 2
    assert first == _resolve(resolver, _entry("Observation"), _entry("Observation")).targets


def test_references_follow_their_entries_and_may_be_conditional(resolver: Resolver) -> None:
    """By fullUrl, by a resource's own id, and by identifier before the target has come."""
    task = _entry(
        "Task",
        "urn:uuid:t",
        focus={"reference": "urn:uuid:o"},
        **{"for": {"reference": "Patient/own"}},
        basedOn=[{"reference": "Contract?identifier=urn%3Ax%7C7"}],
        note=[{"authorReference": {"reference": "Practitioner/elsewhere"}}],
    )
    resolved = _resolve(
        resolver,
        task,
        _entry("Observation", "urn:uuid:o"),
        _entry("Patient", "urn:uuid:p", id="own"),
    )

    written = resolved.resources[0]
    assert written["for"] == {"reference": "Patient/p1"}
    assert written["focus"] == {"reference": resolved.targets[1]}
    assert written["basedOn"] == [
        {"reference": f"Contract/{named_resource_id('Contract', 'urn:x', '7')}"}
    ]
    assert written["note"] == [{"authorReference": {"reference": "Practitioner/elsewhere"}}]


def test_the_owner_may_change_what_others_only_complete(resolver: Resolver) -> None:
    """First's name stands against second's; second's telephone is added; first may rename."""
    number = {"identifier": [{"system": "urn:o", "value": "1"}]}
    (made,) = _resolve(resolver, _entry("Organization", name="A", **number)).resources
    stored = {f"Organization/{made['id']}": Kept(render_json(made))}
    resolver.keep()
    (completed,) = _resolve(
        resolver,
        _entry("Organization", name="B", telecom=[{"value": "1"}], **number),
        feed=SECOND,
        stored=stored,
    ).resources
    stored = {f"Organization/{made['id']}": Kept(render_json(completed))}
    resolver.keep()
    (renamed,) = _resolve(
        resolver, _entry("Organization", name="C", **number), stored=stored
    ).resources

    assert (completed["name"], completed["telecom"]) == ("A", [{"value": "1"}])
    assert (renamed["name"], renamed["telecom"]) == ("C", [{"value": "1"}])


def test_what_was_said_last_is_not_said_again(resolver: Resolver) -> None:
    """The linker is asked once for one statement; a rollback makes it ask anew."""
    patient = _entry("Patient", identifier=[{"system": "urn:p", "value": "1"}])
    _resolve(resolver, patient)
    again = _resolve(resolver, patient)
    resolver.forget()
    _resolve(resolver, patient)
    linker = resolver._linker

    assert isinstance(linker, CountingLinker)
    assert (again.resources, again.targets) == ([], ["Patient/p1"])
    assert linker.asked == 2


def test_a_conditional_create_never_replaces(resolver: Resolver) -> None:
    """``ifNoneExist`` names the resource and is satisfied by what is stored."""
    entry = _entry("CareTeam", name="stub")
    entry["request"] = {"method": "POST", "ifNoneExist": "identifier=urn:t|1"}
    reference = f"CareTeam/{named_resource_id('CareTeam', 'urn:t', '1')}"

    assert _resolve(resolver, entry, stored={reference: Kept(b"{}")}).resources == []
    assert _resolve(Resolver(CountingLinker()), entry).targets == [reference]


def test_two_entries_about_one_thing_are_one_resource(resolver: Resolver) -> None:
    """A Bundle that mentions a doctor twice writes the doctor once, with all that was said."""
    number = {"identifier": [{"system": "urn:d", "value": "1"}]}
    resolved = _resolve(
        resolver,
        _entry("Practitioner", "urn:uuid:1", gender="male", **number),
        _entry("Practitioner", "urn:uuid:2", birthDate="1970-01-01", **number),
    )

    (doctor,) = resolved.resources
    assert (doctor["gender"], doctor["birthDate"]) == ("male", "1970-01-01")


def test_an_entry_without_a_resource_is_a_coded_error(resolver: Resolver) -> None:
    """FB-6005 names the entry."""
    with pytest.raises(BridgeError, match=r"FB-6005 error at entry\[0\]"):
        _resolve(resolver, {"fullUrl": "urn:uuid:1"})


def test_a_mention_in_the_same_transaction_leaves_the_description() -> None:
    """The visit that was discharged a moment ago stays so; in a later transaction too."""
    feed = parse_feed("his", FEED + 'mentions."*" = ["Encounter"]\n')
    resolver = Resolver(CountingLinker(), [feed])
    number = {"identifier": [{"system": "urn:v", "value": "1"}]}
    ended = {"resourceType": "Encounter", "status": "finished", **number}
    begun = _entry("Encounter", status="in-progress", priority={"text": "p"}, **number)

    def said(entry: dict[str, Any], mentions: list[str], stored: dict[str, Any]) -> dict[str, Any]:
        bundle = {"resourceType": "Bundle", "entry": [entry]}
        (visit,) = resolver.resolve(
            bundle, feed, lambda: "d", Transaction(stored), mentions
        ).resources
        return visit

    described = said({"resource": dict(ended)}, [], {})
    at_once = said(begun, ["Encounter"], {})
    resolver.keep()
    reference = f"Encounter/{described['id']}"
    stored = {reference: Kept(render_json({**described, "meta": {"versionId": "1"}}))}
    later = said(begun, ["Encounter"], stored)

    assert [each["status"] for each in (described, at_once, later)] == ["finished"] * 3
    assert at_once["priority"] == later["priority"] == {"text": "p"}
    assert "versionId" not in later["meta"]
