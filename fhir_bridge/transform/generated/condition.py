"""Conditions of rules as generated Python, where the FHIRPath is simple.

Existence, comparison with a literal, ``matches``, ``in`` and logic over the children of a node
or of a variable.  The value of a condition is True, False or None
(empty, http://hl7.org/fhirpath/N1/#boolean-logic); a node of another kind than the text was
written for is a `Detour`, and FHIRPath itself answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir.marks import NULL
from fhir_bridge.fhirpath import syntax
from fhir_bridge.transform.expressions import CompiledExpression
from fhir_bridge.transform.generated.condition_parts import SHORT_TEXT

if TYPE_CHECKING:
    from fhir_bridge.transform.generated.text import FunctionText

__all__ = ["NotSimple", "write_condition"]


class NotSimple(Exception):  # noqa: N818 - not an error: FHIRPath evaluates it
    """The expression needs the engine."""


def write_condition(writer: FunctionText, expression: CompiledExpression, general: str) -> str:
    """The name of a function ``(run, frame, item)``; `general` is the one that always works."""
    condition = _Condition(writer, expression.variable_slots)
    try:
        answer = condition.write(fhirpath.parse(expression.source))
    except BridgeError:
        raise NotSimple from None
    name = writer.fresh("condition")
    writer.function(
        f"def {name}(run, frame, item):\n"
        "    try:\n"
        f"        {'node = root(item)' if condition.uses_node else 'pass'}\n"
        f"        return ({answer}) is True\n"
        "    except DETOURS:\n"
        f"        return {general}(run, frame, item)\n"
    )
    return name


class _Condition:
    """Writes one expression; `slots` are those of the variables that it may read."""

    def __init__(self, writer: FunctionText, slots: Mapping[str, int]) -> None:
        self._writer = writer
        self._slots = slots
        self.uses_node = False

    def write(self, tree: syntax.Expr) -> str:
        """A Python expression that is True, False or None."""
        match tree:
            case syntax.Path(steps=()):
                return self.write(tree.start)
            case syntax.Binary(operator="and" | "or"):
                return self._logic(tree)
            case syntax.Binary(operator="=" | "!=", right=right):
                literal = self._literal(right)
                if literal is not None:
                    test = "same_text" if type(literal) is str else "same_truth"
                    answer = f"{test}({self._operand(tree.left)}, {literal!r})"
                    return answer if tree.operator == "=" else f"negated({answer})"
            case syntax.Binary(operator="in", right=right):
                return f"one_of({self._operand(tree.left)}, {_texts(right)!r})"
            case syntax.Path(start=start, steps=(*before, syntax.Call() as call)):
                focus = syntax.Path(tree.offset, start, tuple(before)) if before else start
                return self._call(focus, call)
            case syntax.Call():
                return self._call(syntax.Special(tree.offset, "this"), tree)
        raise NotSimple

    def _literal(self, tree: syntax.Expr) -> str | bool | None:
        """A text or truth that is written out, or ``%null``; None for anything else."""
        match _unwrapped(tree):
            case syntax.Literal(value=str() | bool() as value):
                return value
            case syntax.Constant(name="null") if "null" not in self._slots:
                return NULL
        return None

    def _logic(self, tree: syntax.Binary) -> str:
        left, right = self.write(tree.left), self.write(tree.right)
        one, other = self._writer.fresh("t"), self._writer.fresh("t")
        if tree.operator == "and":
            return (
                f"(False if ({one} := {left}) is False else False if ({other} := {right}) is False"
                f" else True if {one} and {other} else None)"
            )
        return (
            f"(True if ({one} := {left}) else True if ({other} := {right})"
            f" else False if {one} is False and {other} is False else None)"
        )

    def _call(self, focus: syntax.Expr, call: syntax.Call) -> str:
        match call:
            case syntax.Call(name="not", arguments=()):
                return f"negated({self.write(focus)})"
            case syntax.Call(name="exists", arguments=()):
                return f"there({self._operand(focus)})"
            case syntax.Call(name="empty", arguments=()):
                return f"(not there({self._operand(focus)}))"
            case syntax.Call(name="matches", arguments=(pattern,)):
                source = _unwrapped(pattern)
                if isinstance(source, syntax.Literal) and type(source.value) is str:
                    compiled = fhirpath.compile_pattern(source.value, "", SHORT_TEXT)
                    known = self._writer.bind(compiled.search, "search")
                    return f"matches({self._operand(focus)}, {source.value!r}, {known})"
        raise NotSimple

    def _operand(self, tree: syntax.Expr) -> str:
        """A path of names as an expression for None, one value or a list."""
        inner = _unwrapped(tree)
        steps: tuple[syntax.Expr, ...] = ()
        if isinstance(inner, syntax.Path):
            steps, inner = inner.steps, inner.start
        match inner:
            case syntax.Special(name="this"):
                self.uses_node = True
                found = "node"
            case syntax.Member(name=name):
                self.uses_node = True
                guard = "untyped" if name[:1].isupper() else "tree"
                found = f"{guard}(node).get({name!r})"
            case syntax.Constant(name=name) if name in self._slots:
                found = f"variable(frame[{self._slots[name]}])"
            case _:
                raise NotSimple
        for step in steps:
            if not isinstance(step, syntax.Member):
                raise NotSimple
            found = f"child({found}, {step.name!r})"
        return found


def _unwrapped(tree: syntax.Expr) -> syntax.Expr:
    while isinstance(tree, syntax.Path) and not tree.steps:
        tree = tree.start
    return tree


def _texts(tree: syntax.Expr) -> tuple[str, ...]:
    tree = _unwrapped(tree)
    parts = [_unwrapped(part) for part in tree.parts] if isinstance(tree, syntax.Union) else [tree]
    texts = [part.value for part in parts if isinstance(part, syntax.Literal)]
    if len(texts) != len(parts) or not all(type(text) is str for text in texts):
        raise NotSimple
    return tuple(texts)
