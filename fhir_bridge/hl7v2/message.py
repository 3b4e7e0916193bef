"""A message as nodes: message, segment group, segment, value.

HL7 v2.5.1 chapter 2, sections 2.5 (message construction) and 2.5.3 (fields,
components, subcomponents, repetitions); ``""`` is the null of section 2.5.3.4;
https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144

Every node answers ``get(name)`` with None, one item or a list of items, and ``keys()``.
Names: a segment or group name on a message (``PID``, ``ORDER_OBSERVATION``), ``f3`` on
a segment, ``c4`` and ``s1`` on a value, and ``raw`` for the whole text between two
separators.  Nothing is split before it is asked for.  Absent and empty answer None, the
null ``""`` (the sender takes back what is known) a value whose text is the mark `NULL` of
:mod:`fhir_bridge.fhir.marks`; where nothing can be taken back (headers, set ids, what a
segment is about: ``kept.toml``) it is as empty.
``where`` names a node as the sender would: ``PID-3[2].4``, ``OBX[4]-5``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, KeysView
from typing import Any
from weakref import ReferenceType, ref

from fhir_bridge.errors import Issue

from .line import Encoding, Line
from .separators import Separators
from .structure import Instance, Part, find_structure, group
from .value import SENT_NULL, field_value

__all__ = ["Group", "Message", "Segment"]

_UNREAD = object()
_FIELDS = {f"f{number}": number for number in range(1, 400)}


class Segment:
    """One segment; fields are split at the first question."""

    __slots__ = ("_message", "_values", "line")

    def __init__(self, message: ReferenceType[Message], line: Line) -> None:
        self._message = message  # weak: what is read of a message must not keep it
        self.line = line
        self._values: dict[str, Any] = {}  # what was asked for, since maps ask again

    @property
    def message(self) -> Message:
        """The message that holds it; ReferenceError once nobody has that any more."""
        message = self._message()
        if message is None:
            raise ReferenceError("the message of this segment was let go")
        return message

    @property
    def name(self) -> str:
        """Its name, such as ``PID``."""
        return self.line.name

    type_name = name

    @property
    def number(self) -> int:
        """Its place among all segments, from 0."""
        return self.line.number

    @property
    def text(self) -> str:
        """All of it as sent."""
        return self.line.text

    @property
    def where(self) -> str:
        """``PID``, or ``OBX[4]`` when the message holds more than one."""
        return self.line.where

    @property
    def fields(self) -> list[str]:
        """The raw fields; number 0 is the name, so that field 3 is ``fields[3]``."""
        return self.line.fields

    @property
    def asked(self) -> dict[str, Any]:
        """The fields that were asked for, with the answers."""
        return self._values

    def get(self, name: str, default: Any = None) -> Any:
        """Field ``f1``…: one value, a list when it repeats, `default` when it is empty."""
        value = self._values.get(name, _UNREAD)
        if value is _UNREAD:
            number = _FIELDS.get(name)
            value = None if number is None else field_value(self.line, number)
            self._values[name] = value
        return default if value is None else value

    def keys(self) -> list[str]:
        """The fields that hold something, by name."""
        numbers = range(1, min(len(self.fields), len(_FIELDS)))
        return [f"f{number}" for number in numbers if self.get(f"f{number}") is not None]


class Group:
    """One occurrence of a segment group, such as ORDER_OBSERVATION."""

    __slots__ = ("instance", "message")

    def __init__(self, message: Message, instance: Instance) -> None:
        self.message = message
        self.instance = instance

    @property
    def type_name(self) -> str:
        """The group's name."""
        return self.instance.part.name

    @property
    def where(self) -> str:
        """Where its first segment stands."""
        item: int | Instance = self.instance
        while isinstance(item, Instance):
            item = item.items[0]
        return self.message.segments[item].where

    def get(self, name: str, default: Any = None) -> Any:
        """Segments or groups called `name` in this group: None, one, or a list in order."""
        return _one_or_list(_find(self.message, self.instance, name), default)

    @property
    def asked(self) -> dict[str, Any]:
        """What it holds, by name."""
        return {name: self.get(name) for name in self.keys()}

    def keys(self) -> list[str]:
        """The names of what this group holds directly, in order."""
        return _names(self.message, self.instance)


