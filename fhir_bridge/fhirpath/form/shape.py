"""The syntax of a path in one shape, however it is written.

http://hl7.org/fhirpath/N1/#expressions

Part of `lowering`: parentheses opened, ``x as T`` as a step, positions found.
"""

from __future__ import annotations

from fhir_bridge.fhirpath.language import syntax

__all__ = ["after", "before_last", "cast", "first_at", "flattened"]

_Steps = tuple[syntax.Expr, ...]


def flattened(steps: _Steps) -> _Steps | None:
    """Steps with a path in parentheses at the start opened.

    None for a position that is no whole number: it is an error even where nothing stands.
    """
    first = steps[0]
    while isinstance(first, syntax.Path):
        steps = (first.start, *first.steps, *steps[1:])
        first = steps[0]
    for step in steps:
        if isinstance(step, syntax.Index) and not _is_whole(step.position):
            return None
    if isinstance(first, syntax.TypeTest) and first.operator == "as":
        return flattened((first.operand, cast(first), *steps[1:]))
    return steps


def first_at(steps: _Steps) -> int:
    """Where the first ``first()`` or ``[0]`` stands; 0 when there is none."""
    for place, step in enumerate(steps):
        match step:
            case syntax.Call(name="first", arguments=()):
                return place
            case syntax.Index(position=syntax.Literal(value=0)):
                return place
    return 0


def cast(tree: syntax.TypeTest) -> syntax.Call:
    """``x as T`` as the step ``as(T)``."""
    names = [syntax.Member(tree.offset, name) for name in tree.type_name.split(".")]
    start, *rest = names
    name = syntax.Path(tree.offset, start, tuple(rest)) if rest else start
    return syntax.Call(tree.offset, "as", (name,))


def before_last(tree: syntax.Path) -> syntax.Expr:
    """The path without its last step."""
    steps = tree.steps[:-1]
    return syntax.Path(tree.offset, tree.start, steps) if steps else tree.start


def after(tree: syntax.Expr, step: syntax.Expr) -> syntax.Expr:
    """The path with one more step."""
    if isinstance(tree, syntax.Path):
        return syntax.Path(tree.offset, tree.start, (*tree.steps, step))
    return syntax.Path(tree.offset, tree, (step,))


def _is_whole(position: syntax.Expr) -> bool:
    return isinstance(position, syntax.Literal) and type(position.value) is int
