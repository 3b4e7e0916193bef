"""The generated functions of one map, written when the map has run a few times.

Promises: `GeneratedMap.function` does what `run_group` does for the entry group, or is None
where the map as a whole needs the closures.  The function of a group is written when the group
is first called: a map has many that an installation never reaches.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from fhir_bridge.codegen import Unwritten, noting
from fhir_bridge.fml import Rule
from fhir_bridge.shapes import Shape
from fhir_bridge.transform.compile.rule import run_group
from fhir_bridge.transform.compile.unit import CompilationUnit, CompiledGroup
from fhir_bridge.transform.generate.group import write_group
from fhir_bridge.transform.generate.parts import resource_target
from fhir_bridge.transform.generate.writer import GeneratedGroup
from fhir_bridge.transform.runtime.run import RuleLocation, Run
from fhir_bridge.transform.runtime.target import Target

__all__ = ["GENERATE_AT", "GeneratedMap"]

GENERATE_AT = 3
"""The run of a map that first uses generated functions; a map that runs once stays as it is."""

UnitOf = Callable[[CompiledGroup], CompilationUnit]


class GeneratedMap:
    """Generated functions by group and types of its targets."""

    def __init__(
        self, entry: CompiledGroup, unit_of: UnitOf, units: Iterable[CompilationUnit]
    ) -> None:
        self._unit_of = unit_of
        self._groups: dict[tuple[CompiledGroup, tuple[Shape, ...]], GeneratedGroup] = {}
        self._lock = threading.RLock()
        self.function: Callable[..., None] | None = None
        modes = [parameter.mode for parameter in entry.group.parameters]
        if modes != ["source", "target"] or not all(_may_be_generated(unit) for unit in units):
            return
        shape = unit_of(entry).shape(entry.group.parameters[1].type)
        if shape is not None and shape.kind in {"resource", "complex"} and not shape.is_abstract:
            first = self._specialised(entry, (shape,))
            self._write(first, entry, (shape,))
            self.function = first.function

    def texts(self) -> list[str]:
        """The text of each group that the map may reach, its expressions in front of it."""
        written: dict[tuple[CompiledGroup, tuple[Shape, ...]], list[str]] = {}
        while waiting := [key for key in self._groups if key not in written]:
            for group, shapes in waiting:
                with noting() as texts:
                    try:
                        write_group(group, self._unit_of(group), shapes, self._specialised)
                    except Unwritten as reason:
                        texts.append(f"interpreted: {reason}")
                title = ", ".join([group.group.name, *(shape.name for shape in shapes)])
                written[group, shapes] = [f"# group {title}", *texts]
        return [text for texts in written.values() for text in texts]

    def _specialised(self, group: CompiledGroup, shapes: tuple[Shape, ...]) -> GeneratedGroup:
        """The group for targets of these shapes; it is written at its first call."""
        found = self._groups.get((group, shapes))
        if found is None:

            def first(run: Run, *given: Any) -> None:
                self._write(made, group, shapes)
                made.function(run, *given)

            made = found = self._groups[group, shapes] = GeneratedGroup(first)
        return found

    def _write(self, made: GeneratedGroup, group: CompiledGroup, shapes: tuple[Shape, ...]) -> None:
        """Write the function of `made`, once however many threads call it first."""
        with self._lock:
            if made.is_written:
                return
            function = _by_closures(group, shapes)
            with suppress(Unwritten):
                function = write_group(group, self._unit_of(group), shapes, self._specialised)
            made.function = function
            made.is_written = True


def _may_be_generated(unit: CompilationUnit) -> bool:
    """Items that stay last are known to the whole run; faults are reported by closures."""
    return unit.is_strict and not any(
        _stays_last(rule) for group in unit.structure_map.groups for rule in group.rules
    )


def _stays_last(rule: Rule) -> bool:
    return any("last" in target.list_modes for target in rule.targets) or any(
        _stays_last(nested) for nested in rule.rules
    )


def _by_closures(group: CompiledGroup, shapes: tuple[Shape, ...]) -> Callable[..., None]:
    """The group by its closures, called as the generated function would be."""
    modes = [parameter.mode for parameter in group.group.parameters]
    location = RuleLocation(group.map_url, group.group.name, group.group.line)

    def call(run: Run, *given: Any) -> None:
        values = iter(given)
        left = iter(shapes)
        arguments: list[Any] = []
        for mode in modes:
            value = next(values)
            if mode == "target":
                shape = next(left)
                holder = next(values) if shape.is_resource else None
                value = (
                    resource_target(shape, value, holder)
                    if shape.is_resource
                    else Target(shape, value)
                )
            arguments.append(value)
        run_group(run, group, arguments, location)

    return call
