"""Message structures: which segments belong together in a group.

HL7 v2.5.1 section 2.5.2 (segment groups) and the abstract message syntax of the
chapters; the facts are data in ``structures.toml``;
https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144

Grouping is tolerant: order in real messages is often not the standard's.  Every
segment finds a place: where the structure expects it next, else in a new repetition of
a group that begins with it (or already holds one), else in the nearest open group that
knows it, else in the innermost open group (Z segments).  Nothing is lost or moved
across a repetition.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

__all__ = ["Instance", "Part", "events", "find_structure", "group", "is_segment_name", "movable"]

_TOKEN = re.compile(r"([A-Z][A-Z0-9_]*)([?*+]?)(\()?|\)")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A segment or a group of a structure; `parts` is empty for a segment."""

    name: str
    optional: bool
    repeats: bool
    parts: tuple[Part, ...] = ()
    contents: frozenset[str] = field(default_factory=frozenset)
    first: frozenset[str] = field(default_factory=frozenset)
    unique: frozenset[str] = field(default_factory=frozenset)  # segments with a single place
    groups: frozenset[str] = field(default_factory=frozenset)  # names of groups at any depth

    @property
    def is_group(self) -> bool:
        """Whether it holds other parts."""
        return bool(self.parts)


@dataclass(slots=True, eq=False)
class Instance:
    """One occurrence of a group: `items` are segment numbers and inner instances, in order."""

    part: Part
    parent: Instance | None = None
    position: int = 0
    items: list[int | Instance] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


@cache
def _data() -> tuple[Mapping[str, str], Mapping[str, Mapping[str, str]]]:
    text = files(__package__).joinpath("structures.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    by_event = {
        code: {event: name for name, events in structures.items() for event in events}
        for code, structures in table["events"].items()
    }
    return table["structures"], by_event


def events() -> Mapping[str, Mapping[str, str]]:
    """Message code (MSH-9.1) to event (MSH-9.2) to structure name: what is known."""
    return _data()[1]


@cache
def _segment_names() -> frozenset[str]:
    tokens = (token for text in _data()[0].values() for token in _TOKEN.finditer(text))
    named = {token[1] for token in tokens if token[1] and not token[3]}
    return frozenset(named | {"MSH", "FHS", "BHS", "BTS", "FTS", "DSC", "ADD"})


def is_segment_name(name: str) -> bool:
    """Whether `name` is a segment of a known structure, or may be one of a sender's own (``ZPI``)."""
    if name[:1] == "Z":
        return len(name) == 3 and name.isalnum() and name.isascii() and name.isupper()
    return name in _segment_names()


@cache
def find_structure(code: str, event: str, structure: str) -> Part | None:
    """The structure of MSH-9 (code, event, structure); None if nothing fits.

    MSH-9.3 counts when it names a structure that is known, else the event decides,
    else the first structure of the message code.
    """
    structures, by_event = _data()
    of_code = by_event.get(code, {})
    name = of_code.get(event) or (structure if structure in structures else "")
    name = name or next(iter(of_code.values()), "")
    return _parse_structure(name, structures[name]) if name else None


@cache
def movable() -> frozenset[str]:
    """The segments that some structure has in more than one place."""
    roots = [_parse_structure(name, text) for name, text in _data()[0].items()]
    return frozenset(name for root in roots for name in root.contents - root.unique)


def group(root: Part, names: Iterable[str]) -> Instance:
    """Place segments (by name, in order of the message) into the groups of `root`."""
    top = Instance(root)
    current = top
    for number, name in enumerate(names):
        current = _place(current, number, name)
    _close(top)
    return top


def _close(instance: Instance) -> None:
    """The way up was needed while segments came; now nothing refers to what holds it."""
    for item in instance.items:
        if isinstance(item, Instance):
            item.parent = None
            _close(item)


def _place(current: Instance, number: int, name: str) -> Instance:
    instance: Instance | None = current
    inner: Instance | None = None
    while instance is not None:  # expected next, here or in an enclosing group
        position = _next_position(instance, name)
        if position is not None and inner is not None and _is_late(inner, instance, position, name):
            _put_out_of_order(inner, number, name)
            return current
        if position is not None:
            found = instance.part.parts[position]
            led = _led_by(instance, name) if found.is_group and found.optional else None
            if led is not None:
                return _repeat(led, number, name)
            return _enter(instance, position, number, name)
        part = instance.part
        if part.repeats and (
            name in part.first or (name in part.contents and _holds(instance, name))
        ):
            return _repeat(instance, number, name)
        inner, instance = instance, instance.parent
    instance = current
    while instance is not None and name not in instance.part.contents:
        instance = instance.parent
    if instance is None:  # nobody knows it: keep it where it stands
        current.items.append(number)
        current.names.add(name)
        return current
    _put_out_of_order(instance, number, name)
    return current


