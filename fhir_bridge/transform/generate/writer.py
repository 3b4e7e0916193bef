"""What the parts of a generated function share while it is written: variables and their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fhir_bridge.codegen import FunctionText, Unwritten
from fhir_bridge.fml import Parameter
from fhir_bridge.shapes import Shape
from fhir_bridge.transform.compile.expression import CompiledExpression
from fhir_bridge.transform.compile.scope import Scope
from fhir_bridge.transform.compile.transform import compile_argument
from fhir_bridge.transform.compile.unit import CompilationUnit, CompiledGroup, RuleView
from fhir_bridge.transform.generate.expressions.condition import write_value
from fhir_bridge.transform.generate.node import StaticNode
from fhir_bridge.transform.generate.parts import PARTS

__all__ = ["GeneratedGroup", "GroupWriter", "Specialise", "mentions"]

_MAX_LOOPS = 12


@dataclass(slots=True, eq=False)
class GeneratedGroup:
    """The function of a group for certain target types, replaced when it is written."""

    function: Callable[..., None]
    is_written: bool = False


Specialise = Callable[[CompiledGroup, tuple[Shape, ...]], GeneratedGroup]
"""Finds or writes the function of a group for targets of the shapes given."""


class GroupWriter(FunctionText):
    """The text of one group, with what is known of its variables by their slots.

    `nodes`: targets; `values`: Python name of a source, and whether it surely is one item;
    `parameters`: sources that are given; `kept`: children of those, read once.
    """

    def __init__(self, unit: CompilationUnit, specialise: Specialise) -> None:
        super().__init__(PARTS)
        self.unit = unit
        self.specialise = specialise
        self.nodes: dict[int, StaticNode] = {}
        self.values: dict[int, tuple[str, bool]] = {}
        self.parameters: set[int] = set()
        self.kept: dict[tuple[int, str], str] = {}
        self._loops = 0

    @contextmanager
    def loop(self, head: str) -> Iterator[None]:
        """A block that is a loop; Python nests only so many."""
        self._loops += 1
        if self._loops > _MAX_LOOPS:
            raise Unwritten("loops nested too deeply")
        with self.block(head):
            yield
        self._loops -= 1

    def value(self, parameter: Parameter, view: RuleView) -> str:
        """A parameter that is read, as a Python expression: an item, a list or None."""
        if parameter.kind not in {"name", "expression"}:
            literal = compile_argument(parameter, view)
            return self.bind(literal(None, []), "literal")  # type: ignore[arg-type]
        if parameter.kind == "name" and "." not in str(parameter.value):
            slot = view.scope.source_first(str(parameter.value))
            if slot is not None:
                if slot in self.nodes:
                    return self.nodes[slot].as_target()
                found = self.values.get(slot)
                return found[0] if found is not None else f"frame[{slot}]"
        self.seen_by_closures(view.scope, str(parameter.value))
        if parameter.kind == "expression":
            expression = CompiledExpression(
                str(parameter.value), view.scope, view.unit, view.location
            )
            return f"only({write_value(self, expression)}(run, frame, None))"
        return f"{self.bind(compile_argument(parameter, view), 'argument')}(run, frame)"

    def seen_by_closures(self, scope: Scope, text: str | None = None) -> None:
        """Put the targets into the frame, those that `text` mentions or all."""
        for name, slot in scope.targets.items():
            if text is not None and (name in scope.sources or not mentions(text, name)):
                continue
            node = self.nodes.get(slot)
            if node is not None:
                self.line(f"frame[{slot}] = {node.as_target()}")


def mentions(text: str, name: str) -> bool:
    """Whether `name` stands in `text`."""
    return name in text and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
