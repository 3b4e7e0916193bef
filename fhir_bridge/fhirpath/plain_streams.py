"""Streams of the fast path: loops over the items of a path.

Part of `plain`.  A stream is written into a function body, and a *sink* writes what happens
with each item; so a path becomes nested loops without lists in between.
"""

from __future__ import annotations

from collections.abc import Callable

from fhir_bridge.fhirpath import syntax
from fhir_bridge.fhirpath.model import PRIMITIVES, Member, Model
from fhir_bridge.fhirpath.node import Node
from fhir_bridge.fhirpath.plain_conditions import TREE, Conditions, NotPlain
from fhir_bridge.fhirpath.types import fhir_name

__all__ = ["Body", "Writer"]

Sink = Callable[[str, str], None]
_MOST_BRANCHES = 6
_MOST_LINES = 400
_LEAVES = PRIMITIVES | {"System.String", "", "Resource"}


class Writer:
    """Collects the functions of one expression."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.names = 0
        self.sources: list[str] = []
        self.lines = 0

    def fresh(self, stem: str = "v") -> str:
        """A name that is not used yet."""
        self.names += 1
        return f"{stem}{self.names}"

    def function(self, name: str, body: Body) -> None:
        """Keep a function whose body is written."""
        self.sources.append(f"def {name}(node):\n" + "\n".join(body.lines))


class Body(Conditions):
    """The lines of one function while they are written: streams of items."""

    def __init__(self, writer: Writer, lines: list[str]) -> None:
        self.writer = writer
        self.model = writer.model
        self.depth = 1
        self.lines: list[str] = []
        for line in lines:
            self.line(line)

    def another(self, lines: list[str]) -> Body:
        """The body of a helper function."""
        return Body(self.writer, lines)

    def line(self, text: str) -> None:
        """Write a line at the present depth; NotPlain when the function grows too large."""
        self.writer.lines += 1
        if self.writer.lines > _MOST_LINES or self.depth > 16:
            raise NotPlain
        self.lines.append("    " * self.depth + text)

    # sinks: what happens with each item of a stream

    def final(self, name: str, type_name: str) -> None:
        """Add a value to the result."""
        if type_name not in PRIMITIVES and type_name not in ("System.String", TREE):
            self.line(f"if type({name}) is not dict: raise Detour")
        self.line(f"add({name})")

    def final_typed(self, name: str, type_name: str) -> None:
        """Add a pair to the result."""
        if type_name == TREE:
            raise NotPlain
        if type_name == "Resource":
            self.line(f"if type({name}) is not dict: raise Detour")
            self.line(f"add(({name}.get('resourceType') or 'Resource', {name}))")
            return
        if type_name not in PRIMITIVES and type_name != "System.String":
            self.line(f"if type({name}) is not dict: raise Detour")
        shown = fhir_name(Node(None, type_name))
        self.line(f"add(({shown!r}, {name}))")

    # streams: items one after the other

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

    def deeper(self, head: str, name: str, kind: str, sink: Sink) -> None:
        """Write a head line and, below it, what the sink does."""
        self.line(head)
        self.depth += 1
        before = len(self.lines)
        sink(name, kind)
        if len(self.lines) == before:
            self.line("pass")
        self.depth -= 1

    def fits(self, type_name: str, wanted: str) -> bool:
        """Whether every value of the static type passes ``ofType(wanted)``."""
        if wanted.startswith("System.") or not self.model.known(wanted):
            raise NotPlain
        local = wanted.removeprefix("FHIR.")
        if type_name in PRIMITIVES:
            return local in (type_name, "Element")
        if type_name in ("", "Resource", "System.String"):
            raise NotPlain
        return self.model.is_a(type_name, local)

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

    def chosen(
        self, members: tuple[Member, ...], rest: tuple[syntax.Expr, ...]
    ) -> tuple[tuple[Member, ...], tuple[syntax.Expr, ...]]:
        """The forms of a choice that the next step leaves, and the steps behind that."""
        match rest:
            case (syntax.Call(name="ofType" | "as", arguments=(argument,)), *_):
                wanted = syntax.type_name_of(argument) or "?"
                return tuple(m for m in members if self.fits(m.type_name, wanted)), rest[1:]
            case (syntax.Member(name=name), *_):
                left = tuple(m for m in members if self.model.members(m.type_name, name))
                return left, rest
        return members, rest

    def child(
        self,
        member: Member,
        node: str,
        sink: Sink,
        *,
        is_list: bool,
        last: bool,
        exact: bool,
    ) -> None:
        """Loop over (or take) the value of one JSON key."""
        value = self.writer.fresh()
        primitive = member.primitive or member.type_name == "System.String"
        if member.sibling and not last:
            self.line(f"if {member.sibling!r} in {node}: raise Detour")
        self.line(f"{value} = {node}.get({member.key!r})")
        self.line(f"if {value} is not None:")
        self.depth += 1
        if is_list:
            item = self.writer.fresh()
            self.line(f"if type({value}) is not list: raise Detour")
            self.line(f"for {item} in {value}:")
            self.depth += 1
            if primitive:
                self.line(f"if {item} is None: {'continue' if last else 'raise Detour'}")
            elif exact:
                self.line(f"if {item} is None: raise Detour")
            self.sunk(sink, item, member.type_name)
            self.depth -= 1
        else:
            if primitive:
                self.line(f"if type({value}) is list: raise Detour")
            self.sunk(sink, value, member.type_name)
        self.depth -= 1

    def sunk(self, sink: Sink, name: str, kind: str) -> None:
        """Let the sink write its lines, or `pass` when it has none."""
        before = len(self.lines)
        sink(name, kind)
        if len(self.lines) == before:
            self.line("pass")

    def loose(self, name: str, node: str, sink: Sink) -> None:
        """A step on a node that only answers get()."""
        value, item = self.writer.fresh(), self.writer.fresh()
        self.line(f"{value} = {node}.get({name!r})")
        self.line(f"if {value} is not None:")
        self.depth += 1
        self.line(f"for {item} in {value} if type({value}) is list else ({value},):")
        self.depth += 1
        self.line(f"if {item} is None or type({item}) is dict: raise Detour")
        self.sunk(sink, item, TREE)
        self.depth -= 2

    def extension(self, url: str, node: str, type_name: str, sink: Sink) -> None:
        """Write ``extension(url)`` on a structure."""
        if type_name in PRIMITIVES or type_name in (TREE, "System.String", "Resource", ""):
            raise NotPlain
        members = self.model.members(type_name, "extension")
        if not members:
            raise NotPlain

        def matching(name: str, kind: str) -> None:
            self.deeper(f"if {name}.get('url') == {url!r}:", name, kind, sink)

        self.child(members[0], node, matching, is_list=True, last=False, exact=False)

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


def _flattened(steps: tuple[syntax.Expr, ...]) -> tuple[syntax.Expr, ...]:
    """Steps with a path in parentheses at the start opened."""
    first = steps[0]
    while isinstance(first, syntax.Path):
        steps = (first.start, *first.steps, *steps[1:])
        first = steps[0]
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
