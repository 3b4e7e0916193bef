"""Conditions of rules as generated Python, where the FHIRPath is simple.

Part of `generate`: existence, comparison with a literal, ``matches``, ``in`` and logic over
the children of a node or of a variable.  The value of a condition is True, False or None
(empty, http://hl7.org/fhirpath/N1/#boolean-logic); a node of another kind than the text was
written for is a `Detour`, and FHIRPath itself answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath import syntax
from fhir_bridge.transform.expressions import CompiledExpression
from fhir_bridge.transform.shapes import Shape
from fhir_bridge.transform.source import Item

if TYPE_CHECKING:
    from fhir_bridge.transform.generate import GroupWriter

__all__ = ["CONDITION_PARTS", "NotSimple", "write_condition"]

_TEXT_TYPES = frozenset({"string", "code", "uri", "url", "canonical", "id", "markdown", "oid"})
_SHORT = 64


class NotSimple(Exception):  # noqa: N818 - not an error: FHIRPath evaluates it
    """The expression needs the engine."""


class Detour(Exception):  # noqa: N818 - as above
    """This node needs the engine."""


def write_condition(writer: GroupWriter, expression: CompiledExpression, general: str) -> str:
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

    def __init__(self, writer: GroupWriter, slots: Mapping[str, int]) -> None:
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
                literal = _unwrapped(right)
                if isinstance(literal, syntax.Literal) and type(literal.value) in {str, bool}:
                    test = "same_text" if type(literal.value) is str else "same_truth"
                    answer = f"{test}({self._operand(tree.left)}, {literal.value!r})"
                    return answer if tree.operator == "=" else f"negated({answer})"
            case syntax.Binary(operator="in", right=right):
                return f"one_of({self._operand(tree.left)}, {_texts(right)!r})"
            case syntax.Path(start=start, steps=(*before, syntax.Call() as call)):
                focus = syntax.Path(tree.offset, start, tuple(before)) if before else start
                return self._call(focus, call)
            case syntax.Call():
                return self._call(syntax.Special(tree.offset, "this"), tree)
        raise NotSimple

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
                    compiled = fhirpath.compile_pattern(source.value, "", _SHORT)
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


# what the written conditions call


def _root(item: Item) -> Any:
    """The node of an item whose type does not change how a text is read."""
    _plainly_read(item.shape)
    return item.value


def _variable(value: Any) -> Any:
    if type(value) is Item:
        if value.shape is not None and value.shape.name != "boolean":
            _plainly_read(value.shape)
        return value.value
    if value is None:
        return None
    raise Detour


def _plainly_read(shape: Shape | None) -> None:
    if shape is not None and not shape.is_open and shape.name not in _TEXT_TYPES:
        raise Detour


def _tree(node: Any) -> Any:
    """A node that has children and is no FHIR JSON."""
    if type(node) is dict:
        raise Detour
    return node


def _untyped(node: Any) -> Any:
    """As `_tree`, where a name may be a type: the node has none."""
    if type(node) is dict or getattr(node, "type_name", None):
        raise Detour
    return node


def _child(value: Any, name: str) -> Any:
    if value is None:
        return None
    if type(value) is list:
        found: list[Any] = []
        for one in value:
            child = _child(one, name)
            found += child if type(child) is list else [child]
        return found
    return _tree(value).get(name)


def _there(value: Any) -> bool:
    if type(value) is list:
        return any(one is not None for one in value)
    return value is not None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if value is None:
        return None
    if type(value) is list:
        given = [one for one in value if one is not None]
        if len(given) < 2:
            return _text(given[0]) if given else None
    raise Detour


def _same_text(value: Any, literal: str) -> bool | None:
    text = _text(value)
    return None if text is None else text == literal


def _same_truth(value: Any, literal: bool) -> bool | None:
    if value is None:
        return None
    if type(value) is not bool:
        raise Detour
    return value is literal


def _one_of(value: Any, texts: tuple[str, ...]) -> bool | None:
    text = _text(value)
    return None if text is None else text in texts


def _matches(value: Any, source: str, search: Any) -> bool | None:
    text = _text(value)
    if text is None:
        return None
    if len(text) > _SHORT:
        search = fhirpath.compile_pattern(source, "", len(text)).search
    return search(text) is not None


def _negated(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


CONDITION_PARTS: dict[str, Any] = {
    "DETOURS": (Detour, AttributeError, TypeError, BridgeError),
    "child": _child,
    "matches": _matches,
    "negated": _negated,
    "one_of": _one_of,
    "root": _root,
    "same_text": _same_text,
    "same_truth": _same_truth,
    "there": _there,
    "tree": _tree,
    "untyped": _untyped,
    "variable": _variable,
}
"""The names that written conditions use."""
