"""The syntax tree of a FHIRPath expression (http://hl7.org/fhirpath/N1/grammar.html).

A chain ``a.b.c[0].where(x)`` is one :class:`Path` with flat steps, and ``a | b | c`` one
:class:`Union`, so that long expressions do not nest deeply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = [
    "Binary",
    "Call",
    "Constant",
    "Expr",
    "Index",
    "Instance",
    "Literal",
    "Member",
    "Path",
    "SortKey",
    "Special",
    "TypeTest",
    "Unary",
    "Union",
    "before_resolve",
    "defines_variable",
    "type_name_of",
]


@dataclass(frozen=True, slots=True)
class Expr:
    """Any expression; `offset` is where it starts in the text."""

    offset: int


@dataclass(frozen=True, slots=True)
class Literal(Expr):
    """A literal as a System value; `value` None is the empty collection ``{}``."""

    value: Any


@dataclass(frozen=True, slots=True)
class Special(Expr):
    """``$this``, ``$index`` or ``$total`` (name without the sign)."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant(Expr):
    """``%name``: an environment variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Member(Expr):
    """A name: an element of the focus, or a type at the start of a path."""

    name: str


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """A function call on the focus."""

    name: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Index(Expr):
    """``[expression]``."""

    position: Expr


@dataclass(frozen=True, slots=True)
class Path(Expr):
    """A start and the steps that follow it."""

    start: Expr
    steps: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Unary(Expr):
    """``+x`` or ``-x``."""

    operator: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    """An operator with two operands."""

    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Union(Expr):
    """``a | b | …``."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class TypeTest(Expr):
    """``x is T`` or ``x as T``; `type_name` may be qualified (``FHIR.Patient``)."""

    operator: str
    operand: Expr
    type_name: str


@dataclass(frozen=True, slots=True)
class SortKey(Expr):
    """A key of ``sort()`` with ``asc`` or ``desc`` behind it."""

    key: Expr
    descending: bool


@dataclass(frozen=True, slots=True)
class Instance(Expr):
    """``Coding { system: 's', code: gender }``: a new structure."""

    type_name: str
    elements: tuple[tuple[str, Expr], ...]


def type_name_of(expression: Expr) -> str | None:
    """The (qualified) type name that `expression` spells, or None if it is no type name."""
    if isinstance(expression, Member):
        return expression.name
    if isinstance(expression, Path) and isinstance(expression.start, Member):
        names = [expression.start.name]
        for step in expression.steps:
            if not isinstance(step, Member):
                return None
            names.append(step.name)
        return ".".join(names)
    return None


def before_resolve(tree: Expr) -> Expr | None:
    """What stands before a closing ``.resolve()``; None when the tree has none."""
    match tree:
        case Call(name="resolve", arguments=()):
            return Special(tree.offset, "this")
        case Path(steps=(*before, Call(name="resolve", arguments=()))):
            return Path(tree.offset, tree.start, tuple(before)) if before else tree.start
    return None


def defines_variable(tree: Expr) -> bool:
    """Whether the spine of the tree defines a variable (arguments have scopes of their own)."""
    if isinstance(tree, Path):
        return defines_variable(tree.start) or any(defines_variable(part) for part in tree.steps)
    return isinstance(tree, Call) and tree.name == "defineVariable"
