"""Form to prediction: operators and functions as look-ups.

http://hl7.org/fhirpath/N1/#operations

Part of `prediction`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fhir_bridge import clock
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath.evaluation import Environment
from fhir_bridge.fhirpath.form.steps import (
    Call,
    Constant,
    Form,
    Merge,
    OfResource,
    Operation,
    kind_of_literal,
)
from fhir_bridge.fhirpath.prediction.chains import kind_of, of_resource, presence, scalar, size
from fhir_bridge.fhirpath.prediction.logic import (
    LOGIC,
    UNKNOWN,
    Look,
    Unpredicted,
    always,
    application,
    are_alike,
    choice,
    comparison,
    negation,
    never,
)
from fhir_bridge.fhirpath_values import Model
from fhir_bridge.pattern import Costly, compile_pattern

__all__ = ["predict"]

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


def predict(form: Form, model: Model, environment: Environment) -> Look | None:
    """The prediction of a form that answers a boolean; None when there is none."""
    try:
        kind, look = _Reader(model, environment).operand(form)
    except Unpredicted:
        return None
    return look if kind == "truth" else None


class _Reader:
    def __init__(self, model: Model, environment: Environment) -> None:
        self._model = model
        self._environment = environment

    def operand(self, form: Form) -> _Operand:
        """Kind and value of `form`; raises Unpredicted."""
        match form:
            case Constant(value=str() | bool() | int() | Decimal() as value):
                return kind_of(kind_of_literal(value)), lambda _value, _resource: value
            case Operation(operator="and" | "or" | "implies" | "xor"):
                return "truth", self._logic(form)
            case Operation(operator="in"):
                return "truth", self._membership(form)
            case Operation(operator="+"):
                return "whole", self._sum(form)
            case Operation():
                return "truth", self._comparison(form)
            case Call():
                return self._call(form)
            case OfResource(name=name):
                return "text", of_resource(self._model, name, dates=False)
        return scalar(form)

    def _truth(self, form: Form) -> Look:
        """`form` as a condition; one that cannot be predicted is never sure."""
        try:
            kind, look = self.operand(form)
        except Unpredicted:
            return never
        return look if kind == "truth" else never

    def _sure(self, form: Form) -> Look:
        look = self._truth(form)
        if look is never:
            raise Unpredicted
        return look

    # --- operators -----------------------------------------------------------------------

    def _logic(self, form: Operation) -> Look:
        # The engine asks the left side first: what it raises must be seen.
        return LOGIC[form.operator](self._sure(form.left), self._truth(form.right))

    def _choice(self, condition: Form, then: Form, otherwise: Form) -> Look:
        """``iif(condition, then, otherwise)``: a condition without an answer is not met."""
        is_true = isinstance(otherwise, Constant) and otherwise.value is True
        last = always if is_true else self._truth(otherwise)
        return choice(self._sure(condition), self._truth(then), last)

    def _comparison(self, form: Operation) -> Look:
        test = _ORDER.get(form.operator)
        (kind, left), (other_kind, right) = self.operand(form.left), self.operand(form.right)
        if test is None:
            raise Unpredicted
        is_order = form.operator not in ("=", "!=")
        if kind in _TEMPORALS and kind == other_kind:
            return comparison(left, right, test, alike=are_alike)
        if {kind, other_kind} <= _NUMBERS:
            return comparison(left, right, test)
        if kind == other_kind and kind in ("text", "truth") and not is_order:
            return comparison(left, right, test)
        raise Unpredicted

    def _membership(self, form: Operation) -> Look:
        kind, left = self.operand(form.left)
        parts = form.right.parts if isinstance(form.right, Merge) else (form.right,)
        texts = {_literal(part) for part in parts}
        if kind != "text" or not all(type(text) is str for text in texts):
            raise Unpredicted
        return application(left, lambda text: text in texts)

    def _sum(self, form: Operation) -> Look:
        (kind, left), (other_kind, right) = self.operand(form.left), self.operand(form.right)
        if kind != "whole" or other_kind != "whole":
            raise Unpredicted
        return comparison(left, right, operator.add)

    # --- functions -----------------------------------------------------------------------

    def _call(self, call: Call) -> _Operand:
        match call:
            case Call(name="iif", arguments=(condition, then, otherwise)):
                return "truth", self._choice(condition, then, otherwise)
            case Call(name="today", arguments=()):
                return "date", self._today
            case Call(name="not", focus=focus, arguments=()):
                return "truth", negation(self._sure(focus))
            case Call(name="exists" | "hasValue" as name, focus=focus, arguments=()):
                return "truth", presence(focus, value=name == "hasValue")
            case Call(name="empty", focus=focus, arguments=()):
                return "truth", negation(presence(focus, value=False))
            case Call(name="count", focus=focus, arguments=()):
                return "whole", size(focus)
            case Call(name="toString", focus=focus, arguments=()):
                return "text", self._rendered(focus)
        kind, look = self.operand(call.focus)
        if kind != "text":
            raise Unpredicted
        return self._text_call(look, call.name, [_literal(each) for each in call.arguments])

    def _rendered(self, focus: Form) -> Look:
        """``toString()`` of a text or of a date: the text as it stands."""
        if isinstance(focus, OfResource):
            return of_resource(self._model, focus.name, dates=True)
        kind, look = self.operand(focus)
        if kind != "text" and kind not in _TEMPORALS:
            raise Unpredicted
        return look

    def _text_call(self, look: Look, name: str, arguments: list[Any]) -> _Operand:
        """A function of a text."""
        match name, arguments:
            case "length", []:
                return "whole", application(look, len)
            case "substring", [int(first), int(count)] if first >= 0 and count >= 0:
                return "text", application(
                    look, lambda text: text[first : first + count] if first < len(text) else None
                )
            case "replace", [str(old), str(new)] if old and len(new) <= len(old):
                return "text", application(look, lambda text: text.replace(old, new))
            case "matches", [str(pattern)]:
                return "truth", application(look, _matching(pattern))
            case (("startsWith" | "endsWith" | "contains"), [str(part)]):
                test = _PARTS[name]
                return "truth", application(look, lambda text: test(text, part))
        raise Unpredicted

    def _today(self, _value: Any, _resource: Any) -> str:
        return (self._environment.now or clock.now()).date().isoformat()


def _matching(source: str) -> Callable[[str], Any]:
    """``matches()`` of one text; what is refused or costly is the engine's."""
    try:
        pattern = compile_pattern(source)
    except BridgeError:
        raise Unpredicted from None

    def matches(text: str) -> Any:
        try:
            return pattern.search(text)
        except (BridgeError, Costly):
            return UNKNOWN

    return matches


def _literal(form: Form) -> Any:
    return form.value if isinstance(form, Constant) else None
