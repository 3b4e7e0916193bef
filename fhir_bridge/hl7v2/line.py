"""One segment as it was sent: what its values need to know of it and of its message.

HL7 v2.5.1 chapter 2, section 2.5 (message construction) and 2.5.3 (fields);
https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144

A line knows neither the segment nor the message that read it, so that nothing in a message
refers back to what holds it: a message that is let go is freed at once, and Python's search
for cycles (https://docs.python.org/3/library/gc.html) has nothing to find.
"""

from __future__ import annotations

from dataclasses import dataclass

from .separators import Separators

__all__ = ["Encoding", "Line"]

_HEADERS = frozenset({"MSH", "FHS", "BHS"})


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a message is written, and the names of its segments in order."""

    separators: Separators
    charset: str
    names: tuple[str, ...]


class Line:
    """Name, text and place of a segment; the fields are split at the first question."""

    __slots__ = ("_fields", "encoding", "name", "number", "text")

    def __init__(self, encoding: Encoding, number: int, text: str) -> None:
        self.encoding = encoding
        self.number = number  # place among all segments, from 0
        self.name = encoding.names[number]
        self.text = text
        self._fields: list[str] | None = None

    @property
    def is_header(self) -> bool:
        """Whether the first two fields are characters that part others."""
        return self.name in _HEADERS

    @property
    def where(self) -> str:
        """``PID``, or ``OBX[4]`` when the message holds more than one."""
        name, names = self.name, self.encoding.names
        if names.count(name) < 2:
            return name
        return f"{name}[{names[: self.number].count(name) + 1}]"

    @property
    def fields(self) -> list[str]:
        """The raw fields; number 0 is the name, so that field 3 is ``fields[3]``."""
        fields = self._fields
        if fields is None:
            separator = self.encoding.separators.field
            fields = self.text.split(separator)
            if self.name in _HEADERS:
                fields.insert(1, separator)
            self._fields = fields
        return fields