def _is_late(inner: Instance, outer: Instance, position: int, name: str) -> bool:
    """Whether `name` would open `inner` again, though it neither begins it nor stands in it.

    TQ1 after OBR belongs to the order that is open (HL7 v2.5.1 section 4.4.4 puts it before).
    """
    part = inner.part
    return (
        outer.part.parts[position] is part
        and name not in part.first
        and not _holds(inner, name)
        and not any(name in later.contents for later in outer.part.parts[position + 1 :])
    )


def _led_by(instance: Instance | None, name: str) -> Instance | None:
    """The nearest open group that repeats and must begin with `name` (ORDER with ORC)."""
    while instance is not None and instance.parent is not None:
        leading = instance.part.parts[0]
        if instance.part.repeats and leading.name == name and not leading.optional:
            return instance
        instance = instance.parent
    return None


def _repeat(instance: Instance, number: int, name: str) -> Instance:
    """Open the next repetition of `instance` for segment `number`."""
    parent = instance.parent
    if parent is None:
        raise AssertionError("a message does not repeat")
    return _enter(parent, parent.part.parts.index(instance.part), number, name)


def _next_position(instance: Instance, name: str) -> int | None:
    """Where at or after the present position `name` fits."""
    parts = instance.part.parts
    for position in range(instance.position, len(parts)):
        part = parts[position]
        fits = name in part.contents
        if fits and (
            position > instance.position or part.repeats or part.name not in instance.names
        ):
            return position
    return None


def _enter(instance: Instance, position: int, number: int, name: str) -> Instance:
    """Put segment `number` at `position` of `instance`, opening the groups on the way."""
    while True:
        instance.position = position
        part = instance.part.parts[position]
        instance.names.add(part.name)
        if not part.is_group:
            instance.items.append(number)
            return instance
        inner = Instance(part, instance)
        instance.items.append(inner)
        found = _next_position(inner, name)
        if found is None:  # contents promise it; kept for totality
            inner.items.append(number)
            return inner
        instance, position = inner, found


def _holds(instance: Instance, name: str) -> bool:
    """Whether the single place for `name` in this occurrence is taken."""
    if name in instance.names:
        return True
    return any(isinstance(item, Instance) and _holds(item, name) for item in instance.items)


def _put_out_of_order(instance: Instance, number: int, name: str) -> None:
    """Add a late segment to the group that knows it, without moving on in the structure."""
    direct = any(part.name == name and not part.is_group for part in instance.part.parts)
    if not direct:
        for item in reversed(instance.items):
            if isinstance(item, Instance) and name in item.part.contents:
                _put_out_of_order(item, number, name)
                return
        part = next((part for part in instance.part.parts if name in part.contents), None)
        if part is not None:
            inner = Instance(part, instance)
            instance.items.append(inner)
            instance.names.add(part.name)
            _put_out_of_order(inner, number, name)
            return
    instance.items.append(number)
    instance.names.add(name)


@cache
def _parse_structure(name: str, text: str) -> Part:
    tokens = list(_TOKEN.finditer(text))
    parts, end = _parse_parts(tokens, 0)
    if end != len(tokens):
        raise ValueError(f"structure {name} has a stray parenthesis")
    return _part(name, "", parts)


def _parse_parts(tokens: list[re.Match[str]], index: int) -> tuple[tuple[Part, ...], int]:
    parts: list[Part] = []
    while index < len(tokens) and tokens[index][0] != ")":
        token = tokens[index]
        index += 1
        inner: tuple[Part, ...] = ()
        if token[3]:
            inner, index = _parse_parts(tokens, index)
            index += 1  # the closing parenthesis
        parts.append(_part(token[1], token[2], inner))
    return tuple(parts), index


def _part(name: str, mark: str, parts: tuple[Part, ...]) -> Part:
    if not parts:
        only = frozenset({name})
        return Part(name, mark in {"?", "*"}, mark in {"*", "+"}, (), only, only, only)
    contents = frozenset[str]().union(*(part.contents for part in parts))
    first: set[str] = set()
    for part in parts:
        first |= part.first
        if not part.optional:
            break
    places = [segment for part in parts for segment in part.contents]
    unique = frozenset(segment for segment in contents if places.count(segment) == 1)
    groups = frozenset[str]().union(*(part.groups | {part.name} for part in parts if part.is_group))
    optional, repeats = mark in {"?", "*"}, mark in {"*", "+"}
    return Part(name, optional, repeats, parts, contents, frozenset(first), unique, groups)
