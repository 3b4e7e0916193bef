"""FHIRPath of maps as Python: a tree of syntax becomes the text of one expression.

One entry a construct: what stands here and in `expression_steps` is written, anything else is
`Unwritten`, the one reason to leave an expression to the engine.  The text computes a
collection as `expression_items` describes it; lambdas become functions of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from fhir_bridge.codegen import Unwritten
from fhir_bridge.fhir import definitions
from fhir_bridge.fhir.marks import NULL
from fhir_bridge.fhirpath import syntax
from fhir_bridge.transform.generate.expression_steps import passes_on, write_call, write_operator
from fhir_bridge.transform.generate.expression_text import Kind, Written

if TYPE_CHECKING:
    from fhir_bridge.codegen import FunctionText

__all__ = ["ExpressionWriter"]

_SET_BY_ENGINE = frozenset({"ucum", "sct", "loinc", "context", "resource", "rootResource"})


class ExpressionWriter:
    """Writes the parts of one expression.

    `slots` are those of the map's variables it may read, `others` names that the run gives.
    `keeps`: whether what is written is the answer, whose type counts.
    """

    def __init__(
        self, writer: FunctionText, source: str, slots: Mapping[str, int], others: Collection[str]
    ) -> None:
        self.source = source
        self.bind = writer.bind
        self._writer = writer
        self.keeps = False
        self._slots = slots
        self._others = others
        self._used: set[str] = set()
        self._types: set[str] = set()

    def write(self, tree: syntax.Expr, *, keeps: bool = False) -> Written:
        """The text of any expression, on the ``$this`` around it."""
        outer, self.keeps = self.keeps, keeps
        try:
            return self._written(tree)
        finally:
            self.keeps = outer

    def _written(self, tree: syntax.Expr) -> Written:
        match tree:
            case syntax.Path(start=start, steps=steps):
                return self._path(start, steps)
            case syntax.Call():
                return self._call(tree)
            case syntax.Binary(operator="and" | "or"):
                return self._logic(tree)
            case syntax.Binary():
                return write_operator(self, tree)
            case syntax.Union(parts=parts):
                written = ", ".join(self.write(part, keeps=self.keeps).text for part in parts)
                return Written(f"distinct({written})", "many")
            case syntax.Literal(value=value) if value is None or type(value) in {str, int, bool}:
                return Written(repr(value), "sure" if type(value) is bool else "one")
            case syntax.Unary(operator="-", operand=syntax.Literal(value=int() as value)):
                return Written(repr(-value), "one")
            case syntax.Special(name="this"):
                return self.this()
            case syntax.Special(name="index"):
                self._used.add("index")
                return Written("index", "one")
            case syntax.Member(name=name):
                return self._child_of_this(name)
            case syntax.Constant(name=name):
                return self._variable(name)
        raise Unwritten(f"an expression of {type(tree).__name__.lower()}")

    def this(self) -> Written:
        """``$this``."""
        self._used.add("kept" if self.keeps else "node")
        return Written("node", "one")

    def _call(self, tree: syntax.Call) -> Written:
        """A function of ``$this``, which ``iif`` does not read."""
        if tree.name == "iif":
            return write_call(self, Written("node", "one"), tree)
        outer = self.keeps
        self.keeps = outer and passes_on(tree)
        focus, self.keeps = self.this(), outer
        return write_call(self, focus, tree)

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

    def _path(self, start: syntax.Expr, steps: tuple[syntax.Expr, ...]) -> Written:
        """A chain; only the type of what it ends with counts."""
        ends = [index for index, step in enumerate(steps) if not passes_on(step)]
        keeps, last = self.keeps, ends[-1] if ends else -1
        found = self.write(start, keeps=keeps and last < 0)
        outer = self.keeps
        for index, step in enumerate(steps):
            self.keeps = keeps and index >= last
            found = self._step(found, step)
        self.keeps = outer
        return found

    def _step(self, focus: Written, step: syntax.Expr) -> Written:
        match step:
            case syntax.Member(name=name):
                return Written(f"child({focus.text}, {name!r})", "many")
            case syntax.Index(position=syntax.Literal(value=int() as place)):
                return Written(f"at({focus.text}, {place})", "one")
            case syntax.Call():
                return write_call(self, focus, step)
        raise Unwritten(f"a step of {type(step).__name__.lower()}")

    def _logic(self, tree: syntax.Binary) -> Written:
        """Three-valued ``and`` and ``or``: the right side is asked unless the left decides."""
        left, right = self.write(tree.left), self.write(tree.right)
        sure: Kind = "sure" if left.kind == right.kind == "sure" else "truth"
        if left.kind == "sure":
            return Written(f"({left.text} {tree.operator} {right.truth})", sure)
        one, other = self._writer.fresh("t"), self._writer.fresh("t")
        if tree.operator == "and":
            return Written(
                f"(False if ({one} := {left.truth}) is False else False"
                f" if ({other} := {right.truth}) is False else True if {one} and {other} else None)",
                sure,
            )
        return Written(
            f"(True if ({one} := {left.truth}) else True if ({other} := {right.truth})"
            f" else False if {one} is False and {other} is False else None)",
            sure,
        )

    def function(self, tree: syntax.Expr, *, is_test: bool) -> str:
        """The name of a function ``(run, frame, node, index)`` for a lambda."""
        outer = self._used, self._types
        self._used, self._types = set(), set()
        written = self.write(tree, keeps=self.keeps and not is_test)
        name = self._writer.fresh("part")
        lines = [f"def {name}(run, frame, node, index):", *self._reading("    ")]
        lines.append(f"    return {written.truth if is_test else written.text}\n")
        self._writer.function("\n".join(lines))
        self._used, self._types = outer
        return name

    def body(self, tree: syntax.Expr, *, keeps: bool, end: Callable[[Written], str]) -> list[str]:
        """The lines of a function ``(run, frame, item)``, indented twice."""
        written = self.write(tree, keeps=keeps)
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
