"""Conditions of the fast path: Python expressions that are True, False or None.

Part of `plain`.
"""

from __future__ import annotations

from decimal import Decimal

from fhir_bridge.fhirpath import syntax
from fhir_bridge.fhirpath.model import PRIMITIVES
from fhir_bridge.fhirpath.plain_comparisons import TEXTS, Comparisons
from fhir_bridge.fhirpath.plain_writing import TREE, NotPlain

__all__ = ["Body", "is_condition"]

_TEXT_TESTS = {
    "startsWith": "{value}.startswith({literal})",
    "endsWith": "{value}.endswith({literal})",
    "contains": "{literal} in {value}",
    "matches": "matched({value}, {literal})",
}
_ENDINGS = frozenset({"exists", "empty", "not", "all", "hasValue", *_TEXT_TESTS})


def is_condition(tree: syntax.Expr) -> bool:
    """Whether the expression answers a boolean, so that it can be written as a condition."""
    match tree:
        case syntax.Binary():
            return True
        case syntax.Path(steps=(*_, syntax.Call(name=name))):
            return name in _ENDINGS
        case syntax.Path(steps=()):
            return is_condition(tree.start)
    return False


class Body(Comparisons):
    """The body of one function: elements, streams, comparisons and conditions."""

    def condition(self, tree: syntax.Expr, node: str, type_name: str) -> str:
        """A Python expression for `tree` as a condition on `node`."""
        match tree:
            case syntax.Path(steps=()):
                return self.condition(tree.start, node, type_name)
            case syntax.Literal(value=bool() as value):
                return repr(value)
            case syntax.Binary(operator="and" | "or" | "implies" | "xor"):
                return self._logic(tree, node, type_name)
            case syntax.Binary(operator="in"):
                return self._membership(tree, node, type_name)
            case syntax.Binary(left=syntax.Path(steps=(*before, syntax.Call(name="count")))):
                inner = _before(tree.left, tuple(before))
                return self._counted(tree, inner, node, type_name)
            case (
                syntax.Binary(operator="<" | ">" | "<=" | ">=")
                | syntax.Binary(operator="=", right=syntax.Literal(value=Decimal()))
            ):
                return self._ordered(tree, node, type_name)
            case syntax.Binary(operator="=" | "!="):
                return self._comparison(tree, node, type_name)
            case syntax.TypeTest(operator="is"):
                return self._resolved(tree, node, type_name)
            case syntax.Path(steps=(*before, syntax.Call(name=name) as call)) if name in _ENDINGS:
                inner = _before(tree, tuple(before))
                return self._ending(call, inner, node, type_name)
            case syntax.Path() | syntax.Member():
                return self._boolean(tree, node, type_name)
        raise NotPlain

    def _ending(self, call: syntax.Call, inner: syntax.Expr, node: str, type_name: str) -> str:
        """A path that ends in a function with a boolean answer."""
        name = call.name
        if name == "not":
            answer = self.writer.fresh("t")
            asked = self.condition(inner, node, type_name)
            return f"(None if ({answer} := {asked}) is None else not {answer})"
        if name == "exists":
            return self._existence(inner, call.arguments, node, type_name)
        if name == "empty":
            return f"(not {self._existence(inner, (), node, type_name)})"
        if name == "all":
            return self._all(inner, call.arguments[0], node, type_name)
        if name == "hasValue":
            values = self._values(inner, node, type_name, PRIMITIVES | {"System.String"})
            return f"(len({values}) == 1)"
        match call.arguments:
            case (syntax.Literal(value=str() as literal),):
                test = _TEXT_TESTS[name]
                return self._single(
                    inner,
                    node,
                    type_name,
                    TEXTS - {TREE},
                    lambda value: test.format(value=value, literal=repr(literal)),
                )
        raise NotPlain

    def _logic(self, tree: syntax.Binary, node: str, type_name: str) -> str:
        left = self.condition(tree.left, node, type_name)
        right = self.condition(tree.right, node, type_name)
        one, other = self.writer.fresh("t"), self.writer.fresh("t")
        if tree.operator == "and":
            return (
                f"(False if ({one} := {left}) is False else False if ({other} := {right}) is False"
                f" else True if {one} and {other} else None)"
            )
        if tree.operator == "or":
            return (
                f"(True if ({one} := {left}) else True if ({other} := {right})"
                f" else False if {one} is False and {other} is False else None)"
            )
        if tree.operator == "xor":
            return (
                f"(None if ({one} := {left}) is None or ({other} := {right}) is None"
                f" else {one} != {other})"
            )
        return (
            f"(True if ({one} := {left}) is False else True if ({other} := {right})"
            f" else None if {one} is None else {other})"
        )

    def _existence(
        self, tree: syntax.Expr, criteria: tuple[syntax.Expr, ...], node: str, type_name: str
    ) -> str:
        """A call of a new function that stops at the first item."""
        if criteria:
            where = syntax.Call(tree.offset, "where", criteria)
            tree = _after(tree, where)
        return self._stopping(tree, node, type_name, "return True", "return False")

    def _all(self, tree: syntax.Expr, criteria: syntax.Expr, node: str, type_name: str) -> str:
        """A call of a new function that stops at the first item that fails the criteria."""
        body = self.another([])

        def sink(name: str, kind: str) -> None:
            body.line(f"if {body.condition(criteria, name, kind)} is not True: return False")

        body.stream(tree, "node", type_name, sink, exact=True)
        return self._finished(body, node, "return True")

    def _stopping(
        self, tree: syntax.Expr, node: str, type_name: str, found: str, otherwise: str
    ) -> str:
        body = self.another([])
        body.stream(tree, "node", type_name, lambda _name, _kind: body.line(found), exact=True)
        return self._finished(body, node, otherwise)

    def _finished(self, body: Body, node: str, last: str) -> str:
        body.line(last)
        function = self.writer.fresh("f")
        self.writer.function(function, body)
        return f"{function}({node})"

    def _resolved(self, tree: syntax.TypeTest, node: str, type_name: str) -> str:
        """``resolve() is T`` on a Reference: told by the text of the reference."""
        match tree.operand:
            case syntax.Call(name="resolve", arguments=()):
                if type_name == "Reference" and tree.type_name in self.model.type_names:
                    return f"refers({node}, {tree.type_name!r})"
        raise NotPlain


def _before(tree: syntax.Expr, steps: tuple[syntax.Expr, ...]) -> syntax.Expr:
    """The path without its last step."""
    if not isinstance(tree, syntax.Path):
        raise NotPlain
    return syntax.Path(tree.offset, tree.start, steps) if steps else tree.start


def _after(tree: syntax.Expr, step: syntax.Expr) -> syntax.Expr:
    """The path with one more step."""
    if isinstance(tree, syntax.Path):
        return syntax.Path(tree.offset, tree.start, (*tree.steps, step))
    return syntax.Path(tree.offset, tree, (step,))
