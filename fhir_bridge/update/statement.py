"""What one source said of a resource, and when: the values of its slots with their times.

Statements are ordered by event time, then by receipt (`stamp`): `merge` lets a newer statement replace
an older one slot by slot, so that the order of arrival does not matter.  A null is kept with
its time, so that an older value that arrives late does not come back.  A *usual* value
(supposed by a map because the message does not say) never replaces a stated one, but may stand
in the place of one that is taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from fhir_bridge.fhir import Resource, read_back, render_json

from .marked import is_null, unmarked, unmarked_properties
from .rules import UpdateRules, required_elements
from .slots import Slots, slots_of

__all__ = [
    "REST",
    "SourceStatement",
    "merge",
    "read_statement",
    "stated_at",
    "statement_of",
    "stored_time",
]

REST = "rest"
"""The source of what clients of the REST interface write."""


@dataclass(frozen=True, slots=True)
class SourceStatement:
    """What `source` said; times are stamps (`stamp`).

    `at` is the newest event time; `times` holds the slots whose time is another.  `nulls`
    are slots that the source took back, `usual` those it did not really state; one in both has
    the time of the null.  `hidden` (of
    REST clients only): slots of other sources that were removed, and up to what time.
    """

    source: str
    at: int
    slots: Slots
    level: int = 0
    since: int = 0
    withdrawn: bool = False
    times: dict[str, int] = field(default_factory=dict)
    nulls: frozenset[str] = frozenset()
    usual: frozenset[str] = frozenset()
    hidden: dict[str, int] = field(default_factory=dict)

    def time(self, slot: str) -> int:
        """When the slot was stated or taken back."""
        return self.times.get(slot, self.at)

    @property
    def is_plain(self) -> bool:
        """Whether the values and one time say all there is."""
        return not (self.times or self.nulls or self.usual or self.hidden)

    def written_times(self) -> bytes | None:
        """What is beside the values, as JSON; None when there is nothing."""
        if self.is_plain:
            return None
        said: dict[str, Any] = {
            "times": self.times,
            "nulls": sorted(self.nulls),
            "usual": sorted(self.usual),
            "hidden": self.hidden,
        }
        return render_json({name: value for name, value in said.items() if value})


def statement_of(  # noqa: PLR0917 - who, when, what
    source: str, at: int, resource: Resource, rules: UpdateRules, level: int = 0, since: int = 0,
    *, has_marks: bool = True,
) -> SourceStatement:  # fmt: skip
    """The statement that a mapped `resource` makes, its marks read and taken off.

    `has_marks` is False where it is known that there are none.
    """
    if not has_marks:
        return SourceStatement(source, at, slots_of(resource, rules), level, since)
    slots: Slots = {}
    nulls, usual = set[str](), set[str]()
    for slot, value in slots_of(resource, rules).items():
        plain = unmarked(value) if type(value) is list else unmarked_properties(value)
        if plain.value:
            slots[slot] = plain.value
            if plain.is_usual:
                usual.add(slot)
            if plain.is_instead:
                nulls.add(slot)
        elif slot.removesuffix("/start") not in required_elements(str(resource["resourceType"])):
            nulls.add(slot)  # what R4 requires cannot be taken back: it is as empty
    return SourceStatement(
        source, at, slots, level, since, nulls=frozenset(nulls), usual=frozenset(usual)
    )


def read_statement(  # noqa: PLR0917 - the columns of a row
    source: str, at: int, slots: Slots, times: bytes | None, level: int = 0, since: int = 0,
    *, withdrawn: bool = False,
) -> SourceStatement:  # fmt: skip
    """A statement as it was kept (`written_times`)."""
    if times is None:
        return SourceStatement(source, at, slots, level, since, withdrawn)
    said = read_back(times)
    return SourceStatement(
        source, at, slots, level, since, withdrawn,
        said.get("times", {}), frozenset(said.get("nulls", ())), frozenset(said.get("usual", ())),
        said.get("hidden", {}),
    )  # fmt: skip


def stated_at(times: bytes | None, slots: Iterable[str], at: int) -> bytes:
    """What is beside a kept statement (`written_times`) with `slots` stated at `at`."""
    said = read_back(times) if times else {}
    return render_json(said | {"times": said.get("times", {}) | dict.fromkeys(slots, at)})


def stored_time(times: bytes | None, at: int, slot: str) -> int:
    """When a slot of a kept statement, which is of the time `at`, was stated."""
    return int(read_back(times).get("times", {}).get(slot, at)) if times else at


def merge(known: SourceStatement, new: SourceStatement) -> SourceStatement:
    """`known` after the same source said `new` as well (received later)."""
    if known.withdrawn and new.at >= known.at:
        return replace(new, since=known.since)
    slots = dict(known.slots)
    nulls, usual = set(known.nulls), set(known.usual)
    times = {slot: known.time(slot) for slot in (*known.slots, *known.nulls)}
    for slot in _taken_back(known, new):
        if new.time(slot) >= times.get(slot, new.time(slot)):
            slots.pop(slot, None)
            usual.discard(slot)
            nulls.add(slot)
            times[slot] = new.time(slot)
    for slot, value in new.slots.items():
        if slot in new.usual and slot in nulls:
            # What was taken back is gone since then, and what is supposed takes its place.
            if new.time(slot) >= times[slot] and not (slot in slots and _is_unknown(value)):
                slots[slot] = value
                usual.add(slot)
        elif _replaces(known, new, slot):
            slots[slot] = value
            nulls.discard(slot)
            times[slot] = new.time(slot)
            (usual.add if slot in new.usual else usual.discard)(slot)
    if nulls:  # what is taken back and said again at once keeps its place in a list
        slots = {slot: slots[slot] for slot in (known.slots | slots) if slot in slots}
    at = max(known.at, new.at)
    return replace(
        known,
        at=at,
        slots=slots,
        level=min(known.level, new.level),
        withdrawn=False,
        times={slot: time for slot, time in times.items() if time != at},
        nulls=frozenset(nulls),
        usual=frozenset(usual),
        hidden={**known.hidden, **new.hidden},
    )


def _taken_back(known: SourceStatement, new: SourceStatement) -> Iterator[str]:
    """The slots of `new.nulls`; an item without what tells it apart means all of its list."""
    for slot in new.nulls:
        name, brace, identity = slot.partition("{")
        if brace and is_null(identity):
            yield from (each for each in known.slots if each.startswith(f"{name}{{"))
        else:
            yield slot


def _replaces(known: SourceStatement, new: SourceStatement, slot: str) -> bool:
    """Whether what `new` says in `slot` stands in the place of what is known."""
    if slot not in known.slots and slot not in known.nulls:
        return True
    known_is_usual, new_is_usual = slot in known.usual, slot in new.usual
    if known_is_usual is not new_is_usual and slot not in known.nulls:
        return known_is_usual
    if new_is_usual and slot in known.slots:
        was_unknown, is_unknown = _is_unknown(known.slots[slot]), _is_unknown(new.slots[slot])
        if was_unknown is not is_unknown:
            return was_unknown
    return new.time(slot) >= known.time(slot)


def _is_unknown(value: Any) -> bool:
    """Whether a supposed status says that nothing is known: it replaces no other supposition."""
    return isinstance(value, dict) and value.get("status") == "unknown"


def differences(old: Slots, new: Slots) -> Iterator[str]:
    """The slots in which two takings apart differ."""
    for slot in dict.fromkeys((*old, *new)):
        if old.get(slot) != new.get(slot):
            yield slot
