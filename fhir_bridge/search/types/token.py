"""Token search parameters: codes, identifiers, booleans.

https://hl7.org/fhir/R4/search.html#token.  Matching is exact, by the index texts of `token_rows`;
``:text`` reads what people read, ``:in`` value sets, ``:below`` and ``:above`` hierarchies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.search.conditions import AnyOf, Condition, Not, Posted, Present, Term
from fhir_bridge.search.escaping import Written
from fhir_bridge.search.folding import fold
from fhir_bridge.search.rows import IndexRows
from fhir_bridge.search.types.search_type import (
    Index,
    Parameter,
    SearchType,
    Slot,
    Typed,
    expected,
)
from fhir_bridge.search.types.token_rows import (
    LISTED,
    WITH_SYSTEM,
    add_rows,
    any_system,
    code_alone,
    of_type,
    variants,
)

__all__ = ["Coded", "OfSystem", "Readable", "Token", "TokenValue"]

_CODES = frozenset({"code", "boolean", "string", "id", "uri"})
"""Types of elements that imply the system of a code, so that it is not compared."""

_NEGATED = {"not": "", "not-in": "in"}
_OPERATORS = {"eq": "", "in": "in", "ni": "in", "ss": "below", "sb": "above"}


@dataclass(frozen=True, slots=True)
class Coded:
    """One of the index texts of a code, an identifier or several codes."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfSystem:
    """Any code of a system (its index text; "" where every value is of the system)."""

    text: str


@dataclass(frozen=True, slots=True)
class Readable:
    """A folded text that people read beside a code."""

    text: str


TokenValue = Coded | OfSystem | Readable


class Token(SearchType[TokenValue]):
    """A code, Coding, CodeableConcept, Identifier, ContactPoint or boolean."""

    is_shareable = True
    names_context = True

    def modifiers(self, parameter: Parameter) -> tuple[str, ...]:
        """Those that need value sets, hierarchies or identifiers only where there are some."""
        settings = parameter.settings
        return (
            *("missing", "not", "text"),
            *(("in", "not-in") if settings.value_set_codes else ()),
            *(("above", "below") if settings.hierarchies else ()),
            *(("of-type",) if parameter.element_types & {"Identifier", None} else ()),
        )

    def operators(self, parameter: Parameter) -> tuple[str, ...]:
        """The same as operators."""
        settings = parameter.settings
        return (
            *("eq", "pr"),
            *(("ne",) if parameter.is_single else ()),
            *(("in", "ni") if settings.value_set_codes else ()),
            *(("ss", "sb") if settings.hierarchies else ()),
        )

    def condition(
        self, parameter: Parameter, modifier: str, values: Sequence[Written]
    ) -> Condition:
        """``:not`` and ``:not-in`` are of all values together."""
        if modifier in _NEGATED:
            return Not(super().condition(parameter, _NEGATED[modifier], values))
        return super().condition(parameter, modifier, values)

    def read(self, parameter: Parameter, modifier: str, written: Written) -> TokenValue:
        """``code``, ``system|code``, ``|code`` or ``system|``; what the modifier takes instead."""
        match modifier:
            case "text":
                return Readable(fold(written.text))
            case "of-type":
                return _of_type(parameter, written.fields())
            case "in":
                return _in_value_set(parameter, written.text)
            case "above" | "below":
                return _in_hierarchy(parameter, modifier, written.fields())
        return _code(parameter, written.fields())

    def match(self, index: Index, value: TokenValue) -> Condition:
        """By postings; the codes of a system and readable texts by the dictionary."""
        match value:
            case Coded(texts):
                return Posted(index.symbol, texts)
            case OfSystem(""):
                return Present(index.symbol, self.table)
            case OfSystem(text):
                posted = Posted(index.symbol, (text,))
                return AnyOf((posted, Term(index.symbol, text, "starts", coded=True)))
            case Readable(text):
                return Term(index.symbol, text, "contains")

    def compare(self, parameter: Parameter, operator: str, written: Written) -> Condition:
        """In a value set, below (``ss``) or above (``sb``) a code, or the code itself."""
        if operator == "ne":
            return self._different(parameter, written)
        condition = self.condition(parameter, _OPERATORS[operator], (written,))
        return Not(condition) if operator == "ni" else condition

    def extract(
        self, parameter: Parameter, slot: Slot, values: list[Typed], rows: IndexRows
    ) -> None:
        """The postings and terms of each code or identifier."""
        add_rows(values, slot.number, rows)

    def context_values(self, kind: str, value: Any) -> Iterator[str]:
        """Each index text of the element."""
        return variants(kind, value)

    def context_texts(self, value: TokenValue) -> tuple[str, ...]:
        """A code, which no dictionary lists there; a system alone names no context."""
        if not isinstance(value, Coded):
            return ()
        texts = (any_system(each[1:]) if each[:1] == LISTED else each for each in value.texts)
        return tuple(dict.fromkeys(texts))


def _code(parameter: Parameter, fields: list[str]) -> TokenValue:
    if len(fields) > 2:
        raise expected(parameter, "code, system|code, |code or system|")
    if len(fields) == 1:
        return Coded(code_alone(fields[0], parameter.element_types))
    system, code = fields
    if _is_code(parameter):
        return Coded((any_system(code),)) if code else OfSystem("")
    text = f"{system}|{code}"
    return Coded((text,)) if code or parameter.element_types <= WITH_SYSTEM else OfSystem(text)


def _is_code(parameter: Parameter) -> bool:
    """Whether the element implies the system of its codes."""
    return parameter.element_types <= _CODES


def _of_type(parameter: Parameter, fields: list[str]) -> TokenValue:
    if len(fields) != 3 or not all(fields[1:]):
        raise expected(parameter, "system|code|value")
    return Coded((of_type(*fields),))


def _in_value_set(parameter: Parameter, url: str) -> TokenValue:
    codes_of = parameter.settings.value_set_codes
    codes = codes_of(url) if codes_of else None
    if codes is None:
        raise BridgeError("FB-4108", parameter.code, parameter=parameter.code)
    texts = set()
    for system, code in codes:
        if not _is_code(parameter):
            texts.add(f"{system}|{code}")
        if not system or _is_code(parameter):
            texts.update(code_alone(code, parameter.element_types))
    return Coded(tuple(sorted(texts)))


def _in_hierarchy(parameter: Parameter, modifier: str, fields: list[str]) -> TokenValue:
    """The codes below or above one, itself included; the system may be left out."""
    system, code = fields if len(fields) == 2 else ("", fields[0])
    if len(fields) > 2 or not code:
        raise expected(parameter, "code or system|code")
    hierarchies = parameter.settings.hierarchies
    related = hierarchies.below if modifier == "below" else hierarchies.above
    codes = related(system or None, code)
    if codes is None:
        systems = ", ".join(hierarchies.systems)
        raise BridgeError("FB-4107", parameter.code, parameter=parameter.code, systems=systems)
    is_code = _is_code(parameter)
    texts = {any_system(each) if is_code else f"{url}|{each}" for url, each in codes}
    return Coded(tuple(sorted(texts)))