class Message:
    """A message: decoded text, its separators, and segments as they came."""

    __slots__ = (
        "__weakref__",
        "_alike",
        "_by_name",
        "_counts",
        "_firsts",
        "_grouped",
        "_structure",
        "encoding",
        "issues",
        "segments",
    )

    def __init__(
        self,
        lines: list[tuple[str, str]],
        separators: Separators,
        charset: str,
        issues: list[Issue],
    ) -> None:
        self.encoding = encoding = Encoding(separators, charset, tuple(name for name, _ in lines))
        self.issues = issues
        own = ref(self)
        self.segments = [
            Segment(own, Line(encoding, number, text)) for number, (_, text) in enumerate(lines)
        ]
        self._by_name: dict[str, list[Segment]] | None = None
        self._grouped: Instance | None = None
        self._structure: Part | None = None
        self._alike: dict[tuple[str, str, tuple[int, ...]], dict[int, int]] = {}
        self._counts: dict[tuple[str, tuple[int, ...]], Counter[tuple[str, ...]]] = {}
        self._firsts: dict[tuple[str, tuple[str, ...]], dict[tuple[str, ...], Segment]] = {}

    @property
    def separators(self) -> Separators:
        """The characters that part it."""
        return self.encoding.separators

    @property
    def charset(self) -> str:
        """The codec that its bytes were read with."""
        return self.encoding.charset

    @property
    def header(self) -> Segment:
        """The MSH segment."""
        return self.segments[0]

    @property
    def message_type(self) -> tuple[str, str, str]:
        """MSH-9: message code, trigger event, structure; empty where it is silent."""
        field = self.header.get("f9")
        if isinstance(field, list):
            field = field[0]
        if field is None:
            return "", "", ""
        code, event, structure = (str(field.get(name) or "") for name in ("c1", "c2", "c3"))
        return code, event, structure

    @property
    def control_id(self) -> str:
        """MSH-10 as sent; empty if there is none."""
        fields = self.header.fields
        return fields[10] if len(fields) > 10 and fields[10] != SENT_NULL else ""

    @property
    def structure(self) -> Part | None:
        """The structure that groups the segments, None for an unknown message code."""
        if self._structure is None:
            self._structure = find_structure(*self.message_type)
        return self._structure

    @property
    def type_name(self) -> str:
        """The structure's name, such as ``ADT_A01``; ``HL7V2`` when it is unknown."""
        structure = self.structure
        return "HL7V2" if structure is None else structure.name

    @property
    def where(self) -> str:
        """The message by its control id."""
        return f"message {self.control_id}"

    @property
    def asked(self) -> dict[str, list[Segment]]:
        """The segments by name."""
        return self._index()

    def segments_named(self, name: str) -> list[Segment]:
        """All segments with this name, in order."""
        return self._index().get(name, [])

    def get(self, name: str, default: Any = None) -> Any:
        """Segments or groups called `name`: None, one, or a list in order.

        A name that the structure has directly under the message answers what stands
        there; any other name answers every occurrence at any depth.
        """
        structure = self.structure
        by_name = self._by_name or self._index()
        if structure is None or name in structure.unique or name not in structure.contents:
            segments = by_name.get(name)
            if segments:
                return segments[0] if len(segments) == 1 else list(segments)
            if structure is None or name not in structure.groups:
                return default
        elif name not in by_name:
            return default
        return _one_or_list(_find(self, self._instance(), name), default)

    def place_among_alike(self, segment: Segment, leader: str, fields: tuple[int, ...]) -> int:
        """The how-manieth (from 1) of its name with the same first components of `fields`.

        Counting begins again at each segment called `leader` (or as one of its words).  The places of all segments of
        the name are found at once, so that a long message costs no more for each.
        """
        key = (segment.name, leader, fields)
        places = self._alike.get(key)
        if places is None:
            places = self._alike[key] = self._places(*key)
        return places[segment.number]

    def count_alike(self, segment: Segment, fields: tuple[int, ...]) -> int:
        """How many segments of its name have the same first components of `fields`, with itself."""
        key = (segment.name, fields)
        counts = self._counts.get(key)
        if counts is None:
            counts = self._counts[key] = Counter(
                self._own(each, fields) for each in self.segments_named(segment.name)
            )
        return counts[self._own(segment, fields)]

    def first_with(
        self, name: str, fields: tuple[str, ...], texts: tuple[str, ...]
    ) -> Segment | None:
        """The first segment called `name` whose `fields` (``f3``) begin with these components.

        All segments of the name are looked through once, whoever asks for how many.
        """
        key = (name, fields)
        firsts = self._firsts.get(key)
        if firsts is None:
            firsts = self._firsts[key] = {}
            for each in self.segments_named(name):
                firsts.setdefault(tuple(_begin(each.get(field)) for field in fields), each)
        return firsts.get(texts)

    def _own(self, segment: Segment, fields: tuple[int, ...]) -> tuple[str, ...]:
        """The first components of `fields`, or the whole field where the first is empty."""
        separator, texts = self.separators.component, segment.fields
        return tuple(
            texts[number].split(separator, 1)[0] or texts[number]
            for number in fields
            if number < len(texts)
        )

    def _places(self, name: str, leader: str, fields: tuple[int, ...]) -> dict[int, int]:
        counts: dict[tuple[str, ...], int] = {}
        places: dict[int, int] = {}
        leaders = leader.split()
        for segment in self.segments:
            if segment.name in leaders:
                counts = {}
            if segment.name == name:
                own = self._own(segment, fields)
                places[segment.number] = counts[own] = counts.get(own, 0) + 1
        return places

    def keys(self) -> KeysView[str] | list[str]:
        """The names of segments and groups directly under the message, in order."""
        return self._index().keys() if self.structure is None else _names(self, self._instance())

    def _index(self) -> dict[str, list[Segment]]:
        if self._by_name is None:
            by_name: dict[str, list[Segment]] = {}
            for segment in self.segments:
                by_name.setdefault(segment.name, []).append(segment)
            self._by_name = by_name
        return self._by_name

    def _instance(self) -> Instance:
        if self._grouped is None:
            structure = self.structure or Part("HL7V2", optional=False, repeats=False)
            self._grouped = group(structure, self.encoding.names)
        return self._grouped


def _find(message: Message, instance: Instance, name: str) -> list[Any]:
    """Items called `name`: the direct ones if the structure puts it here, else all inside."""
    direct = any(part.name == name for part in instance.part.parts)
    return list(_collect(message, instance, name, deep=not direct))


def _collect(message: Message, instance: Instance, name: str, *, deep: bool) -> Iterator[Any]:
    for item in instance.items:
        if isinstance(item, int):
            if message.encoding.names[item] == name:
                yield message.segments[item]
        elif item.part.name == name:
            yield Group(message, item)
        elif deep:
            yield from _collect(message, item, name, deep=True)


def _one_or_list(found: list[Any], default: Any) -> Any:
    if not found:
        return default
    return found[0] if len(found) == 1 else found


def _begin(value: Any) -> str:
    """The first component of a field's first value; empty where there is none."""
    first = value[0] if isinstance(value, list) else value
    return "" if first is None else str(first)


def _names(message: Message, instance: Instance) -> list[str]:
    names = (
        message.encoding.names[item] if isinstance(item, int) else item.part.name
        for item in instance.items
    )
    return list(dict.fromkeys(names))
