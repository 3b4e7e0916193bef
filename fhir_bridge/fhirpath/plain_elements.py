"""Steps of the fast path from a node to its elements, and the values at the end of a path.

Part of `plain`.  What an element is called in JSON, whether it repeats and what type it has
comes from the definitions and is written into the function; JSON of another shape takes the
detour.
"""

from __future__ import annotations

from fhir_bridge.fhirpath import syntax
from fhir_bridge.fhirpath.model import PRIMITIVES, Member
from fhir_bridge.fhirpath.node import Node
from fhir_bridge.fhirpath.plain_writing import TREE, Lines, NotPlain, Sink
from fhir_bridge.fhirpath.types import fhir_name

__all__ = ["Elements"]


class Elements(Lines):
    """The part of a function body that reads elements."""

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
