"""Every message type of the standard: empty, null, sent again, cancelled; and nothing unread unseen.

The messages are made from the standard's tables (`standard_messages`); what a field says is
found by leaving it out, so no expectation is taken from our maps.  ``standard/left.csv`` names
the one field of 801 for which the rule does not yet hold.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge.fhir import render_json
from fhir_bridge.ingest import convert
from tests.histories.client import Resource
from tests.histories.contents import content
from tests.histories.site import FEEDS, Site, open_site
from tests.histories.standard_messages import LEFT, MESSAGES, Field, Kind, Wire

NULL = '""'

_SHORT = 24
"""Of the single fields every so many-th is tried; ``make long`` tries all."""
_SAID_ELSEWHERE = frozenset(
    [
        "EVN-1",
        "EVN-2",
        "PV1-39",
        "PV1-45",
        "GT1-1",
        "OBR-7",
        "SCH-10",
        "SCH-11",
        "SCH-25",
        "AIS-4",
        "AIS-7",
        "AIS-8",
        "AIP-10",
        "RF1-1",
    ]
)
"""Read fields that say in these messages what is supposed anyway or another segment says as well."""
_MAY_CHANGE = frozenset(
    {
        "status", "statusReason", "docStatus", "clinicalStatus", "verificationStatus",
        "cancelationReason", "dataAbsentReason", "active", "statusHistory",
    }
)  # fmt: skip


class Feed:
    """The hospital's feed of a site: one message after the other, each a minute later."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._count = self._spaces = self._minute = 0

    def begin(self, kind: Kind, changed: Mapping[str, str] | None = None) -> Wire:
        """The first message of a person nobody has heard of, recorded."""
        self._spaces += 1
        self.site.follower.begin()
        wire = Wire(kind, self._spaces, changed, minute=self._next())
        self.send(wire)
        return wire

    def send(self, wire: Wire) -> None:
        """Records a message; the test fails when it is refused."""
        self._count += 1
        control = f"S{self._count}"
        self.site.record("A", wire.data(control), control)
        refused = self.site.services.store.quarantine.list(limit=1)
        if refused and refused[0].control_id == control:
            reasons = [f"{issue.code} {issue.where}" for issue in refused[0].issues]
            pytest.fail(f"{wire.event or wire.kind.message} was refused: {reasons[:5]}")

    def say(self, wire: Wire, changed: Mapping[str, str], event: str = "") -> None:
        """The same person's next message, with some fields changed."""
        self.send(wire.saying(self._next(), changed, event=event))

    def content(self, wire: Wire, *, gone: bool = False) -> dict[str, Resource]:
        """What is recorded of the person of `wire`."""
        return content(self.site.follower, wire.own, gone=gone)

    def _next(self) -> int:
        self._minute = (self._minute + 1) % 13_000
        return self._minute


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feed]:
    """The product's own hospital feed over an empty record."""
    folder: Path = tmp_path_factory.mktemp("standard")
    site = open_site(f"sqlite:///{folder}/record.sqlite3", folder)
    yield Feed(site)
    site.services.store.close()


def _free(kind: Kind) -> list[Field]:
    """The fields that an update need not repeat."""
    return [each for each in kind.fields if not each.key and each.path not in LEFT["empty"]]


def _may_be_null(field: Field) -> bool:
    return not (field.key or field.no_null) and field.path not in LEFT["null"]


def _changes(before: dict[str, Resource], after: dict[str, Resource]) -> dict[str, tuple[Any, Any]]:
    """What differs, by resource and element, as it is before and after."""
    return {
        f"{name}.{element}": (old, new)
        for name in dict.fromkeys([*before, *after])
        for element in dict.fromkeys([*before.get(name, ()), *after.get(name, ())])
        if (old := before.get(name, {}).get(element)) != (new := after.get(name, {}).get(element))
    }


def _without_staying(
    fields: Iterable[Field], expected: dict[str, Resource], after: dict[str, Resource]
) -> dict[str, Resource]:
    """What is recorded after a null, but for the things of their own that its field names."""
    staying = {each.stays for each in fields if each.stays}
    return {
        name: resource
        for name, resource in after.items()
        if name in expected or name.partition(" ")[0] not in staying
    }


def _single() -> list[tuple[Kind, list[Field]]]:
    """Single fields to try, with the first message type that has their segment; in the long form with all."""
    tried, chosen = set[str](), []
    step = 1 if os.environ.get("FHIR_BRIDGE_TEST_LONG") else _SHORT
    for kind in MESSAGES:
        fields = [
            each
            for each in kind.fields
            if not each.key and (step == 1 or each.segment not in tried)
        ]
        tried |= {each.segment for each in fields}
        if fields[::step]:
            chosen.append((kind, fields[::step]))
    return chosen


def _name(value: Any) -> str | None:
    return value.message if isinstance(value, Kind) else "fields"


by_kind = pytest.mark.parametrize("kind", MESSAGES, ids=_name)


@by_kind
def test_an_update_with_empty_fields_changes_nothing(feed, kind):
    """Only the fields that name things are sent; everything else stays as it was."""
    wire = feed.begin(kind)
    before = feed.content(wire)
    feed.say(wire, {each.path: "" for each in _free(kind)})

    assert before
    assert {} == _changes(before, feed.content(wire))


