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

from collections.abc import KeysView
from typing import Any
from weakref import ReferenceType, ref

from fhir_bridge.errors import Issue

from .alike import Alike
from .groups import find_in, names_in, one_or_list
from .line import Encoding, Line
from .segment import Segment, Segments
from .separators import Separators
from .structure import Instance, Part, find_structure, group
from .value import SENT_NULL

__all__ = ["Message"]


class Message:
    """A message: decoded text, its separators, and segments as they came."""

    __slots__ = (
        "__weakref__",
        "_alike",
        "_by_name",
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
        own: ReferenceType[Segments] = ref(self)
        self.segments = [
            Segment(own, Line(encoding, number, text)) for number, (_, text) in enumerate(lines)
        ]
        self._by_name: dict[str, list[Segment]] | None = None
        self._grouped: Instance | None = None
        self._structure: Part | None = None
        self._alike: Alike | None = None

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
    def read_parts(self) -> dict[str, list[Segment]]:
        """The segments by name."""
        return self._index()

    def segments_of(self, name: str) -> list[Segment]:
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
        return one_or_list(find_in(self, self._instance(), name), default)

    def place_among_alike(self, segment: Segment, leader: str, fields: tuple[int, ...]) -> int:
        """See :meth:`.alike.Alike.place`."""
        return self._likeness().place(segment, leader, fields)

    def count_alike(self, segment: Segment, fields: tuple[int, ...]) -> int:
        """See :meth:`.alike.Alike.count`."""
        return self._likeness().count(segment, fields)

    def first_with(
        self, name: str, fields: tuple[str, ...], texts: tuple[str, ...]
    ) -> Segment | None:
        """See :meth:`.alike.Alike.first`."""
        return self._likeness().first(name, fields, texts)

    def keys(self) -> KeysView[str] | list[str]:
        """The names of segments and groups directly under the message, in order."""
        return self._index().keys() if self.structure is None else names_in(self, self._instance())

    def _likeness(self) -> Alike:
        if self._alike is None:
            self._alike = Alike(self.segments, self.separators.component)
        return self._alike

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
