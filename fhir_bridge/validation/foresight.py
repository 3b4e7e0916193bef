"""What a FHIRPath rule will answer, told from plain values where that is certain.

https://hl7.org/fhir/R4/fhirpath.html

Most rules speak of elements that are not there, or compare two short texts: ``value.empty()
or system.exists()``, ``start <= end``.  For those a few dictionary look-ups tell what the
engine would answer.  A foresight is a function of (value, ``%resource``) that returns True,
False, None (the engine would answer nothing) or `UNSURE`: then the engine is asked.  It may
be used only on values that `soundness` has accepted; what is written here relies on that
(no unknown key, no empty list, no null).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fhir_bridge import clock, fhirpath
from fhir_bridge.fhir import Definitions, TypeDefinition
from fhir_bridge.fhirpath import syntax
from fhir_bridge.validation.foreseen_logic import (
    LOGIC,
    always,
    application,
    are_alike,
    choice,
    comparison,
    negation,
    never,
)
from fhir_bridge.validation.foreseen_paths import (
    UNSURE,
    Look,
    Unforeseen,
    kind_of,
    presence,
    scalar,
    scalar_of_resource,
    size,
)

__all__ = ["UNSURE", "Foresight", "foresight"]

Foresight = Look
_Operand = tuple[str, Look]
"""Kind of the values ("text", "truth", "whole", "number", "date" …) and how to get one."""

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_NUMBERS = frozenset({"whole", "number"})
_TEMPORALS = frozenset({"date", "dateTime", "instant"})
_PARTS: dict[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": operator.contains,
}


def foresight(
    text: str, type_name: str, definitions: Definitions, environment: fhirpath.Environment
) -> Foresight | None:
    """The foresight of the rule `text` on objects of `type_name`; None when there is none."""
    shape = definitions.types.get(type_name)
    if shape is None or shape.kind == "primitive" or shape.abstract:
        return None
    try:
        kind, look = _Reader(definitions, shape, environment).operand(fhirpath.parse(text))
    except Unforeseen:
        return None
    return look if kind == "truth" else None


class _Reader:
    """Turns the syntax tree of a rule on objects of `shape` into functions."""

    def __init__(
        self, definitions: Definitions, shape: TypeDefinition, environment: fhirpath.Environment
    ) -> None:
        self._definitions = definitions
        self._shape = shape
        self._environment = environment

    def operand(self, tree: syntax.Expr) -> _Operand:
        """Kind and value of `tree`; raises Unforeseen."""
        match tree:
            case syntax.Path(steps=()):
                return self.operand(tree.start)
            case syntax.Literal(value=str() | bool() | int() | Decimal() as value):
                return _kind_of_literal(value), lambda _value, _resource: value
            case syntax.Binary(operator="and" | "or" | "implies" | "xor"):
                return "truth", self._logic(tree)
            case syntax.Binary(operator="in"):
                return "truth", self._membership(tree)
            case syntax.Binary(operator="+"):
                return "whole", self._sum(tree)
            case syntax.Binary():
                return "truth", self._comparison(tree)
            case syntax.Call(name="iif", arguments=(condition, then, otherwise)):
                return "truth", self._choice(condition, then, otherwise)
            case syntax.Call(name="today", arguments=()):
                return "date", self._today
            case syntax.Path(steps=(*before, syntax.Call() as call)):
                inner = (
                    syntax.Path(tree.offset, tree.start, tuple(before)) if before else tree.start
                )
                return self._call(inner, call)
            case syntax.Path(
                start=syntax.Constant(name="resource"), steps=(syntax.Member(name=name),)
            ):
                return "text", scalar_of_resource(self._definitions, name, dates=False)
        return scalar(self._definitions, self._shape, tree)

    def _truth(self, tree: syntax.Expr) -> Look:
        """`tree` as a condition; one that cannot be foreseen is never sure."""
        try:
            kind, look = self.operand(tree)
        except Unforeseen:
            return never
        return look if kind == "truth" else never

    # --- logic -------------------------------------------------------------------------

    def _logic(self, tree: syntax.Binary) -> Look:
        left, right = self._truth(tree.left), self._truth(tree.right)
        if left is never:  # the engine asks the left side first: what it raises must be seen
            raise Unforeseen
        return LOGIC[tree.operator](left, right)

    def _choice(self, condition: syntax.Expr, then: syntax.Expr, otherwise: syntax.Expr) -> Look:
        """``iif(condition, then, otherwise)``: a condition without an answer is not met."""
        is_true = isinstance(otherwise, syntax.Literal) and otherwise.value is True
        last = always if is_true else self._truth(otherwise)
        return choice(self._truth_or_refuse(condition), self._truth(then), last)

    def _comparison(self, tree: syntax.Binary) -> Look:
        test = _ORDER.get(tree.operator)
        (kind, left), (other_kind, right) = self.operand(tree.left), self.operand(tree.right)
        if test is None:
            raise Unforeseen
        is_order = tree.operator not in ("=", "!=")
        if kind in _TEMPORALS and kind == other_kind:
            return comparison(left, right, test, alike=are_alike)
        if {kind, other_kind} <= _NUMBERS:
            return comparison(left, right, test)
        if kind == other_kind and kind in ("text", "truth") and not is_order:
            return comparison(left, right, test)
        raise Unforeseen

    def _membership(self, tree: syntax.Binary) -> Look:
        kind, left = self.operand(tree.left)
        right = tree.right
        while isinstance(right, syntax.Path) and not right.steps:
            right = right.start
        parts = right.parts if isinstance(right, syntax.Union) else (right,)
        texts = {part.value for part in parts if isinstance(part, syntax.Literal)}
        if kind != "text" or len(texts) != len(parts) or not all(map(_is_text, texts)):
            raise Unforeseen

        def look(value: Any, resource: Any) -> Any:
            item = left(value, resource)
            return item if item is UNSURE or item is None else item in texts

        return look

    def _sum(self, tree: syntax.Binary) -> Look:
        (kind, left), (other_kind, right) = self.operand(tree.left), self.operand(tree.right)
        if kind != "whole" or other_kind != "whole":
            raise Unforeseen
        return comparison(left, right, operator.add)

    # --- functions -----------------------------------------------------------------------

    def _call(self, inner: syntax.Expr, call: syntax.Call) -> _Operand:
        name, arguments = call.name, call.arguments
        if name == "not" and not arguments:
            return "truth", negation(self._truth_or_refuse(inner))
        if name in ("exists", "empty", "hasValue") and not arguments:
            found = presence(self._definitions, self._shape, inner, value=name == "hasValue")
            return "truth", negation(found) if name == "empty" else found
        if name == "count" and not arguments:
            return "whole", size(self._definitions, self._shape, inner)
        if name == "toString" and not arguments:
            return "text", self._rendered(inner)
        if name == "matches":
            return "truth", self._matched(inner, arguments)
        return self._text_call(self.operand(inner), name, [_literal(item) for item in arguments])

    def _truth_or_refuse(self, tree: syntax.Expr) -> Look:
        look = self._truth(tree)
        if look is never:
            raise Unforeseen
        return look

    def _rendered(self, inner: syntax.Expr) -> Look:
        """``toString()`` of a text or of a date: the text as it stands."""
        match inner:
            case syntax.Path(
                start=syntax.Constant(name="resource"), steps=(syntax.Member(name=name),)
            ):
                return scalar_of_resource(self._definitions, name, dates=True)
        kind, look = self.operand(inner)
        if kind != "text" and kind not in _TEMPORALS:
            raise Unforeseen
        return look

    def _matched(self, inner: syntax.Expr, arguments: tuple[syntax.Expr, ...]) -> Look:
        """``name.matches('…')``: the engine's own answer, which is fast for a plain element."""
        kind, _ = self.operand(inner)
        pattern = _literal(arguments[0]) if len(arguments) == 1 else None
        if kind != "text" or not isinstance(inner, syntax.Member) or not isinstance(pattern, str):
            raise Unforeseen
        quoted = pattern.replace("\\", "\\\\").replace("'", "\\'")
        expression = fhirpath.compile(
            f"`{inner.name}`.matches('{quoted}')",
            definitions=self._definitions,
            root_type=self._shape.name,
        )
        environment = self._environment

        def look(value: Any, _resource: Any) -> Any:
            answer = expression(value, environment=environment)
            return answer[0] if answer else None

        return look

    def _text_call(self, focus: _Operand, name: str, arguments: list[Any]) -> _Operand:
        kind, look = focus
        if kind != "text":
            raise Unforeseen
        match name, arguments:
            case "length", []:
                return "whole", application(look, len)
            case "substring", [int(first), int(count)] if first >= 0 and count >= 0:
                return "text", application(
                    look, lambda text: text[first : first + count] if first < len(text) else None
                )
            case "replace", [str(old), str(new)] if old and len(new) <= len(old):
                return "text", application(look, lambda text: text.replace(old, new))
            case (("startsWith" | "endsWith" | "contains"), [str(part)]):
                test = _PARTS[name]
                return "truth", application(look, lambda text: test(text, part))
        raise Unforeseen

    def _today(self, _value: Any, _resource: Any) -> str:
        return (self._environment.now or clock.now()).date().isoformat()


def _literal(tree: syntax.Expr) -> Any:
    return tree.value if isinstance(tree, syntax.Literal) else None


def _kind_of_literal(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    return kind_of(
        "string" if type(value) is str else "integer" if type(value) is int else "decimal"
    )


def _is_text(value: Any) -> bool:
    return type(value) is str
