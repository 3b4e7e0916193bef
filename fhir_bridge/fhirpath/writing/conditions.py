"""Conditions as Python expressions that are True, False or None.

http://hl7.org/fhirpath/N1/#boolean-logic

Part of `writing`.
"""

from __future__ import annotations

from decimal import Decimal

from fhir_bridge.codegen import Unwritten
from fhir_bridge.fhirpath.form.steps import (
    UNTYPED,
    Call,
    Constant,
    Form,
    Operation,
    RefersTo,
    Unsupported,
)
from fhir_bridge.fhirpath.writing.comparisons import TEXTS, Comparisons
from fhir_bridge.fhirpath.writing.logic import three_valued
from fhir_bridge.fhirpath_values import PRIMITIVES

__all__ = ["Body", "is_condition"]

_TEXT_TESTS = {
    "startsWith": "{value}.startswith({literal})",
    "endsWith": "{value}.endswith({literal})",
    "contains": "{literal} in {value}",
    "matches": "matched({value}, {literal})",
}


def is_condition(form: Form) -> bool:
    """Whether the form answers a boolean, so that it can be written as a condition."""
    return isinstance(form, Operation | Call)


class Body(Comparisons):
    """The body of one function: chains, comparisons and conditions."""

    def condition(self, form: Form, node: str) -> str:
        """A Python expression for `form` as a condition on `node`."""
        match form:
            case Unsupported(reason=reason):
                raise Unwritten(reason)
            case Constant(value=bool() as value):
                return repr(value)
            case Operation(operator="and" | "or" | "implies" | "xor"):
                return self._logic(form, node)
            case Operation(operator="in"):
                return self.membership(form, node)
            case Operation(left=Call(name="count", focus=focus)):
                return self.counted(form, focus, node)
            case (
                Operation(operator="<" | ">" | "<=" | ">=")
                | Operation(operator="=", right=Constant(value=Decimal()))
            ):
                return self.ordered(form, node)
            case Operation(operator="=" | "!="):
                return self.comparison(form, node)
            case Operation(operator=operator):
                raise Unwritten(f"the operator {operator}")
            case RefersTo(type=name):
                return f"refers({node}, {name!r})"
            case Call():
                return self._call(form, node)
        return self.boolean(form, node)

    def _call(self, call: Call, node: str) -> str:
        """A function with a boolean answer."""
        match call:
            case Call(name="not", focus=focus, arguments=()):
                answer = self.fresh("t")
                asked = self.condition(focus, node)
                return f"(None if ({answer} := {asked}) is None else not {answer})"
            case Call(name="exists" | "empty", focus=focus, arguments=()):
                body = self.another()
                body.chain(focus, "node", lambda _name, _kind: body.line("return True"), exact=True)
                found = body.helper(node, "return False")
                return found if call.name == "exists" else f"(not {found})"
            case Call(name="all", focus=focus, arguments=()):
                body = self.another()
                body.chain(focus, "node", _no_item, exact=True)
                return body.helper(node, "return True")
            case Call(name="hasValue", focus=focus, arguments=()):
                values = self.values(focus, node, PRIMITIVES | {"System.String"})
                return f"(len({values}) == 1)"
            case Call(name=name, focus=focus, arguments=(Constant(value=str() as literal),)):
                if test := _TEXT_TESTS.get(name):
                    return self.single(
                        focus,
                        node,
                        TEXTS - {UNTYPED},
                        lambda value: test.format(value=value, literal=repr(literal)),
                    )
        raise Unwritten(f"the function {call.name}() as a condition")

    def _logic(self, form: Operation, node: str) -> str:
        left, right = self.condition(form.left, node), self.condition(form.right, node)
        return three_valued(form.operator, left, right, self.fresh)


def _no_item(_name: str, _kind: str) -> None:
    """The items of ``all`` end in a check, which writes what happens with them."""
