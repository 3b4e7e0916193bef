"""Lowering of paths: names and filters to typed steps.

http://hl7.org/fhirpath/N1/#path-selection

Part of `lowering`.  A path is lowered from its start; `then` says what comes after an item
of a type, so that every branch of a choice element is lowered with its own type.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from fhir_bridge.fhirpath.form.shape import cast, first_at, flattened
from fhir_bridge.fhirpath.form.steps import (
    UNTYPED,
    Child,
    Dynamic,
    Field,
    First,
    Form,
    Item,
    Merge,
    NoType,
    Unsupported,
    UrlIs,
    Where,
    item_types,
)
from fhir_bridge.fhirpath.language import syntax
from fhir_bridge.fhirpath_values import PRIMITIVES, Member, Model

__all__ = ["Paths", "Then"]

Then = Callable[[str], Form]
_Steps = tuple[syntax.Expr, ...]

_MAX_BRANCHES = 6
_MAX_STEPS = 5_000
"""Steps of one form: choices that follow each other multiply."""
_LEAVES = PRIMITIVES | {"System.String", "", "Resource"}
_EMPTY_FROM_EMPTY = frozenset({"where", "select", "ofType", "as", "first", "last", "tail"})


class Paths(ABC):
    """Lowers paths on items of a known type."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._left = _MAX_STEPS

    @abstractmethod
    def value(self, tree: syntax.Expr, kind: str) -> Form:
        """Any expression on an item of type `kind` (`lowering`)."""

    def stream(self, tree: syntax.Expr, kind: str, then: Then = Item) -> Form:
        """The chain of a path on an item of type `kind`."""
        match tree:
            case syntax.Path():
                return self._steps((tree.start, *tree.steps), kind, then)
            case syntax.Special(name="this"):
                return then(kind)
            case syntax.Union():
                return self._merge(tree, kind, then)
            case syntax.TypeTest(operator="as"):
                return self._steps((tree.operand, cast(tree)), kind, then)
            case syntax.Member() | syntax.Call():
                return self._steps((tree,), kind, then)
        return Unsupported(f"a path from {type(tree).__name__.lower()}")

    def _steps(self, steps: _Steps, kind: str, then: Then) -> Form:
        """The steps of a path, of which the first may be a type or any stream."""
        flat = flattened(steps)
        if flat is None:
            return Unsupported("a position that is no whole number")
        if cut := first_at(flat):
            return self._first(flat[:cut], flat[cut + 1 :], kind, then)
        first, *others = flat
        rest = tuple(others)
        if isinstance(first, syntax.Member) and first.name[:1].isupper():
            if kind == UNTYPED:
                return NoType(self._follow(flat, kind, then))
            if self.model.is_a(kind, first.name):
                return self._follow(rest, kind, then)
            if self.model.is_resource(first.name) and not self.model.members(kind, first.name):
                return Child(first.name, ())  # a path on another type of resource finds nothing
        if isinstance(first, syntax.Member | syntax.Call):
            return self._follow(flat, kind, then)
        return self.stream(first, kind, lambda own: self._follow(rest, own, then))

    def _first(self, before: _Steps, rest: _Steps, kind: str, then: Then) -> Form:
        """``first()`` or ``[0]``."""
        chain = self._steps(before, kind, Item)
        kinds = set(item_types(chain))
        if len(kinds) != 1:
            return Unsupported("first() of items that may have several types", True)
        own = kinds.pop()
        return First(chain, self._onward(rest, own, then) if rest else then(own))

    def _follow(self, steps: _Steps, kind: str, then: Then) -> Form:
        """The steps behind an item of type `kind`."""
        self._left -= 1
        if self._left < 0:
            return Unsupported("the form would be too large")
        if not steps:
            return then(kind)
        step, rest = steps[0], steps[1:]
        match step:
            case syntax.Member(name=name):
                return self._child(name, rest, kind, then)
            case syntax.Call(name="where", arguments=(criteria,)):
                return Where(self.value(criteria, kind), self._follow(rest, kind, then))
            case syntax.Call(name="ofType", arguments=(argument,)) if kind != UNTYPED:
                fits = self._fits(kind, syntax.type_name_of(argument) or "?")
                if fits is None:
                    return _unsupported(step, rest)
                return self._follow(rest, kind, then) if fits else Child("ofType", ())
            case syntax.Call(name="extension", arguments=(syntax.Literal(value=str() as url),)):
                return self._extension(url, rest, kind, then)
        return _unsupported(step, rest)

    def _onward(self, rest: _Steps, kind: str, then: Then) -> Form:
        """The steps behind a child; what only the JSON can type (contained) is dynamic."""
        if rest and kind in ("Resource", ""):
            return Dynamic()
        return self._follow(rest, kind, then)

    def _child(self, name: str, rest: _Steps, kind: str, then: Then) -> Form:
        if kind == UNTYPED:
            field = Field(name, UNTYPED, False, False, "", False)
            return Child(name, ((field, self._follow(rest, UNTYPED, then)),))
        members = None if kind in _LEAVES else self.model.members(kind, name)
        if not members or self.model.definitions is None:
            return Unsupported(f"{kind or 'an item of unknown type'} has no element {name}")
        if members[0].choice:
            chosen = self._chosen(members, rest)
            if chosen is None:
                return _unsupported(rest[0], rest[1:])
            members, rest = chosen
        if rest and len(members) > _MAX_BRANCHES:
            return Unsupported(f"{name} may have more than {_MAX_BRANCHES} types", True)
        if not rest and any(member.type_name == "" for member in members):
            return Unsupported(f"the type of {name} is not said")
        elements = self.model.definitions.types[kind].elements
        return Child(
            name,
            tuple(
                (
                    _field(member, is_list=elements[member.key].is_list),
                    self._onward(rest, member.type_name, then),
                )
                for member in members
            ),
        )

    def _chosen(
        self, members: tuple[Member, ...], rest: _Steps
    ) -> tuple[tuple[Member, ...], _Steps] | None:
        """The forms of a choice that the next step leaves, and the steps behind that."""
        match rest:
            case (syntax.Call(name="ofType" | "as", arguments=(argument,)), *_):
                wanted = syntax.type_name_of(argument) or "?"
                fits = [self._fits(member.type_name, wanted) for member in members]
                if None in fits:
                    return None
                left = tuple(m for m, fit in zip(members, fits, strict=True) if fit)
                return left, rest[1:]
            case (syntax.Member(name=name), *_):
                return tuple(m for m in members if self.model.members(m.type_name, name)), rest
        return members, rest

    def _fits(self, kind: str, wanted: str) -> bool | None:
        """Whether every value of type `kind` passes ``ofType(wanted)``; None: not told."""
        if wanted.startswith("System.") or not self.model.has_type(wanted):
            return None
        local = wanted.removeprefix("FHIR.")
        if kind in PRIMITIVES:
            return local in (kind, "Element")
        if kind in ("", "Resource", "System.String"):
            return None
        return self.model.is_a(kind, local)

    def _extension(self, url: str, rest: _Steps, kind: str, then: Then) -> Form:
        """``extension(url)`` of a structure."""
        members = None if kind in (*_LEAVES, UNTYPED) else self.model.members(kind, "extension")
        if not members:
            return Unsupported(f"extension() of {kind or 'an item of unknown type'}")
        (member,) = members
        after = UrlIs(url, self._follow(rest, member.type_name, then))
        return Child("extension", ((_field(member, is_list=True), after),))

    def _merge(self, tree: syntax.Union, kind: str, then: Then) -> Form:
        """``|``; the parts must agree on what comes after."""
        parts = tuple(self.stream(part, kind) for part in tree.parts)
        kinds = sorted({name for part in parts for name in item_types(part)})
        if len(kinds) > 1 and {UNTYPED, "Resource"} & set(kinds):
            return Unsupported("a union of items whose types only the JSON tells")
        return Merge(parts, tuple((name, then(name)) for name in kinds))


def _field(member: Member, *, is_list: bool) -> Field:
    primitive = member.primitive or member.type_name == "System.String"
    return Field(member.key, member.type_name, is_list, primitive, member.sibling, member.choice)


def _unsupported(step: syntax.Expr, rest: _Steps) -> Unsupported:
    """A step without a lowering, and the steps behind it."""
    name = step.name if isinstance(step, syntax.Call) else ""
    reason = f"the function {name}()" if name else f"a step of {type(step).__name__.lower()}"
    empty = name in _EMPTY_FROM_EMPTY and all(
        isinstance(each, syntax.Member)
        or (isinstance(each, syntax.Call) and each.name in _EMPTY_FROM_EMPTY)
        for each in rest
    )
    return Unsupported(reason, empty)
