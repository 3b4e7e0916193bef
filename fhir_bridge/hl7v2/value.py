"""A value of a message: the text between two separators, cut further when asked.

HL7 v2.5.1 section 2.5.3: fields, repetitions, components, subcomponents, and the null
``""`` (2.5.3.4), whose text is the mark `NULL` of :mod:`fhir_bridge.fhir.marks`; https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144
See :mod:`.message` for how nodes answer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Self

from fhir_bridge.fhir.marks import NULL

from .escape import unescape
from .line import Line

__all__ = ["SENT_NULL", "Value", "field_value"]

SENT_NULL = '""'

_COMPONENTS = {f"c{number}": number for number in range(1, 200)}
_SUBCOMPONENTS = {f"s{number}": number for number in range(1, 200)}


class Raw(str):
    """The whole text of a value."""

    __slots__ = ("carried",)
    carried: bool  # whether it was put somewhere

    def __new__(cls, text: str) -> Self:
        """`text`, of which nothing was made yet."""
        raw = super().__new__(cls, text)
        raw.carried = False
        return raw


class Value(str):
    """A field repetition, component or subcomponent.

    The string itself is the unescaped text of its first component and subcomponent; it is
    `NULL` where the sender takes back what is known (``""``).
    """

    __slots__ = ("carried", "line", "place", "read_parts", "text", "type_name")

    type_name: str | None  # the data type when the message itself says so: OBX-5 by OBX-2
    read_parts: dict[str, Any] | None  # the parts that were asked for, with the answers
    carried: bool  # whether its text was put somewhere
    text: str  # as sent, between two separators; NULL for a null
    line: Line
    place: tuple[int, int, int, int]  # field, repetition, component, subcomponent; 0 = whole

    @property
    def raw(self) -> str:
        """The whole text between the separators, unescaped but not split (``10^9/L``)."""
        encoding = self.line.encoding
        return unescape(self.text, encoding.separators, encoding.charset)

    @property
    def where(self) -> str:
        """The place in the sender's terms."""
        field, repetition, component, subcomponent = self.place
        text = f"{self.line.where}-{field}"
        if repetition > 1:
            text += f"[{repetition}]"
        if component:
            text += f".{component}"
        if subcomponent:
            text += f".{subcomponent}"
        return text

    def get(self, name: str, default: Any = None) -> Any:
        """Component ``c1``…, subcomponent ``s1``… or ``raw``; `default` if it is not there."""
        parts = self.read_parts
        if parts is None:
            parts = self.read_parts = {}
        elif name in parts:
            found = parts[name]
            return default if found is None else found
        found = self._answer(name)
        if found is not self:  # which would keep itself
            parts[name] = found
        return default if found is None else found

    def _answer(self, name: str) -> Any:
        number = _COMPONENTS.get(name)
        if number is not None:
            if self.place[2]:  # a component asked for components: it is its own first
                return self if number == 1 else None
            return self._part(number, self.line.encoding.separators.component)
        number = _SUBCOMPONENTS.get(name)
        if number is not None:
            if self.place[3]:
                return self if number == 1 else None
            if not self.place[2]:
                first = self.get("c1")
                return None if first is None else first.get(name)
            return self._part(number, self.line.encoding.separators.subcomponent)
        return Raw(self.raw) if name == "raw" else None

    def _part(self, number: int, separator: str) -> Value | None:
        text = self.text
        if separator and separator in text:
            parts = text.split(separator, number)
            if len(parts) < number:
                return None
            text = parts[number - 1]
        elif number > 1:
            return None
        field, repetition, component, _ = self.place
        place = (
            (field, repetition, component, number) if component else (field, repetition, number, 0)
        )
        return _make_value(text, self.line, place)

    def keys(self) -> list[str]:
        """The components (or subcomponents) that hold something, by name."""
        if self.place[3]:
            return []
        letter = "s" if self.place[2] else "c"
        separators = self.line.encoding.separators
        separator = separators.subcomponent if letter == "s" else separators.component
        count = self.text.count(separator) + 1 if separator else 1
        names = (f"{letter}{number}" for number in range(1, count + 1))
        return [name for name in names if self.get(name) is not None]


def field_value(line: Line, number: int) -> Value | list[Value] | None:
    """Field `number` (from 1) of a segment: a list when it repeats, None when it is empty."""
    fields = line.fields
    if number >= len(fields):
        return None
    text = fields[number]
    if not text:
        return None
    if number < 3 and line.is_header:  # characters that part others and are never parted
        return _value(text, text, line, (number, 1, 1, 1))
    separator = line.encoding.separators.repetition
    if separator and separator in text:
        return _repetitions(line, number, text.split(separator))
    value = _make_value(text, line, (number, 1, 0, 0))
    if number == 5 and value is not None:
        value.type_name = _declared_type(line)
    return value


def _repetitions(line: Line, number: int, texts: list[str]) -> Value | list[Value] | None:
    """The repetitions that hold something; one alone is no list."""
    values = list[Value]()
    for repetition, text in enumerate(texts, 1):
        value = _make_value(text, line, (number, repetition, 0, 0))
        if value is not None:
            if number == 5:
                value.type_name = _declared_type(line)
            values.append(value)
    return values if len(values) > 1 else values[0] if values else None


def _declared_type(line: Line) -> str | None:
    """OBX-2, the data type of OBX-5."""
    declared = field_value(line, 2) if line.name == "OBX" else None
    return str(declared) if isinstance(declared, Value) else None


def _make_value(text: str, line: Line, place: tuple[int, int, int, int]) -> Value | None:
    """A value over `text`; None when it is empty or separators only, or null where that is as empty."""
    if not text:
        return None
    encoding = line.encoding
    separators = encoding.separators
    first = text
    if not place[2] and separators.component in first:
        first = first[: first.index(separators.component)]
    if not place[3] and separators.subcomponent and separators.subcomponent in first:
        first = first[: first.index(separators.subcomponent)]
    if first is text:
        if text == SENT_NULL:
            if _is_kept(line.name, place[0]):
                return None
            text = first = NULL
    elif not first and not text.strip(separators.component + separators.subcomponent):
        return None
    if separators.escape and separators.escape in first:
        first = unescape(first, separators, encoding.charset)
    elif first == SENT_NULL:
        first = "" if _is_kept(line.name, place[0]) else NULL
    return _value(first, text, line, place)


def _value(first: str, text: str, line: Line, place: tuple[int, int, int, int]) -> Value:
    value = Value(first)
    value.type_name = value.read_parts = None
    value.carried = False
    value.text = text
    value.line = line
    value.place = place
    return value


@cache
def _kept() -> Mapping[str, frozenset[int]]:
    """The fields of each segment that no null takes back (``kept.toml``)."""
    text = files(__package__).joinpath("kept.toml").read_text(encoding="utf-8")
    return {
        segment: frozenset(range(400) if numbers == "all" else numbers)
        for segment, numbers in tomllib.loads(text).items()
    }


def _is_kept(segment: str, field: int) -> bool:
    """Whether a null in the field is as empty."""
    return field in _kept().get(segment, ())
