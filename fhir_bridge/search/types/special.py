"""Parameters of every resource that no index of values answers.

https://hl7.org/fhir/R4/search.html#all: ``_id`` is the row itself, ``_text`` the words of the
narrative, ``_content`` the whole stored body.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape

from fhir_bridge.search.conditions import (
    AllOf,
    Condition,
    Content,
    Ids,
    Not,
    Posted,
    nothing,
)
from fhir_bridge.search.escaping import Written
from fhir_bridge.search.folding import words
from fhir_bridge.search.hashing import posting
from fhir_bridge.search.rows import IndexRows
from fhir_bridge.search.types.search_type import Index, Parameter, SearchType, Slot, Typed

__all__ = ["Id", "Narrative", "WholeContent"]

_MARKUP = re.compile(r"<[^<>]*>")


class Id(SearchType[str]):
    """``_id``: the logical id."""

    is_sortable = True

    def modifiers(self, parameter: Parameter) -> tuple[str, ...]:
        """No other."""
        return ("missing", "not")

    def operators(self, parameter: Parameter) -> tuple[str, ...]:
        """Every resource has one."""
        return ("eq", "ne", "pr")

    def condition(
        self, parameter: Parameter, modifier: str, values: Sequence[Written]
    ) -> Condition:
        """One look-up for all values."""
        resource_type = parameter.indexes[0].symbol.partition(".")[0]
        ids = Ids(resource_type, tuple(self.read(parameter, "", each) for each in values))
        return Not(ids) if modifier == "not" else ids

    def read(self, parameter: Parameter, modifier: str, written: Written) -> str:
        """An id."""
        return written.text

    def match(self, index: Index, value: str) -> Condition:
        """The resource of that id."""
        return Ids(index.symbol.partition(".")[0], (value,))

    def present(self, parameter: Parameter) -> Condition:
        """Always."""
        return AllOf()

    def absent(self, parameter: Parameter) -> Condition:
        """Never."""
        return nothing()

    def extract(
        self, parameter: Parameter, slot: Slot, values: list[Typed], rows: IndexRows
    ) -> None:
        """The row has it already."""


class Narrative(SearchType[tuple[str, ...]]):
    """``_text``: words of the narrative."""

    def operators(self, parameter: Parameter) -> tuple[str, ...]:
        """Words are within it."""
        return ("co", "pr")

    def read(self, parameter: Parameter, modifier: str, written: Written) -> tuple[str, ...]:
        """The words, folded."""
        return tuple(words(written.text))

    def match(self, index: Index, value: tuple[str, ...]) -> Condition:
        """All of the words."""
        return AllOf(tuple(Posted(index.symbol, (_indexed(word),)) for word in value))

    def extract(
        self, parameter: Parameter, slot: Slot, values: list[Typed], rows: IndexRows
    ) -> None:
        """Each word of the XHTML."""
        for _, div in values:
            if isinstance(div, str):
                for word in words(unescape(_MARKUP.sub(" ", div))):
                    rows.postings.add(posting(slot.number, _indexed(word)))


class WholeContent(SearchType[str]):
    """``_content``: text anywhere in the stored body."""

    def modifiers(self, parameter: Parameter) -> tuple[str, ...]:
        """None."""
        return ()

    def operators(self, parameter: Parameter) -> tuple[str, ...]:
        """The text is within it."""
        return ("co",)

    def read(self, parameter: Parameter, modifier: str, written: Written) -> str:
        """A text."""
        return written.text

    def match(self, index: Index, value: str) -> Condition:
        """The body contains the text."""
        return Content(value)

    def extract(
        self, parameter: Parameter, slot: Slot, values: list[Typed], rows: IndexRows
    ) -> None:
        """The body is stored already."""


def _indexed(word: str) -> str:
    """Index text of one folded word of a narrative."""
    return f"\x05{word}"
