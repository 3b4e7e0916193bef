"""Streams of the fast path: loops over the items of a path.

Part of `plain`.  A stream is written into a function body, and a *sink* writes what happens
with each item; so a path becomes nested loops without lists in between.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from fhir_bridge.fhirpath import syntax
from fhir_bridge.fhirpath.model import PRIMITIVES
from fhir_bridge.fhirpath.plain_elements import Elements
from fhir_bridge.fhirpath.plain_writing import TREE, NotPlain, Sink

__all__ = ["Streams"]

_MOST_BRANCHES = 6
_LEAVES = PRIMITIVES | {"System.String", "", "Resource"}


class Streams(Elements, ABC):
    """The part of a function body that follows paths."""

    @abstractmethod
    def condition(self, tree: syntax.Expr, node: str, type_name: str) -> str:
        """A Python expression for `tree` as a condition on `node` (plain_conditions)."""

    def stream(
        self, tree: syntax.Expr, node: str, type_name: str, sink: Sink, *, exact: bool = False
    ) -> None:
        """Write the loops that call `sink` for every item of `tree` on `node`.

        `exact` asks that items without a value be seen too (they lead to a detour).
        """
        match tree:
            case syntax.Path():
                self.steps((tree.start, *tree.steps), node, type_name, sink, exact=exact)
            case syntax.Special(name="this"):
                sink(node, type_name)
            case syntax.Union():
                self.union(tree, node, type_name, sink)
            case syntax.TypeTest(operator="as"):
                cast = syntax.Call(tree.offset, "as", (_name_tree(tree),))
                inner = tree.operand
                flat = (inner.start, *inner.steps) if isinstance(inner, syntax.Path) else (inner,)
                self.steps((*_flattened(flat), cast), node, type_name, sink, exact=exact)
            case syntax.Member() | syntax.Call():
                self.steps((tree,), node, type_name, sink, exact=exact)
            case _:
                raise NotPlain

    def steps(
        self,
        steps: tuple[syntax.Expr, ...],
        node: str,
        type_name: str,
        sink: Sink,
        *,
        exact: bool,
    ) -> None:
        """Write the steps of a path, of which the first may be a type or any stream."""
        flat = _flattened(steps)
        cut = _first_at(flat)
        if cut:
            self.first_of(flat[:cut], flat[cut + 1 :], node, type_name, sink, exact=exact)
            return
        first, *others = flat
        rest = tuple(others)
        if isinstance(first, syntax.Member) and first.name[:1].isupper():
            if type_name == TREE:
                self.line(f"if getattr({node}, 'type_name', None): raise Detour")
            elif self.model.is_a(type_name, first.name):
                self.follow(rest, node, type_name, sink, exact=exact)
                return
            elif self.model.is_resource(first.name) and not self.model.members(
                type_name, first.name
            ):
                return  # a path on another type of resource finds nothing
        if isinstance(first, syntax.Member | syntax.Call):
            self.follow((first, *rest), node, type_name, sink, exact=exact)
        else:
            self.stream(
                first,
                node,
                type_name,
                lambda name, kind: self.follow(rest, name, kind, sink, exact=exact),
                exact=exact or bool(rest),
            )

    def first_of(
        self,
        before: tuple[syntax.Expr, ...],
        rest: tuple[syntax.Expr, ...],
        node: str,
        type_name: str,
        sink: Sink,
        *,
        exact: bool,
    ) -> None:
        """``first()`` or ``[0]``: a helper that returns the first item of what stands before."""
        body = self.another([])
        kinds: set[str] = set()

        def keep(name: str, kind: str) -> None:
            kinds.add(kind)
            body.line(f"return {name}")

        body.steps(before, "node", type_name, keep, exact=True)
        if len(kinds) != 1:
            raise NotPlain
        body.line("return None")
        function, value = self.writer.fresh("f"), self.writer.fresh()
        self.writer.function(function, body)
        self.line(f"{value} = {function}({node})")
        self.line(f"if {value} is not None:")
        self.depth += 1
        kind = kinds.pop()
        if rest:
            self.sunk(
                lambda name, own: self.onward(rest, name, own, sink, exact=exact), value, kind
            )
        else:
            self.sunk(sink, value, kind)
        self.depth -= 1

    def follow(
        self,
        steps: tuple[syntax.Expr, ...],
        node: str,
        type_name: str,
        sink: Sink,
        *,
        exact: bool,
    ) -> None:
        """The steps behind an item that is at hand as `node`."""
        if not steps:
            sink(node, type_name)
            return
        step, rest = steps[0], steps[1:]

        def onward(name: str, kind: str) -> None:
            self.follow(rest, name, kind, sink, exact=exact)

        match step:
            case syntax.Member():
                self.member(step.name, node, type_name, rest, sink, exact=exact)
            case syntax.Call(name="where", arguments=(criteria,)):
                self.deeper(
                    f"if {self.condition(criteria, node, type_name)} is True:",
                    node,
                    type_name,
                    onward,
                )
            case syntax.Call(name="ofType", arguments=(argument,)):
                wanted = syntax.type_name_of(argument)
                if wanted is None or type_name == TREE:
                    raise NotPlain
                if self.fits(type_name, wanted):
                    onward(node, type_name)
            case (
                syntax.Call(name="first", arguments=())
                | syntax.Index(position=syntax.Literal(value=0))
            ):
                raise NotPlain  # `steps` has cut the path there
            case syntax.Call(name="extension", arguments=(syntax.Literal(value=str() as url),)):
                self.extension(url, node, type_name, onward)
            case _:
                raise NotPlain

    def member(
        self,
        name: str,
        node: str,
        type_name: str,
        rest: tuple[syntax.Expr, ...],
        sink: Sink,
        *,
        exact: bool,
    ) -> None:
        """Write a step to an element, one branch for each JSON key it may have."""
        if type_name == TREE:
            self.loose(
                name,
                node,
                lambda item, kind: self.follow(rest, item, kind, sink, exact=exact),
            )
            return
        members = None if type_name in _LEAVES else self.model.members(type_name, name)
        definitions = self.model.definitions
        if not members or definitions is None:
            raise NotPlain
        shape = definitions.types[type_name]
        if members[0].choice:
            members, rest = self.chosen(members, rest)
        if rest and len(members) > _MOST_BRANCHES:
            raise NotPlain
        for member in members:
            if member.type_name == "" and not rest:
                raise NotPlain
            self.child(
                member,
                node,
                lambda item, kind: self.onward(rest, item, kind, sink, exact=exact),
                is_list=shape.elements[member.key].is_list,
                last=not rest and not exact,
                exact=exact,
            )

    def onward(
        self,
        rest: tuple[syntax.Expr, ...],
        node: str,
        type_name: str,
        sink: Sink,
        *,
        exact: bool,
    ) -> None:
        """The steps behind a child; what only the JSON can type (contained) is a detour."""
        if rest and type_name in ("Resource", ""):
            self.line("raise Detour")
        else:
            self.follow(rest, node, type_name, sink, exact=exact)

    def union(self, tree: syntax.Union, node: str, type_name: str, sink: Sink) -> None:
        """Collect, drop repetitions, go on; the parts must agree on what comes after."""
        found, kind, name = (self.writer.fresh(stem) for stem in ("u", "k", "v"))
        self.line(f"{found} = []")
        kinds: list[str] = []

        def collect(item: str, item_kind: str) -> None:
            kinds.append(item_kind)
            self.line(f"{found}.append(({item_kind!r}, {item}))")

        for part in tree.parts:
            self.stream(part, node, type_name, collect, exact=False)
        self.line(f"for {kind}, {name} in unique({found}):")
        self.depth += 1
        different = sorted(set(kinds))
        if not different:
            self.line("pass")
        elif len(different) == 1:
            self.sunk(sink, name, different[0])
        else:
            for each in different:
                if each in (TREE, "Resource"):
                    raise NotPlain
                self.line(f"if {kind} == {each!r}:")
                self.depth += 1
                self.sunk(sink, name, each)
                self.depth -= 1
        self.depth -= 1


def _first_at(steps: tuple[syntax.Expr, ...]) -> int:
    """Where the first ``first()`` or ``[0]`` stands; 0 when there is none."""
    for place, step in enumerate(steps):
        match step:
            case syntax.Call(name="first", arguments=()):
                return place
            case syntax.Index(position=syntax.Literal(value=value)) if (
                value == 0 and value is not False
            ):
                return place
    return 0


def _is_position(position: syntax.Expr) -> bool:
    return isinstance(position, syntax.Literal) and type(position.value) is int


def _flattened(steps: tuple[syntax.Expr, ...]) -> tuple[syntax.Expr, ...]:
    """Steps with a path in parentheses at the start opened."""
    first = steps[0]
    while isinstance(first, syntax.Path):
        steps = (first.start, *first.steps, *steps[1:])
        first = steps[0]
    for step in steps:
        if isinstance(step, syntax.Index) and not _is_position(step.position):
            raise NotPlain  # an error even where nothing stands before it
    if isinstance(first, syntax.TypeTest) and first.operator == "as":
        cast = syntax.Call(first.offset, "as", (_name_tree(first),))
        return _flattened((first.operand, cast, *steps[1:]))
    return steps


def _name_tree(tree: syntax.TypeTest) -> syntax.Expr:
    names = tree.type_name.split(".")
    start = syntax.Member(tree.offset, names[0])
    if len(names) == 1:
        return start
    return syntax.Path(
        tree.offset, start, tuple(syntax.Member(tree.offset, name) for name in names[1:])
    )
