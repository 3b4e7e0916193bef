"""What one statement changes of a resource: the rule of update against the record.

The resource is what all sources say of it (`fhir_bridge.update`).  A statement that meets
nothing becomes the resource as it stands; another one is merged with what its source said
before and folded with what others said.  What a client of the REST interface changed since
is told from the stored version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from fhir_bridge.audit import FEED_SYSTEM
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, read_back, render_json
from fhir_bridge.store import StatementRow, resource_key
from fhir_bridge.update import (
    LAST,
    REST,
    SourceStatement,
    UpdateRules,
    client_statement,
    fold,
    folded_slots,
    merge,
    read_statement,
    retired,
    slots_of,
    stamp,
    statement_of,
)

from .changes import Present
from .comparing import SUBJECTS, bare, is_same, persons_of
from .draft import Draft
from .marks import read_marks
from .mention import MENTIONED, mentioned_elements

__all__ = ["Saying", "Stating"]


@dataclass(frozen=True, slots=True)
class Saying:
    """Who speaks and when: `at` is the stamp of the event, `since` the message's number.

    `container` and `person` are the keys of what the statement is part of and of the source's
    own record of the person (0: none); `level` is 0 for a description, 1 for a mention.
    """

    source: str
    at: int
    since: int
    level: int = 0
    container: int = 0
    person: int = 0


@dataclass(slots=True)
class _Statements:
    """The statements of one resource: each as it was kept, and what it says."""

    rows: list[StatementRow]
    said: list[SourceStatement]

    def find(self, source: str, level: int) -> int | None:
        """The place of a source's statement."""
        for place, row in enumerate(self.rows):
            if row.source == source and row.level == level:
                return place
        return None


