"""Comparisons: the values of a chain against literals.

http://hl7.org/fhirpath/N1/#equality, http://hl7.org/fhirpath/N1/#comparison

Part of `writing`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from fhir_bridge.codegen import Unwritten
from fhir_bridge.fhirpath.form.steps import UNTYPED, Constant, Form, Merge, Operation
from fhir_bridge.fhirpath.writing.chains import Chains
from fhir_bridge.fhirpath_values import SYSTEM_OF

__all__ = ["TEXTS", "Comparisons", "constants"]

TEXTS = frozenset(name for name, system in SYSTEM_OF.items() if system == "String") | {
    "System.String",
    UNTYPED,
}
_INTEGERS = frozenset(name for name, system in SYSTEM_OF.items() if system == "Integer")
_NUMBERS = _INTEGERS | {"decimal"}
_COMPARED = {"=": "==", "!=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}


class Comparisons(Chains):
    """The part of a function body that compares values."""

    def comparison(self, form: Operation, node: str) -> str:
        """A chain against a string, boolean or integer literal."""
        chain, literal = form.left, form.right
        if isinstance(chain, Constant):
            chain, literal = literal, chain
        if not isinstance(literal, Constant) or type(literal.value) not in (str, bool, int):
            raise Unwritten("a comparison with more than a text, a boolean or a whole number")
        value = literal.value
        kinds = {"boolean"} if type(value) is bool else _INTEGERS if type(value) is int else TEXTS
        values = self.values(chain, node, frozenset(kinds))
        answer = self.fresh("t")
        if type(value) is bool:
            test = f"{answer}[0] is {value!r}"
        elif type(value) is int:
            test = f"type({answer}[0]) is int and {answer}[0] == {value!r}"
        else:
            test = f"{answer}[0] == {value!r}"
        same = f"(None if not ({answer} := {values}) else len({answer}) == 1 and {test})"
        if form.operator == "=":
            return same
        other = self.fresh("t")
        return f"(None if ({other} := {same}) is None else not {other})"

    def ordered(self, form: Operation, node: str) -> str:
        """A numeric chain against a number."""
        right = form.right
        if not isinstance(right, Constant) or type(right.value) not in (int, Decimal):
            raise Unwritten("an order of more than a number")
        test = f" {_COMPARED[form.operator]} {right.value!r}"
        return self.single(form.left, node, _NUMBERS, lambda value: f"number({value}){test}")

    def membership(self, form: Operation, node: str) -> str:
        """A chain in a union of string literals."""
        texts = constants(form.right)
        if texts is None:
            raise Unwritten("membership in more than a list of texts")
        return self.single(
            form.left, node, TEXTS - {UNTYPED}, lambda value: f"{value} in {texts!r}"
        )

    def counted(self, form: Operation, focus: Form, node: str) -> str:
        """``count()`` of a chain against an integer literal."""
        right = form.right
        if form.operator not in _COMPARED or not isinstance(right, Constant):
            raise Unwritten("count() with more than a whole number")
        if type(right.value) is not int:
            raise Unwritten("count() with more than a whole number")
        values = self.values(focus, node, None)
        return f"(len({values}) {_COMPARED[form.operator]} {right.value!r})"

    def boolean(self, form: Form, node: str) -> str:
        """A boolean element as it stands."""
        return self.single(form, node, frozenset({"boolean"}), lambda value: f"truth({value})")

    def single(
        self, form: Form, node: str, kinds: frozenset[str], test: Callable[[str], str]
    ) -> str:
        """A test of the one value of a chain; several are the interpreter's to refuse."""
        values = self.values(form, node, kinds)
        answer, helper, body = self.fresh("t"), self.fresh("f"), self.another()
        body.line("if len(node) > 1: raise Fallback")
        body.line("value = node[0]")
        body.line("if type(value) is list or type(value) is dict: raise Fallback")
        body.line(f"return {test('value')}")
        self.function(f"def {helper}(node):\n{body.body()}")
        return f"(None if not ({answer} := {values}) else {helper}({answer}))"

    def values(self, form: Form, node: str, kinds: frozenset[str] | None) -> str:
        """A call of a new function that lists the values of a chain.

        A value of a type outside `kinds` (None: any) is the interpreter's, unless there are
        only such.
        """
        body = self.another()
        body.line("out = []")
        body.line("add = out.append")
        fitting: list[bool] = []

        def sink(name: str, kind: str) -> None:
            fits = kinds is None or kind in kinds
            fitting.append(fits)
            body.line(f"add({name})" if fits else "raise Fallback")

        body.chain(form, "node", sink, exact=True)
        if not any(fitting):
            raise Unwritten("values of another type")
        return body.helper(node, "return out")


def constants(form: Form) -> tuple[str, ...] | None:
    """The texts of a union of text literals; None for anything else."""
    parts = form.parts if isinstance(form, Merge) else (form,)
    texts = [part.value for part in parts if isinstance(part, Constant)]
    if len(texts) != len(parts) or not all(type(text) is str for text in texts):
        return None
    return tuple(texts)
