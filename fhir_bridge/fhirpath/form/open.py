"""Lowering where nothing is known of the items: each may be a scalar or any node.

http://hl7.org/fhirpath/N1/#path-selection

Part of `lowering`.  No name can be looked up, so a name is a `Child` of any type and a function a
`Call` on all that stands before it; who reads the form says which calls it answers.
"""

from __future__ import annotations

from fhir_bridge.fhirpath.form.steps import (
    OPEN,
    Call,
    Child,
    Constant,
    Field,
    Form,
    From,
    Index,
    Item,
    Merge,
    Operation,
    Unsupported,
    Variable,
)
from fhir_bridge.fhirpath.language import syntax
from fhir_bridge.fhirpath.variables import FIXED

__all__ = ["lower_open"]

_AT_HAND = Item(OPEN)


def lower_open(tree: syntax.Expr) -> Form:
    """The form of an expression on an item of which nothing is known."""
    match tree:
        case syntax.Path(start=start, steps=steps):
            form = lower_open(start)
            for step in steps:
                form = _step(form, step)
            return form
        case syntax.Member() | syntax.Call():
            return _step(_AT_HAND, tree)
        case syntax.Special(name="this"):
            return _AT_HAND
        case syntax.Special(name="index"):
            return Index()
        case syntax.Literal(value=value):
            return Constant(value)
        case syntax.Unary(operator="-", operand=syntax.Literal(value=value)) if type(value) is int:
            return Constant(-value)
        case syntax.Constant(name=name):
            return Constant(FIXED[name]) if name in FIXED else Variable(name)
        case syntax.Binary(operator=operator, left=left, right=right):
            return Operation(operator, lower_open(left), lower_open(right))
        case syntax.Union(parts=parts):
            return Merge(tuple(map(lower_open, parts)), ((OPEN, _AT_HAND),))
    return Unsupported(f"an expression of {type(tree).__name__.lower()}")


def _step(focus: Form, step: syntax.Expr) -> Form:
    match step:
        case syntax.Member(name=name):
            field = Field(name, OPEN, is_list=False, primitive=False, sibling="", choice=False)
            child = Child(name, ((field, _AT_HAND),))
            return child if focus == _AT_HAND else From(focus, child)
        case syntax.Index(position=position):
            return Call("[]", focus, (lower_open(position),))
        case syntax.Call(name=name, arguments=arguments):
            return Call(name, focus, tuple(map(lower_open, arguments)))
    return Unsupported(f"a step of {type(step).__name__.lower()}")
