"""Conditions of the fast path: Python expressions that are True, False or None.

Part of `plain`, which writes the streams of items that conditions are about.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from fhir_bridge.fhirpath import syntax
from fhir_bridge.fhirpath.model import PRIMITIVES, SYSTEM_OF, Model
from fhir_bridge.fhirpath.variables import FIXED

if TYPE_CHECKING:
    from fhir_bridge.fhirpath.plain_streams import Body, Writer

__all__ = ["TREE", "Conditions", "Detour", "NotPlain", "is_condition"]

TREE = "*"  # the type of a node of the tree protocol that is no dict: only get() is known
_TEXTS = frozenset(name for name, system in SYSTEM_OF.items() if system == "String") | {
    "System.String",
    TREE,
}
_INTEGERS = frozenset(name for name, system in SYSTEM_OF.items() if system == "Integer")
_NUMBERS = _INTEGERS | {"decimal"}
_COMPARED = {"=": "==", "!=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_TEXT_TESTS = {
    "startsWith": "{value}.startswith({literal})",
    "endsWith": "{value}.endswith({literal})",
    "contains": "{literal} in {value}",
    "matches": "matched({value}, {literal})",
}
_ENDINGS = frozenset({"exists", "empty", "not", "all", "hasValue", *_TEXT_TESTS})


class NotPlain(Exception):  # noqa: N818 - not an error: another engine takes over
    """The expression needs the closures."""


class Detour(Exception):  # noqa: N818 - as above
    """This input needs the closures."""


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


class Conditions:
    """The part of a function body that writes conditions."""

    writer: Writer
    model: Model
    line: Callable[[str], None]
    another: Callable[[list[str]], Body]

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
                    _TEXTS - {TREE},
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

    def _comparison(self, tree: syntax.Binary, node: str, type_name: str) -> str:
        """A path against a string, boolean or integer literal."""
        path, literal = _written(tree.left), _written(tree.right)
        if isinstance(path, syntax.Literal):
            path, literal = literal, path
        if not isinstance(literal, syntax.Literal) or type(literal.value) not in (str, bool, int):
            raise NotPlain
        value = literal.value
        kinds = {"boolean"} if type(value) is bool else _INTEGERS if type(value) is int else _TEXTS
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
            _TEXTS - {TREE},
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


def _written(tree: syntax.Expr) -> syntax.Expr:
    """A fixed constant such as ``%ucum`` as the literal it stands for."""
    if isinstance(tree, syntax.Constant) and tree.name in FIXED:
        return syntax.Literal(tree.offset, FIXED[tree.name])
    return tree


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
