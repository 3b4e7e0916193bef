"""String search parameters: names, addresses and other short text.

https://hl7.org/fhir/R4/search.html#string.  Each part of a name or address is a value of
its own, folded; the original text is kept as a posting for ``:exact``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from fhir_bridge.search.conditions import AnyOf, Condition, Posted, Text
from fhir_bridge.search.escaping import Written
from fhir_bridge.search.folding import fold
from fhir_bridge.search.hashing import posting
from fhir_bridge.search.pinyin import name_forms
from fhir_bridge.search.rows import IndexRows
from fhir_bridge.search.types.search_type import Index, Parameter, SearchType, Slot, Typed

__all__ = ["EXACT", "String", "StringValue", "is_name"]

MAX_BYTES = 2_400
"""UTF-8 bytes of a folded string that are indexed and compared (a PostgreSQL index row holds
2,700)."""

EXACT = "\x04"
"""First character of the index text of a string as it is written."""

_NAME_PARTS = ("family", "text")
_NAME_LISTS = ("given", "prefix", "suffix")
_ADDRESS_PARTS = ("text", "city", "district", "state", "postalCode", "country")
_NAME_CODES = frozenset({"family", "given", "name", "phonetic"})
_OPERATORS: dict[str, How] = {"eq": "equals", "co": "contains", "sw": "starts", "ew": "ends"}

How = Literal["starts", "contains", "ends", "equals", "exact"]


@dataclass(frozen=True, slots=True)
class StringValue:
    """A text and how it is compared: folded, unless it is ``exact``."""

    text: str
    how: How = "starts"


class String(SearchType[StringValue]):
    """A string, HumanName or Address."""

    table = "texts"
    is_sortable = True
    is_shareable = True

    def modifiers(self, parameter: Parameter) -> tuple[str, ...]:
        """Without one the text starts with the value."""
        return ("contains", "exact", "missing")

    def operators(self, parameter: Parameter) -> tuple[str, ...]:
        """``ne`` where there is at most one text."""
        return (*_OPERATORS, "pr", *(("ne",) if parameter.is_single else ()))

    def read(self, parameter: Parameter, modifier: str, written: Written) -> StringValue:
        """A text."""
        match modifier:
            case "exact":
                return StringValue(written.text, "exact")
            case "contains":
                return StringValue(_bounded(fold(written.text)), "contains")
        return StringValue(_bounded(fold(written.text)))

    def match(self, index: Index, value: StringValue) -> Condition:
        """A name is also found by its parts written as one word."""
        text, how = value.text, value.how
        if how == "exact":
            return Posted(index.symbol, (EXACT + text,))
        condition = Text(index.symbol, text, how, index.context)
        if how == "starts" and " " in text and not index.context:
            return AnyOf((condition, Text(index.symbol, text.replace(" ", ""), "starts")))
        return condition

    def compare(self, parameter: Parameter, operator: str, written: Written) -> Condition:
        """The text starts with, ends with, contains or is the value."""
        how = _OPERATORS.get(operator)
        if how is None:
            return self._different(parameter, written)
        return self.on_indexes(parameter, StringValue(_bounded(fold(written.text)), how))

    def extract(
        self, parameter: Parameter, slot: Slot, values: list[Typed], rows: IndexRows
    ) -> None:
        """Each text; names in Han characters also by their other forms."""
        code = parameter.code
        for kind, value in values:
            if slot.is_context:
                for text, _ in _parts(kind, value, code):
                    rows.texts.add((slot.key, _bounded(fold(text)), 0))
                continue
            has_forms = kind == "HumanName" or is_name(code)
            for text, is_given in _parts(kind, value, code):
                written, texts = _rows(slot.number, text, is_given, has_forms)
                rows.postings.add(written)
                rows.texts.update(texts)


@lru_cache(maxsize=1 << 13)
def _rows(
    number: int, text: str, is_given: bool, has_forms: bool
) -> tuple[int, tuple[tuple[int, str, int], ...]]:
    """The posting and the texts of one string; names, cities and streets come again."""
    folded = _bounded(fold(text))
    forms: tuple[str, ...] = ()
    if has_forms and not folded.isascii():
        forms = name_forms(folded, is_given=is_given)
    texts = ((number, folded, 0), *((number, form, 1) for form in forms))
    return posting(number, EXACT + text), texts


def _bounded(folded: str) -> str:
    """The part of a folded string that is indexed."""
    if len(folded) * 4 <= MAX_BYTES:
        return folded
    return folded.encode()[:MAX_BYTES].decode("utf-8", "ignore")


def _parts(kind: str, value: Any, code: str) -> Iterator[tuple[str, bool]]:
    """The texts within one element, and whether a text is a given name."""
    if isinstance(value, str):
        yield value, code == "given"
        return
    if not isinstance(value, dict):
        return
    is_human_name = kind == "HumanName"
    for name in _NAME_PARTS if is_human_name else _ADDRESS_PARTS:
        text = value.get(name)
        if isinstance(text, str):
            yield text, False
    for name in _NAME_LISTS if is_human_name else ("line",):
        for text in value.get(name) or ():
            if isinstance(text, str):
                yield text, name == "given"


def is_name(code: str) -> bool:
    """Whether the texts of a string parameter are people's names."""
    return code in _NAME_CODES