@by_kind
def test_the_same_message_again_changes_nothing(feed, kind):
    """Under a new control id, as senders do who got no answer: no resource gets a new version."""
    wire = feed.begin(kind)
    before = feed.content(wire)
    versions = feed.site.follower.versions()
    feed.send(wire)

    assert {} == _changes(before, feed.content(wire))
    assert versions == feed.site.follower.versions()


@by_kind
def test_what_is_null_is_taken_back_and_nothing_else(feed, kind):
    """All fields null at once leave what a message says in which they are empty."""
    taken_back = [each.path for each in kind.fields if _may_be_null(each)]
    bare = feed.begin(kind, dict.fromkeys(taken_back, ""))
    expected = feed.content(bare)
    wire = feed.begin(kind)
    feed.say(wire, dict.fromkeys(taken_back, NULL))
    after = _without_staying(kind.fields, expected, feed.content(wire))

    assert {} == _changes(expected, after)


@pytest.mark.parametrize(("kind", "fields"), _single(), ids=_name)
def test_a_field_that_is_empty_or_null_in_an_update(feed, kind, fields):
    """Empty leaves what the field said before; null leaves what is there without the field."""
    wrong = {}
    for field in fields:
        if not field.together and field.path not in LEFT["empty"]:
            wrong |= _changed_by_empty(feed, kind, field)
        if _may_be_null(field):
            wrong |= _left_by_null(feed, kind, field)

    assert {} == wrong


@pytest.mark.parametrize(
    ("sent", "path"), [(sent, path) for sent, paths in LEFT.items() for path in paths]
)
def test_what_is_listed_as_left_is_still_left(feed, sent, path):
    """A field for which the rule holds is taken off ``left.csv``: the list can only shrink."""
    tried = _changed_by_empty if sent == "empty" else _left_by_null
    found = [(kind, each) for kind in MESSAGES for each in kind.fields if each.path == path]

    assert found
    assert any(tried(feed, kind, field) for kind, field in found if not field.key)


def _changed_by_empty(feed: Feed, kind: Kind, field: Field) -> dict[str, tuple[Any, Any]]:
    """What an update changes in which the field is empty."""
    wire = feed.begin(kind)
    before = feed.content(wire)
    feed.say(wire, {field.path: ""})
    return {f"{field.path} empty: {k}": v for k, v in _changes(before, feed.content(wire)).items()}


def _left_by_null(feed: Feed, kind: Kind, field: Field) -> dict[str, tuple[Any, Any]]:
    """What is otherwise after a null than where the field was never sent."""
    expected = feed.content(feed.begin(kind, {field.path: ""}))
    wire = feed.begin(kind)
    feed.say(wire, {field.path: NULL})
    after = _without_staying([field], expected, feed.content(wire))
    return {f"{field.path} null: {k}": v for k, v in _changes(expected, after).items()}


@pytest.mark.parametrize("kind", [each for each in MESSAGES if each.cancel], ids=_name)
def test_a_cancel_changes_the_state_and_loses_nothing(feed, kind):
    """What was cancelled stays readable; only its status says what became of it."""
    wire = feed.begin(kind)
    before = feed.content(wire, gone=True)
    changed = {each.path: "" for each in _free(kind)}
    field, is_field, text = kind.cancel.partition("=")
    feed.say(wire, changed | ({field: text} if is_field else {}), "" if is_field else kind.cancel)
    changes = _changes(before, feed.content(wire, gone=True))

    assert changes
    may_change = _MAY_CHANGE | set(kind.undone)
    assert set() == {each for each in changes if each.rpartition(".")[2] not in may_change}


def test_a_field_that_no_map_reads_is_counted(feed):
    """What can be left out without changing the Bundle is in the list of what was not read."""
    unseen, tried = [], set[str]()
    for kind in MESSAGES:
        feed.begin(kind)
    counted = {each.place for each in feed.site.services.store.unread.places(FEEDS["A"])}
    for kind in MESSAGES:
        full = _bundle(feed, Wire(kind, 1))
        for field in kind.fields:
            is_told = {field.path, field.segment} & counted or any(
                each.startswith(f"{field.segment} after") for each in counted
            )
            if field.segment in tried or is_told or field.path in _SAID_ELSEWHERE:
                continue
            if not _says_something(feed, kind, field, full):
                unseen.append(f"{field.path} {field.name}")
        tried |= set(kind.segments)

    assert [] == unseen


def _says_something(feed: Feed, kind: Kind, field: Field, full: str) -> bool:
    """Whether a field makes a difference: beside all others, or where they are silent."""
    if _bundle(feed, Wire(kind, 1, {field.path: ""})) != full:
        return True
    others = [each.path for each in kind.fields if each.segment == field.segment]
    silent = dict.fromkeys(others, "")
    alone = silent | {field.path: field.sample(1)}
    return _bundle(feed, Wire(kind, 1, silent)) != _bundle(feed, Wire(kind, 1, alone))


def _bundle(feed: Feed, wire: Wire) -> str:
    """What a message becomes, as text; names made for the occasion are numbered."""
    services = feed.site.services
    converted = convert(
        wire.data("M"),
        feeds=services.feeds,
        library=services.library,
        feed=services.feeds[FEEDS["A"]],
    )
    text = render_json(converted.bundle).decode()
    made = dict.fromkeys(re.findall(r"urn:uuid:[0-9a-f-]{36}", text))
    for number, name in enumerate(made):
        text = text.replace(name, f"urn:uuid:{number}")
    return text
