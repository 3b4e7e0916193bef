"""One segment of a message as a node: its fields, split at the first question.

HL7 v2.5.1 sections 2.5.2 (segments) and 2.5.3 (fields);
https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144
See :mod:`.message` for how nodes answer.
"""

from __future__ import annotations

from typing import Any, Protocol
from weakref import ReferenceType

from .line import Encoding, Line
from .value import field_value

__all__ = ["Segment", "Segments"]

_FIELDS = {f"f{number}": number for number in range(1, 400)}


class Segments(Protocol):
    """A message as its parts see it: how it is written, and its segments as they came."""

    @property
    def encoding(self) -> Encoding:
        """How it is written."""

    @property
    def segments(self) -> list[Segment]:
        """All of them, in order."""


class Segment:
    """One segment; fields are split at the first question."""

    __slots__ = ("_message", "_values", "line")

    def __init__(self, message: ReferenceType[Segments], line: Line) -> None:
        self._message = message  # weak: what is read of a message must not keep it
        self.line = line
        self._values: dict[str, Any] = {}  # what was asked for, since maps ask again

    @property
    def message(self) -> Segments:
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
    def read_parts(self) -> dict[str, Any]:
        """The fields that were asked for, with the answers."""
        return self._values

    def get(self, name: str, default: Any = None) -> Any:
        """Field ``f1``…: one value, a list when it repeats, `default` when it is empty."""
        values = self._values
        if name in values:
            value = values[name]
        else:
            number = _FIELDS.get(name)
            value = None if number is None else field_value(self.line, number)
            values[name] = value
        return default if value is None else value

    def keys(self) -> list[str]:
        """The fields that hold something, by name."""
        numbers = range(1, min(len(self.fields), len(_FIELDS)))
        return [f"f{number}" for number in numbers if self.get(f"f{number}") is not None]
