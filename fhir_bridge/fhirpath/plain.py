"""Simple expressions as generated Python: the fast path.

Paths, ``where``, ``exists``, ``=`` with a literal, ``ofType``, ``|`` and a few more cover
search parameters, most map conditions and many invariants.  For those this module writes a
Python function over plain values, with the types of the definitions built in: nearly what a
person would write by hand (docs/decisions/adr-2611-fhirpath-engine.md has the figures).

`plain_writing` holds names and lines, `plain_elements` the steps to elements, `plain_streams`
paths, `plain_comparisons` and `plain_conditions` what is asked of them.

Promises: what is written here answers exactly as the closures of `compiler` do.  An
expression that it cannot write is :class:`NotPlain`; input that is not of the defined shape
(a list where one is expected, extensions without a value) raises :class:`Detour` at run
time, and the caller asks the closures instead.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fhir_bridge.budget import Evaluation
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath import syntax
from fhir_bridge.fhirpath.equality import distinct
from fhir_bridge.fhirpath.model import Model
from fhir_bridge.fhirpath.node import Node
from fhir_bridge.fhirpath.plain_conditions import Body, is_condition
from fhir_bridge.fhirpath.plain_writing import Detour, NotPlain, Writer
from fhir_bridge.fhirpath.references import reference_type
from fhir_bridge.pattern import Costly, compile_pattern

__all__ = ["DETOURS", "Detour", "NotPlain", "Plain", "write_plain"]

Plain = Callable[[Any], list[Any]]
DETOURS = (Detour, AttributeError, TypeError, KeyError)
_FEW = 12
_TEMPORAL = frozenset({"date", "dateTime", "instant", "time"})


def write_plain(tree: syntax.Expr, model: Model, root_type: str, *, typed: bool) -> Plain:
    """A function node -> result; `root_type` "*" is a node that is no dict.

    With `typed` the result holds (FHIR type name, value) pairs.  Raises NotPlain.
    """
    writer = Writer(model)
    body = Body(writer, ["out = []", "add = out.append"])
    final = body.final_typed if typed else body.final
    if is_condition(tree):
        answer = body.condition(tree, "node", root_type)
        body.line(f"answer = {answer}")
        item = "('boolean', answer)" if typed else "answer"
        body.line(f"if answer is not None: add({item})")
    else:
        body.stream(tree, "node", root_type, final)
    body.line("return out")
    writer.function("plain", body)
    return _finished(writer)


def _finished(writer: Writer) -> Plain:
    space: dict[str, Any] = {
        "Decimal": Decimal,
        "Detour": Detour,
        "matched": _matched,
        "number": _number,
        "refers": _refers,
        "truth": _truth,
        "unique": _unique,
    }
    source = "\n".join(writer.sources)
    exec(compile(source, "<fhirpath>", "exec"), space)  # noqa: S102 - our own text, literals by repr
    made: Plain = space["plain"]
    return made


def _unique(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Pairs of type and value without repetitions, by the equality of the language."""
    if len(pairs) < 2:
        return pairs
    kept: list[tuple[str, Any]] = []
    if len(pairs) <= _FEW and not any(kind in _TEMPORAL for kind, _ in pairs):
        for pair in pairs:
            value = pair[1]
            own = type(value)
            for _, other in kept:
                if type(other) is own and other == value:
                    break
            else:
                if own is not dict and own is not str:
                    return _unique_items(pairs)
                kept.append(pair)
        return kept
    return _unique_items(pairs)


def _unique_items(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    found = distinct((Node(value, type_name) for type_name, value in pairs), Evaluation())
    return [(item.type_name, item.value) for item in found]


def _refers(value: dict[str, Any], type_name: str) -> bool | None:
    """Whether a Reference points to a resource of the type; contained ones take the detour."""
    found = reference_type(value)
    if found is None:
        raise Detour
    return found == type_name


def _number(value: Any) -> int | Decimal:
    """A JSON number; anything else is the closures' to judge."""
    if type(value) is int or type(value) is Decimal:
        return value
    raise Detour


def _truth(value: Any) -> bool:
    """A JSON boolean; anything else is the closures' to judge."""
    if value is True or value is False:
        return bool(value)
    raise Detour


def _matched(text: str, source: str) -> bool:
    """``matches()`` with a pattern that stands in the expression; a refusal is the closures'."""
    try:
        return compile_pattern(source).search(text)
    except (BridgeError, Costly):
        raise Detour from None
