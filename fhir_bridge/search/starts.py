"""Which elements of its resource the expression of a search parameter starts from, by its tree.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from fhir_bridge.fhir import Definitions
from fhir_bridge.fhirpath import syntax

__all__ = ["looks_away", "start_keys"]

_NOTHING_OF_NOTHING = frozenset({
    "as", "extension", "first", "last", "ofType", "resolve", "select", "where",
})  # fmt: skip
"""Functions that give nothing where there is nothing."""


def start_keys(
    definitions: Definitions, resource_type: str, tree: syntax.Expr
) -> frozenset[str] | None:
    """The JSON keys that an expression starts from; None when it may hold without them."""
    elements = _starts(tree)
    if elements is None:
        return None
    choices = definitions.types[resource_type].choices
    return frozenset(key for name in elements for key in choices.get(name, (name,)))


def _starts(tree: syntax.Expr) -> frozenset[str] | None:
    match tree:
        case syntax.Union(parts=parts):
            found = [_starts(part) for part in parts]
            known = [names for names in found if names is not None]
            return frozenset().union(*known) if len(known) == len(found) else None
        case syntax.TypeTest(operator="as", operand=operand):
            return _starts(operand)
        case syntax.Path(start=syntax.Member(name=kind), steps=(syntax.Member(name=name), *rest)):
            is_type = kind[:1].isupper()
            return frozenset({name}) if is_type and all(map(_is_step, rest)) else None
        case syntax.Path(
            start=syntax.Member(name=kind), steps=(syntax.Call(name="extension" as name), *rest)
        ):
            return frozenset({name}) if kind[:1].isupper() and all(map(_is_step, rest)) else None
        case syntax.Path(start=start, steps=steps):
            return _starts(start) if all(map(_is_step, steps)) else None
    return None


def _is_step(step: syntax.Expr) -> bool:
    if isinstance(step, syntax.Call):
        return step.name in _NOTHING_OF_NOTHING
    return isinstance(step, syntax.Member | syntax.Index)


def looks_away(tree: syntax.Expr) -> bool:
    """Whether an expression reads more than the node it is on: a variable, or what that refers to."""
    return any(
        isinstance(part, syntax.Constant)
        or (isinstance(part, syntax.Call) and part.name == "resolve")
        for part in _parts(tree)
    )


def _parts(tree: syntax.Expr) -> Iterator[syntax.Expr]:
    """A tree and all that it is made of."""
    yield tree
    for field in fields(tree):
        value = getattr(tree, field.name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, syntax.Expr):
                yield from _parts(each)
