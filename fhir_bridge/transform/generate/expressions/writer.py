"""Expressions of maps as Python: the form of one becomes the text of a function.

What stands here and in `calls` is written, anything else is `Unwritten`, the one
reason to leave an expression to the engine.  The text computes a collection as
`items` describes it; lambdas become functions of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from fhir_bridge.codegen import Unwritten
from fhir_bridge.fhir import definitions
from fhir_bridge.fhir.marks import NULL
from fhir_bridge.fhirpath.form import (
    Call,
    Child,
    Constant,
    Form,
    From,
    Index,
    Item,
    Merge,
    Operation,
    Unsupported,
    Variable,
)
from fhir_bridge.fhirpath.writing import three_valued
from fhir_bridge.transform.generate.expressions.calls import write_call, write_operator
from fhir_bridge.transform.generate.expressions.text import Kind, Written

if TYPE_CHECKING:
    from fhir_bridge.codegen import FunctionText

__all__ = ["ExpressionWriter"]

_SET_BY_ENGINE = frozenset({"context", "resource", "rootResource"})


class ExpressionWriter:
    """Writes the parts of one expression.

    `slots` are those of the map's variables it may read, `others` names that the run gives.
    `keeps`: whether what is written is the answer, whose type counts.
    """

    def __init__(
        self, writer: FunctionText, slots: Mapping[str, int], others: Collection[str]
    ) -> None:
        self.bind = writer.bind
        self._writer = writer
        self.keeps = False
        self._slots = slots
        self._others = others
        self._used: set[str] = set()
        self._types: set[str] = set()

    def write(self, form: Form, *, keeps: bool = False) -> Written:
        """The text of any form, on the ``$this`` around it."""
        outer, self.keeps = self.keeps, keeps
        try:
            return self._written(form)
        finally:
            self.keeps = outer

    def _written(self, form: Form) -> Written:
        match form:
            case Item():
                self._used.add("kept" if self.keeps else "node")
                return Written("node", "one")
            case Child(name=name):
                return self._child_of_this(name)
            case From(start=start, then=Child(name=name)):
                return Written(f"child({self.write(start).text}, {name!r})", "many")
            case Call():
                return write_call(self, form)
            case Operation(operator="and" | "or"):
                return self._logic(form)
            case Operation():
                return write_operator(self, form)
            case Merge(parts=parts):
                written = ", ".join(self.write(part, keeps=self.keeps).text for part in parts)
                return Written(f"distinct({written})", "many")
            case Constant(value=value) if value is None or type(value) in {str, int, bool}:
                return Written(repr(value), "sure" if type(value) is bool else "one")
            case Index():
                self._used.add("index")
                return Written("index", "one")
            case Variable(name=name):
                return self._variable(name)
            case Unsupported(reason=reason):
                raise Unwritten(reason)
        raise Unwritten(f"an expression of {type(form).__name__.lower()}")

    def _child_of_this(self, name: str) -> Written:
        self._used.add("get")
        if name[:1].isupper():
            if name in definitions().types:
                raise Unwritten("a name that may be a type")  # it may name the type of the focus
            self._types.add(name)
        return Written(f"get({name!r})", "many")

    def _variable(self, name: str) -> Written:
        if name in _SET_BY_ENGINE:
            raise Unwritten(f"%{name} is the engine's")
        if name in self._slots:
            read = "variable_kept" if self.keeps else "variable"
            return Written(f"{read}(frame[{self._slots[name]}])", "many")
        if name == "null":
            return Written(repr(NULL), "one")
        if name not in self._others:
            raise Unwritten(f"%{name} is not known")
        return Written(f"external(run, {name!r})", "many")

    def _logic(self, form: Operation) -> Written:
        """``and`` and ``or``: the right side is asked unless the left decides."""
        left, right = self.write(form.left), self.write(form.right)
        sure: Kind = "sure" if left.kind == right.kind == "sure" else "truth"
        if left.kind == "sure":
            return Written(f"({left.text} {form.operator} {right.truth})", sure)
        fresh = self._writer.fresh
        return Written(three_valued(form.operator, left.truth, right.truth, fresh), sure)

    def function(self, form: Form, *, is_test: bool) -> str:
        """The name of a function ``(run, frame, node, index)`` for a lambda."""
        outer = self._used, self._types
        self._used, self._types = set(), set()
        written = self.write(form, keeps=self.keeps and not is_test)
        name = self._writer.fresh("part")
        lines = [f"def {name}(run, frame, node, index):", *self._reading("    ")]
        lines.append(f"    return {written.truth if is_test else written.text}\n")
        self._writer.function("\n".join(lines))
        self._used, self._types = outer
        return name

    def body(self, form: Form, *, keeps: bool, end: Callable[[Written], str]) -> list[str]:
        """The lines of a function ``(run, frame, item)``, indented twice."""
        written = self.write(form, keeps=keeps)
        lines = []
        if self._used - {"index"}:
            root = "root_kept" if "kept" in self._used else "root"
            lines.append(f"        node = {root}(item)")
        lines += self._reading("        ")
        if "index" in self._used:
            lines.append("        index = 0")
        return [*lines, f"        return {end(written)}"]

    def _reading(self, indent: str) -> list[str]:
        """What stands before an expression that asks ``$this`` for children."""
        if "get" not in self._used:
            return []
        node = f"of_no_type(node, {self.bind(frozenset(self._types))})" if self._types else "node"
        return [f"{indent}get = reader({node})"]
