"""Comparisons of the fast path: the value of a path against literals.

Part of `plain`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from fhir_bridge.fhirpath import syntax
from fhir_bridge.fhirpath.model import SYSTEM_OF
from fhir_bridge.fhirpath.plain_streams import Streams
from fhir_bridge.fhirpath.plain_writing import TREE, NotPlain
from fhir_bridge.fhirpath.variables import FIXED

__all__ = ["TEXTS", "Comparisons"]

TEXTS = frozenset(name for name, system in SYSTEM_OF.items() if system == "String") | {
    "System.String",
    TREE,
}
_INTEGERS = frozenset(name for name, system in SYSTEM_OF.items() if system == "Integer")
_NUMBERS = _INTEGERS | {"decimal"}
_COMPARED = {"=": "==", "!=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}


class Comparisons(Streams):
    """The part of a function body that compares values."""

    def _comparison(self, tree: syntax.Binary, node: str, type_name: str) -> str:
        """A path against a string, boolean or integer literal."""
        path, literal = _written(tree.left), _written(tree.right)
        if isinstance(path, syntax.Literal):
            path, literal = literal, path
        if not isinstance(literal, syntax.Literal) or type(literal.value) not in (str, bool, int):
            raise NotPlain
        value = literal.value
        kinds = {"boolean"} if type(value) is bool else _INTEGERS if type(value) is int else TEXTS
        values = self._values(path, node, type_name, frozenset(kinds))
        answer = self.writer.fresh("t")
        if type(value) is bool:
            test = f"{answer}[0] is {value!r}"
        elif type(value) is int:
            test = f"type({answer}[0]) is int and {answer}[0] == {value!r}"
        else:
            test = f"{answer}[0] == {value!r}"
        same = f"(None if not ({answer} := {values}) else len({answer}) == 1 and {test})"
        if tree.operator == "=":
            return same
        other = self.writer.fresh("t")
        return f"(None if ({other} := {same}) is None else not {other})"

    def _ordered(self, tree: syntax.Binary, node: str, type_name: str) -> str:
        """A numeric path against a number."""
        right = tree.right
        if not isinstance(right, syntax.Literal) or type(right.value) not in (int, Decimal):
            raise NotPlain
        test = f"{{}} {_COMPARED[tree.operator]} {right.value!r}"
        return self._single(
            tree.left, node, type_name, _NUMBERS, lambda value: f"number({value}){test[2:]}"
        )

    def _membership(self, tree: syntax.Binary, node: str, type_name: str) -> str:
        """A path in a union of string literals."""
        right = tree.right
        while isinstance(right, syntax.Path) and not right.steps:
            right = right.start
        parts = right.parts if isinstance(right, syntax.Union) else (right,)
        texts = [part.value for part in parts if isinstance(part, syntax.Literal)]
        if len(texts) != len(parts) or not all(isinstance(text, str) for text in texts):
            raise NotPlain
        return self._single(
            tree.left,
            node,
            type_name,
            TEXTS - {TREE},
            lambda value: f"{value} in {tuple(texts)!r}",
        )

    def _counted(self, tree: syntax.Binary, inner: syntax.Expr, node: str, type_name: str) -> str:
        """``path.count()`` against an integer literal."""
        right = tree.right
        if tree.operator not in _COMPARED or not isinstance(right, syntax.Literal):
            raise NotPlain
        if type(right.value) is not int:
            raise NotPlain
        values = self._values(inner, node, type_name, None)
        return f"(len({values}) {_COMPARED[tree.operator]} {right.value!r})"

    def _boolean(self, tree: syntax.Expr, node: str, type_name: str) -> str:
        """A boolean element as it stands."""
        return self._single(
            tree, node, type_name, frozenset({"boolean"}), lambda value: f"truth({value})"
        )

    def _single(
        self,
        tree: syntax.Expr,
        node: str,
        type_name: str,
        kinds: frozenset[str],
        test: Callable[[str], str],
    ) -> str:
        """A test of the one value of a path; several values are the closures' to refuse."""
        values = self._values(tree, node, type_name, kinds)
        answer, helper = self.writer.fresh("t"), self.writer.fresh("f")
        body = self.another(["if len(node) > 1: raise Detour", "value = node[0]"])
        body.line("if type(value) is list or type(value) is dict: raise Detour")
        body.line(f"return {test('value')}")
        self.writer.function(helper, body)
        return f"(None if not ({answer} := {values}) else {helper}({answer}))"

    def _values(
        self, tree: syntax.Expr, node: str, type_name: str, kinds: frozenset[str] | None
    ) -> str:
        """A call of a new function that lists the values of `tree`.

        A value of a type outside `kinds` (None: any) is a detour, unless there are only such.
        """
        body = self.another(["out = []", "add = out.append"])
        fitting: list[bool] = []

        def sink(name: str, kind: str) -> None:
            fits = kinds is None or kind in kinds
            fitting.append(fits)
            body.line(f"add({name})" if fits else "raise Detour")

        body.stream(tree, "node", type_name, sink, exact=True)
        if not any(fitting):
            raise NotPlain
        body.line("return out")
        function = self.writer.fresh("f")
        self.writer.function(function, body)
        return f"{function}({node})"


def _written(tree: syntax.Expr) -> syntax.Expr:
    """A fixed constant such as ``%ucum`` as the literal it stands for."""
    if isinstance(tree, syntax.Constant) and tree.name in FIXED:
        return syntax.Literal(tree.offset, FIXED[tree.name])
    return tree
