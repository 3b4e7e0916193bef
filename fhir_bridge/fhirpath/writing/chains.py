"""Chains as loops: a path becomes nested loops without lists in between.

Part of `writing`.  A chain is written into a function body, and a *sink* writes what happens
with each item, whose name and type it is told.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from fhir_bridge.codegen import FunctionText, Unwritten
from fhir_bridge.fhirpath.form.steps import (
    UNTYPED,
    Check,
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
)
from fhir_bridge.fhirpath_values import PRIMITIVES, Node, fhir_name

__all__ = ["Chains", "Sink"]

Sink = Callable[[str, str], None]


class Chains(FunctionText, ABC):
    """The part of a function body that follows chains."""

    @abstractmethod
    def condition(self, form: Form, node: str) -> str:
        """A Python expression for `form` as a condition on `node` (`conditions`)."""

    def final(self, name: str, kind: str) -> None:
        """Add a value to the result."""
        if kind not in PRIMITIVES and kind not in ("System.String", UNTYPED):
            self.line(f"if type({name}) is not dict: raise Fallback")
        self.line(f"add({name})")

    def final_typed(self, name: str, kind: str) -> None:
        """Add a pair of type and value to the result."""
        if kind == UNTYPED:
            raise Unwritten("the type of what it gives is not known")
        if kind not in PRIMITIVES and kind != "System.String":
            self.line(f"if type({name}) is not dict: raise Fallback")
        if kind == "Resource":
            self.line(f"add(({name}.get('resourceType') or 'Resource', {name}))")
        else:
            self.line(f"add(({fhir_name(Node(None, kind))!r}, {name}))")

    def chain(self, form: Form, node: str, sink: Sink, *, exact: bool = False) -> None:
        """Write the loops that call `sink` for every item of the chain from `node`.

        `exact` asks that items without a value be seen too (they lead to the interpreter).
        """
        match form:
            case Item(type=kind):
                sink(node, kind)
            case Check(test=test):
                self.line(f"if {self.condition(test, node)} is not True: return False")
            case Dynamic():
                self.line("raise Fallback")
            case Child(branches=branches):
                for field, then in branches:
                    self._child(field, then, node, sink, exact=exact)
            case UrlIs(url=url, then=then):
                with self.block(f"if {node}.get('url') == {url!r}:"):
                    self.chain(then, node, sink, exact=exact)
            case Where(test=test, then=then):
                with self.block(f"if {self.condition(test, node)} is True:"):
                    self.chain(then, node, sink, exact=exact)
            case NoType(then=then):
                self.line(f"if getattr({node}, 'type_name', None): raise Fallback")
                self.chain(then, node, sink, exact=exact)
            case First():
                self._first(form, node, sink, exact=exact)
            case Merge():
                self._merge(form, node, sink, exact=exact)
            case Unsupported(reason=reason):
                raise Unwritten(reason)
            case _:
                raise Unwritten(f"a path from {type(form).__name__.lower()}")

    def _child(self, field: Field, then: Form, node: str, sink: Sink, *, exact: bool) -> None:
        """Loop over (or take) the value of one JSON key."""
        if field.type == UNTYPED:
            self._loose(field.key, then, node, sink, exact=exact)
            return
        last = isinstance(then, Item) and not exact
        value = self.fresh()
        if field.sibling and not last:
            self.line(f"if {field.sibling!r} in {node}: raise Fallback")
        self.line(f"{value} = {node}.get({field.key!r})")
        with self.block(f"if {value} is not None:"):
            if not field.is_list:
                if field.primitive:
                    self.line(f"if type({value}) is list: raise Fallback")
                self.chain(then, value, sink, exact=exact)
                return
            item = self.fresh()
            self.line(f"if type({value}) is not list: raise Fallback")
            with self.block(f"for {item} in {value}:"):
                if field.primitive:
                    self.line(f"if {item} is None: {'continue' if last else 'raise Fallback'}")
                elif exact:
                    self.line(f"if {item} is None: raise Fallback")
                self.chain(then, item, sink, exact=exact)

    def _loose(self, name: str, then: Form, node: str, sink: Sink, *, exact: bool) -> None:
        """A step on a node that only answers ``get``."""
        value, item = self.fresh(), self.fresh()
        self.line(f"{value} = {node}.get({name!r})")
        with (
            self.block(f"if {value} is not None:"),
            self.block(f"for {item} in {value} if type({value}) is list else ({value},):"),
        ):
            self.line(f"if {item} is None or type({item}) is dict: raise Fallback")
            self.chain(then, item, sink, exact=exact)

    def _first(self, form: First, node: str, sink: Sink, *, exact: bool) -> None:
        """A helper that returns the first item of what stands before."""
        body = self.another()
        body.chain(form.chain, "node", lambda name, _: body.line(f"return {name}"), exact=True)
        value = self.fresh()
        self.line(f"{value} = {body.helper(node, 'return None')}")
        with self.block(f"if {value} is not None:"):
            self.chain(form.then, value, sink, exact=exact)

    def helper(self, node: str, last: str) -> str:
        """Close this body as a function of the text, with `last`; the call of it on `node`."""
        self.line(last)
        name = self.fresh("f")
        self.function(f"def {name}(node):\n{self.body()}")
        return f"{name}({node})"

    def _merge(self, form: Merge, node: str, sink: Sink, *, exact: bool) -> None:
        """Collect, drop repetitions, go on by type."""
        found, kind, name = self.fresh("u"), self.fresh("k"), self.fresh()
        self.line(f"{found} = []")
        for part in form.parts:
            self.chain(
                part, node, lambda item, own: self.line(f"{found}.append(({own!r}, {item}))")
            )
        with self.block(f"for {kind}, {name} in unique({found}):"):
            if len(form.after) == 1:
                self.chain(form.after[0][1], name, sink, exact=exact)
                return
            for own, then in form.after:
                with self.block(f"if {kind} == {own!r}:"):
                    self.chain(then, name, sink, exact=exact)
