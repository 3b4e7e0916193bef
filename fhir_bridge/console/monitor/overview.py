"""What the first page tells: how the feeds do, what went wrong last, what the record holds.

`overview` asks the store's doors for counts; nothing here reads a message's content.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fhir_bridge.console.reader import Reader
from fhir_bridge.console.text.display import first, list_of, minute, person_name
from fhir_bridge.console.text.issue_text import in_language
from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource, parse_reference
from fhir_bridge.ingest import Feed
from fhir_bridge.journal import FeedCounts, Quarantined

__all__ = ["EntryView", "FeedView", "Load", "doctor_loads", "entry_view", "feed_views"]

_DOCTOR_ROLES = {"gp"}


@dataclass(frozen=True, slots=True)
class FeedView:
    """One feed's line."""

    name: str
    title: str
    source: str
    received: int
    processed: int
    waiting: int
    quarantined: int
    unread: int
    last: str


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry of the quarantine: the issue that leads, and how to find it again."""

    id: int
    feed: str
    received: str
    source: str
    code: str
    sentence: str
    where: str
    hint: str
    count: int
    last_seen: str


@dataclass(frozen=True, slots=True)
class Load:
    """A family doctor with more signed residents than the rule allows."""

    practitioner: str
    name: str
    persons: int
    limit: int

    @property
    def percent(self) -> int:
        """How far over the limit, in percent of it."""
        return round((self.persons - self.limit) * 100 / self.limit)

    @property
    def share(self) -> int:
        """The allowed part of the load, in percent of the load."""
        return round(self.limit * 100 / self.persons)


def feed_views(
    feeds: Mapping[str, Feed],
    counts: Iterable[FeedCounts],
    quarantined: Mapping[str, Mapping[str, int]],
    language: str,
    unread: Mapping[str, int],
) -> list[FeedView]:
    """The feeds in the order of their kinds of source; feeds that only the journal knows at the end."""
    order = {"hospital": 0, "public-health": 1, "contract": 2}
    views = []
    by_name = {each.feed: each for each in counts}
    for name in feeds.keys() | by_name.keys() | quarantined.keys():
        feed, count = feeds.get(name), by_name.get(name)
        if count is None and feed is not None and feed.listener.kind == "none":
            continue  # only a way of reading for commands
        title = feed.title if feed else {}
        views.append(
            FeedView(
                name=name,
                title=title.get(language[:2]) or title.get("en") or "",
                source=feed.source if feed else "",
                received=count.received if count else 0,
                processed=count.done + count.ignored if count else 0,
                waiting=count.pending if count else 0,
                quarantined=sum(quarantined.get(name, {}).values()),
                unread=unread.get(name, 0),
                last=minute(count.last_received) if count else "",
            )
        )
    return sorted(views, key=lambda view: (order.get(view.source, 3), view.name))


def entry_view(entry: Quarantined, language: str) -> EntryView:
    """The line of a quarantined message: its gravest issue first."""
    issue = in_language(leading(entry.issues), language)
    return EntryView(
        id=entry.item_id,
        feed=entry.feed,
        received=minute(entry.received),
        source=entry.source,
        code=issue.code,
        sentence=issue.sentence,
        where=issue.where,
        hint=issue.hint,
        count=entry.count,
        last_seen=minute(entry.last_seen),
    )


def leading(issues: Sequence[Issue]) -> Issue:
    """The first of the gravest issues."""
    grave = ("fatal", "error", "warning", "information")
    ranked = sorted(issues, key=lambda issue: grave.index(issue.severity))
    return ranked[0] if ranked else Issue("FB-9001")


def doctor_loads(reader: Reader, limit: int) -> list[Load]:
    """Family doctors with more than `limit` residents under agreements in force, most first.

    Doctors are found in the rosters (CareTeam); residents are counted by the agreements that
    the doctor signed.
    """
    doctors: dict[str, str] = {}
    for team in reader.find("CareTeam", ("status", "active"), most=200):
        for participant in list_of(team, "participant"):
            reference = _practitioner(participant)
            if reference and _codes(participant) & _DOCTOR_ROLES:
                doctors[reference] = ""
    loads = []
    for reference in doctors:
        persons = reader.count("Contract", ("signer", reference), ("status", "executed"))
        if persons > limit:
            target = reader.target({"reference": reference})
            name = person_name(target) if target else reference
            loads.append(Load(reference, name or reference, persons, limit))
    return sorted(loads, key=lambda load: -load.persons)


def _practitioner(participant: Resource) -> str:
    parsed = parse_reference(str(first(participant, "member", "reference") or ""))
    if parsed is None or parsed.resource_type != "Practitioner":
        return ""
    return f"Practitioner/{parsed.id}"


def _codes(participant: Resource) -> set[str]:
    return {
        str(coding.get("code"))
        for role in list_of(participant, "role")
        for coding in list_of(role, "coding")
    }