class Stating:
    """States resources in a draft; `living` gives the Patient that one is part of now."""

    def __init__(self, draft: Draft, rules: UpdateRules, living: Callable[[str], str]) -> None:
        self._draft = draft
        self._rules = rules
        self._living = living

    def state(self, resource: Resource, marked: frozenset[str], saying: Saying) -> Resource | None:
        """The resource as it is to be written; None when nothing of it changes.

        `marked` are the properties of `resource` that hold marks.

        Raises BridgeError FB-6313 when it would become another person's.
        """
        kind, id_ = resource["resourceType"], resource["id"]
        present = self._draft.present(kind, id_)
        rows = self._draft.rows(kind, id_)
        if present is None and not rows:
            return self._first(resource, marked, saying)
        known = self._statements(present, rows, kind, id_)
        new = statement_of(
            saying.source, saying.at, resource, self._rules, saying.level, saying.since,
            has_marks=bool(marked),
        )  # fmt: skip
        place = known.find(saying.source, saying.level)
        if place is None:
            row = _row(resource_key(kind, id_), saying)
            known.rows.append(row)
            known.said.append(new)
            place = len(known.rows) - 1
        else:
            row = known.rows[place]
            known.said[place] = merge(known.said[place], new)
        known.rows[place] = replace(
            row,
            withdrawn=False,
            container=saying.container or row.container,
            person=saying.person or row.person,
        )
        return self._show(kind, id_, present, known, saying.source)

    def withdraw(self, row: StatementRow, kind: str, id_: str, at: int) -> Resource | None:
        """Takes the statement of `row` back; what it leaves, None when nothing changes."""
        present = self._draft.present(kind, id_)
        known = self._statements(present, self._draft.rows(kind, id_), kind, id_)
        place = known.find(row.source, row.level)
        if place is None or known.rows[place].withdrawn:
            return None
        known.rows[place] = replace(known.rows[place], withdrawn=True)
        known.said[place] = replace(known.said[place], withdrawn=True, at=at)
        return self._show(kind, id_, present, known, row.source)

    def _first(self, resource: Resource, marked: frozenset[str], saying: Saying) -> Resource:
        """A statement that meets nothing is the resource, without its marks."""
        kind, id_ = resource["resourceType"], resource["id"]
        times = None
        if marked:
            times, resource = read_marks(self._rules, resource, marked)
        version = self._draft.last_version(kind, id_) + 1
        self._draft.put_row(_row(resource_key(kind, id_), saying, version, times))
        self._draft.put(resource, version)
        return resource

    def _statements(
        self,
        present: Present | None,
        rows: list[StatementRow],
        kind: str,
        id_: str,
    ) -> _Statements:
        """What was said before, with what clients of the REST interface changed."""
        known = _Statements(list(rows), [self._read(row, kind, id_) for row in rows])
        if present is None:
            return known
        last = max((row.version for row in rows), default=0)
        if not rows:
            self._take_over(present, known, kind, id_)
        elif present.version > last:
            self._add_rest(present, known, kind, id_)
        return known

    def _read(self, row: StatementRow, kind: str, id_: str) -> SourceStatement:
        if row.body is not None:
            slots = read_back(row.body)
        else:
            whole = self._draft.version_at(kind, id_, row.version)
            slots = {} if whole is None else slots_of(whole, self._rules)
        return read_statement(
            row.source, row.at, slots, row.times, row.level, row.since, withdrawn=row.withdrawn
        )

    def _take_over(self, present: Present, known: _Statements, kind: str, id_: str) -> None:
        """A resource from before statements were kept apart, or that a REST client made."""
        source = _source(present.resource)
        slots = slots_of(present.resource, self._rules)
        mentioned = mentioned_elements(present.resource)
        key = resource_key(kind, id_)
        for level in (0, 1):
            part = {
                slot: value
                for slot, value in slots.items()
                if (_element(slot) in mentioned) is bool(level) and MENTIONED not in slot
            }
            if part:
                at = stamp(present.at, LAST) if source == REST else 0
                known.rows.append(StatementRow(key, source, level, 0, at, present.version))
                known.said.append(SourceStatement(source, at, part, level))

    def _add_rest(self, present: Present, known: _Statements, kind: str, id_: str) -> None:
        place = known.find(REST, 0)
        shown = folded_slots(kind, self._ordered(known), self._rules)
        earlier = known.said[place] if place is not None else None
        at = stamp(present.at, LAST)
        said = client_statement(shown, present.resource, at, self._rules, earlier)
        if said is None:
            return
        if place is not None:
            known.said[place] = said
        else:
            key = resource_key(kind, id_)
            known.rows.append(StatementRow(key, REST, 0, 0, at, present.version))
            known.said.append(said)

    def _show(
        self, kind: str, id_: str, present: Present | None, known: _Statements, speaker: str
    ) -> Resource | None:
        """Keeps the statements and gives what they show together."""
        last = self._draft.last_version(kind, id_)
        shown = self._folded(kind, id_, present, known)
        before = None if present is None else bare(present.resource)
        if before is not None:
            self._require_same_person(before, shown)
        is_changed = before is None or not is_same(before, shown)
        version = last + 1 if is_changed else last
        self._keep(known, shown, version, speaker)
        if not is_changed:
            return None
        self._draft.put(shown, version)
        return shown

    def _folded(self, kind: str, id_: str, present: Present | None, known: _Statements) -> Resource:
        if any(not said.withdrawn for said in known.said):
            return fold(kind, id_, self._ordered(known), self._rules)
        if present is not None:
            return retired(bare(present.resource), self._rules)
        live = [replace(said, withdrawn=False) for said in self._ordered(known)]
        return retired(fold(kind, id_, live, self._rules), self._rules)

    def _ordered(self, known: _Statements) -> list[SourceStatement]:
        """Descriptions before mentions, the first speaker first."""
        pairs = sorted(
            zip(known.rows, known.said, strict=True),
            key=lambda pair: (pair[0].level, pair[0].since, pair[0].source),
        )
        return [said for _, said in pairs]

    def _keep(self, known: _Statements, shown: Resource, version: int, speaker: str) -> None:
        """The rows as they will be; a statement that is all of the resource needs no body."""
        is_only = len(known.said) == 1 and not known.said[0].withdrawn
        for row, said in zip(known.rows, known.said, strict=True):
            is_whole = is_only and said.slots == slots_of(shown, self._rules)
            kept = replace(
                row,
                at=said.at,
                version=version if row.source in {speaker, REST} or is_whole else row.version,
                times=said.written_times(),
                body=None if is_whole else render_json(said.slots),
            )
            if kept != row or row.body is None:
                self._draft.put_row(kept)

    def _require_same_person(self, before: Resource, after: Resource) -> None:
        for name in SUBJECTS:
            old, new = persons_of(before, name), persons_of(after, name)
            if (
                old
                and new
                and old != new
                and set(map(self._living, old)).isdisjoint(map(self._living, new))
            ):
                details = {"type": after["resourceType"], "id": after["id"]}
                raise BridgeError("FB-6313", f"{after['resourceType']}.{name}", **details)


def _row(key: int, saying: Saying, version: int = 0, times: bytes | None = None) -> StatementRow:
    return StatementRow(
        key, saying.source, saying.level, saying.since, saying.at, version,
        saying.container, saying.person, times=times,
    )  # fmt: skip


def _source(resource: Resource) -> str:
    """Who said a resource of which no statement is kept: its feed's owner, else a client."""
    text = str(resource.get("meta", {}).get("source", ""))
    return text.removeprefix(f"{FEED_SYSTEM}/") if text.startswith(f"{FEED_SYSTEM}/") else REST


def _element(slot: str) -> str:
    """The element of a slot, as mentions name it."""
    return slot.partition("{")[0].partition("/")[0].removesuffix("&").removesuffix("[x]")
