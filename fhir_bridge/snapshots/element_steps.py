"""The steps of an element of a StructureDefinition: names, and the slices that they mean.

https://hl7.org/fhir/R4/elementdefinition.html#id (``Observation.component:systolic.code``)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["Steps", "with_steps"]

Steps = list[tuple[str, str]]
"""(name, slice name or "") from the root down."""


def with_steps(
    elements: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any], Steps]]:
    """Each element with its steps; an id may be missing in a differential, the path then tells."""
    open_slices: dict[str, str] = {}
    for element in elements:
        path = str(element.get("path", ""))
        if "sliceName" in element:
            open_slices = {
                known: name for known, name in open_slices.items() if path.startswith(known + ".")
            }
            open_slices[path] = str(element["sliceName"])
        elif path in open_slices:
            del open_slices[path]
        identifier = element.get("id")
        if isinstance(identifier, str) and identifier.count(".") == path.count("."):
            parts = [step.partition(":") for step in identifier.split(".")]
            yield element, [(name, slice_name) for name, _, slice_name in parts]
        else:
            yield element, list(_steps_of_path(path, open_slices))


def _steps_of_path(path: str, open_slices: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    walked = ""
    for name in path.split("."):
        walked = f"{walked}.{name}" if walked else name
        yield name, open_slices.get(walked, "")
