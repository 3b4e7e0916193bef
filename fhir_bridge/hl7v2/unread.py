"""What of a message nobody read, told after the message was read.

Segments and values keep what they were asked for (`read_parts`) and whether their text was put
somewhere (`carried`); what holds something and was not asked for is unread.  What was only
looked at, to decide something else, is told apart.

A place is named as the sender would (``PID-24``, ``PID-3.6``, ``OBX-5[2]``, ``ZPI``), without
the number of the segment.  A segment that structures have in several places is named with the
one before it (``NTE after PID``).  The parts of a field, repeat or component that was not read
at all are not told apart.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .line import Line
from .message import Message
from .segment import Segment
from .structure import movable
from .value import Value

__all__ = ["Place", "unread"]

Place = tuple[str, bool, str]
"""A place in the sender's terms, whether it was looked at, and its text as sent."""

_FIELDS = tuple(f"f{number}" for number in range(400))
_COMPONENTS = tuple(f"c{number}" for number in range(200))
_SUBCOMPONENTS = tuple(f"s{number}" for number in range(200))
_MAX_REPEATS = 10  # later ones are counted as the tenth
_NOTHING: dict[str, Any] = {}

_BY_THE_READER = {
    "MSH": frozenset({1, 2, 9, 10, 11, 12, 15, 16, 18}),
    "OBX": frozenset({2}),
}
"""Fields by which the reader, the journal and the acknowledgement go."""


def unread(message: Message) -> list[Place]:
    """Whatever of the message holds something and went nowhere."""
    places: list[Place] = []
    for segment in message.segments:
        if segment.read_parts:
            _fields(segment, places)
        elif _says_something(segment.text[len(segment.name) :], segment.line):
            places.append((_name_of(segment), False, segment.text))
    return places


def _fields(segment: Segment, places: list[Place]) -> None:
    parts, name = segment.read_parts, segment.name
    separators = segment.line.encoding.separators
    component = separators.component
    subcomponent = separators.subcomponent or component
    known = _BY_THE_READER.get(name, ())
    for number, text in enumerate(segment.fields):
        if not text or not number:
            continue
        field = _FIELDS[number] if number < len(_FIELDS) else ""  # beyond, no map asks
        value = parts.get(field)
        if type(value) is Value:
            if component in text or subcomponent in text:
                _divided(f"{name}-{number}", value, places)
            elif not value.carried and number not in known:
                looked = _looked(value)
                if looked is not None:
                    places.append((f"{name}-{number}", looked, text))
        elif value is not None:
            _repeats(f"{name}-{number}", value, places)
        elif number not in known and _says_something(text, segment.line):
            places.append((f"{name}-{number}", field in parts, text))


def _looked(value: Value) -> bool | None:
    """Whether an undivided value was only looked at; None when its text went somewhere."""
    parts = value.read_parts
    if not parts:
        return not value.type_name  # OBX-5 of a type that no rule took was not looked at
    if _as_a_whole(parts):
        return None
    for part in parts.values():
        if type(part) is Value and part is not value and (part.carried or _looked(part) is None):
            return None
    return True


def _repeats(place: str, values: list[Value], places: list[Place]) -> None:
    """Each repeat that went nowhere; one that was read in part is told by its components."""
    if not any(value.carried or value.read_parts for value in values):
        places.append((place, not values[0].type_name, values[0].text))
        return
    for number, value in enumerate(values, 1):
        if value.carried or value.read_parts:
            _divided(place, value, places)
        else:
            places.append((f"{place}[{min(number, _MAX_REPEATS)}]", False, value.text))


def _divided(place: str, value: Value, places: list[Place]) -> None:
    """The components of one repeat that went nowhere."""
    parts = value.read_parts or _NOTHING
    if _as_a_whole(parts) or (value.carried and "raw" in parts):
        return
    if not parts and not value.carried:
        places.append((place, not value.type_name, value.text))
        return
    texts = value.text.split(value.line.encoding.separators.component)
    if len(texts) == 1 and "c1" not in parts:
        _component(place, value, value.text, value, places)
        return
    for number, text in enumerate(texts, 1):
        if not text:
            continue
        name = _COMPONENTS[number] if number < len(_COMPONENTS) else ""
        part = parts.get(name)
        if part is not None or (number == 1 and value.carried):
            _component(f"{place}.{number}", part, text, value, places)
        elif _says_something(text, value.line):
            places.append((f"{place}.{number}", name in parts, text))


def _component(
    place: str, part: Value | None, text: str, whole: Value, places: list[Place]
) -> None:
    """The subcomponents that went nowhere; what a carried field was asked for went with it."""
    is_carried = whole.carried or (part is not None and part.carried)
    separator = whole.line.encoding.separators.subcomponent
    if not separator or separator not in text:
        if not is_carried and part is not None and _looked(part) is not None:
            places.append((place, True, text))
        return
    parts = (part.read_parts if part is not None else None) or _NOTHING
    if _as_a_whole(parts):
        return
    for number, one in enumerate(text.split(separator), 1):
        if not one or (number == 1 and is_carried):
            continue
        name = _SUBCOMPONENTS[number] if number < len(_SUBCOMPONENTS) else ""
        if name in parts:
            if not is_carried and not getattr(parts[name], "carried", False):
                places.append((f"{place}.{number}", True, one))
        elif one.strip():
            places.append((f"{place}.{number}", False, one))


def _as_a_whole(parts: dict[str, Any]) -> bool:
    """Whether the unsplit text went somewhere."""
    raw = parts.get("raw")
    return raw is not None and raw.carried


def _name_of(segment: Segment) -> str:
    """``ZPI``, ``NK1[2]`` after one that was read, ``NTE after PID`` where it may stand so."""
    segments, name = segment.message.segments, segment.name
    place = segment.number - 1
    while place >= 0 and segments[place].name == name:
        if segments[place].read_parts:
            return f"{name}[{min(segment.number - place + 1, _MAX_REPEATS)}]"
        place -= 1
    return f"{name} after {segments[place].name}" if place >= 0 and name in movable() else name


def _says_something(text: str, line: Line) -> bool:
    separators = line.encoding.separators
    return bool(
        text.strip(
            _blanks(
                separators.field,
                separators.component,
                separators.repetition,
                separators.subcomponent,
            )
        )
    )


@cache
def _blanks(*separators: str) -> str:
    return "".join(separators) + " \t\r\n\u3000"
