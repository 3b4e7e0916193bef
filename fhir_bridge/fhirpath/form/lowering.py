"""Syntax tree to form: each name is looked up in the definitions here, and only here.

http://hl7.org/fhirpath/N1/#operations

Lowering is total: what has no typed step becomes an `Unsupported` in its place.
"""

from __future__ import annotations

from fhir_bridge.fhirpath.form.open import lower_open
from fhir_bridge.fhirpath.form.paths import Paths
from fhir_bridge.fhirpath.form.shape import after, before_last
from fhir_bridge.fhirpath.form.steps import (
    OPEN,
    Call,
    Check,
    Constant,
    Form,
    Item,
    Merge,
    OfResource,
    Operation,
    RefersTo,
    Unsupported,
)
from fhir_bridge.fhirpath.language import syntax
from fhir_bridge.fhirpath.variables import FIXED
from fhir_bridge.fhirpath_values import Model

__all__ = ["lower"]

_FUNCTIONS = frozenset(
    {
        "all",
        "contains",
        "count",
        "empty",
        "endsWith",
        "exists",
        "hasValue",
        "length",
        "matches",
        "not",
        "replace",
        "startsWith",
        "substring",
        "toString",
    }
)
"""Functions of a whole collection that have a form."""


def lower(tree: syntax.Expr, model: Model, root_type: str) -> Form:
    """The form of an expression on items of `root_type`.

    "*" is that of nodes that are no dict, "?" of scalars and nodes of which nothing is known.
    """
    return lower_open(tree) if root_type == OPEN else _Lowering(model).value(tree, root_type)


class _Lowering(Paths):
    def value(self, tree: syntax.Expr, kind: str) -> Form:
        match tree:
            case syntax.Path(steps=()):
                return self.value(tree.start, kind)
            case syntax.Literal(value=value):
                return Constant(value)
            case syntax.Constant(name=name) if name in FIXED:
                return Constant(FIXED[name])
            case syntax.Binary(operator=operator):
                return Operation(
                    operator, self.value(tree.left, kind), self.value(tree.right, kind)
                )
            case syntax.Union(parts=parts) if all(map(_is_literal, parts)):
                return Merge(tuple(self.value(part, kind) for part in parts), ())
            case syntax.TypeTest(operator="is"):
                return self._type_test(tree, kind)
            case (
                syntax.Call(name="iif", arguments=arguments)
                | syntax.Call(name="today", arguments=arguments)
            ):
                given = tuple(self.value(argument, kind) for argument in arguments)
                return Call(tree.name, Item(kind), given)
            case syntax.Path(steps=(*_, syntax.Call(name=name) as call)) if name in _FUNCTIONS:
                return self._call(before_last(tree), call, kind)
            case syntax.Path(
                start=syntax.Constant(name="resource"), steps=(syntax.Member(name=name),)
            ):
                return OfResource(name)
        return self.stream(tree, kind)

    def _call(self, focus: syntax.Expr, call: syntax.Call, kind: str) -> Form:
        """A function of everything that `focus` gives."""
        name, arguments = call.name, call.arguments
        if name == "exists" and arguments:
            focus = after(focus, syntax.Call(call.offset, "where", arguments))
            return Call(name, self.value(focus, kind))
        if name == "all" and len(arguments) == 1:
            test = arguments[0]
            return Call(name, self.stream(focus, kind, lambda own: Check(self.value(test, own))))
        given = tuple(self.value(argument, kind) for argument in arguments)
        return Call(name, self.value(focus, kind), given)

    def _type_test(self, tree: syntax.TypeTest, kind: str) -> Form:
        """``resolve() is T`` on a Reference: told by the text of the reference."""
        match tree.operand:
            case syntax.Call(name="resolve", arguments=()):
                if kind == "Reference" and tree.type_name in self.model.type_names:
                    return RefersTo(tree.type_name)
        return Unsupported(f"is {tree.type_name}")


def _is_literal(tree: syntax.Expr) -> bool:
    while isinstance(tree, syntax.Path) and not tree.steps:
        tree = tree.start
    return isinstance(tree, syntax.Literal)
