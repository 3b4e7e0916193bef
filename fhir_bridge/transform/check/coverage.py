"""What a map does not carry over, measured on real inputs.

A source field counts as reached when its value, or a part that holds it, was written to
the target (told by lineage).  A target element counts as filled when it stands in some
target.  Fields are named in the sender's terms without places in lists, so that ten
thousand messages give one row a field.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.shapes import Shape, Shapes
from fhir_bridge.transform.library import Library
from fhir_bridge.transform.runtime.source import Item

__all__ = ["Coverage", "SourceField", "TargetElement", "measure_coverage"]

_PLACES = re.compile(r"\[\d+\]|(?<=line )\d+|(?<=row )\d+")
_ONLY_PART = re.compile(r"([A-Z][A-Z0-9]{2}-[0-9.]+)\.1\Z")


@dataclass(frozen=True, slots=True)
class SourceField:
    """A field that never reached the target, and in how many inputs it had a value."""

    path: str
    inputs: int


@dataclass(frozen=True, slots=True)
class TargetElement:
    """An element that no target filled; `is_required` when the type demands it."""

    type: str
    element: str
    is_required: bool


@dataclass(slots=True)
class Coverage:
    """The report: most frequent unreached fields first, required elements first."""

    inputs: int = 0
    failed: int = 0
    reached: int = 0
    unreached: list[SourceField] = field(default_factory=list)
    unfilled: list[TargetElement] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


def measure_coverage(
    library: Library,
    map_url: str,
    sources: Iterable[Any],
    *,
    variables: Mapping[str, Any] | None = None,
    hooks: Sequence[str] = (),
) -> Coverage:
    """Run the map on every source and report what was left behind.

    `hooks` are the maps of a feed that define hooks.
    An input that the map refuses is counted as failed, with its issues.
    """
    compiled = library.compile(map_url, hooks)
    report = Coverage()
    seen: Counter[str] = Counter()
    reached: set[str] = set()
    filled: dict[Shape, set[str]] = {}
    for source in sources:
        report.inputs += 1
        fields = {_general(path) for path in _fields(Item(source, name=_root(source)))}
        seen.update(fields)
        try:
            done = compiled.run(source, variables=variables, lineage=True)
        except BridgeError as error:
            report.failed += 1
            report.issues += error.issues
            continue
        report.issues += done.issues
        reached |= _carried(fields, {_general(step.source_where) for step in done.lineage})
        shape = _target_shape(library.shapes, done.target)
        if shape is not None:
            _note_filled(done.target, shape, library.shapes, filled)
    report.reached = len(reached)
    report.unreached = [
        SourceField(_as_sent(path, seen), count)
        for path, count in sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))
        if path not in reached
    ]
    report.unfilled = sorted(_unfilled(filled), key=lambda one: (not one.is_required, one.type))
    return report


def _fields(item: Item) -> Iterator[str]:
    """The positions of all values below a node that are not trees themselves."""
    value = item.value
    keys = value.keys() if hasattr(value, "keys") else ()
    names = [name for name in keys if name != "resourceType"]
    if not names:
        if value not in (None, "") and not isinstance(value, dict):
            yield item.where
        return
    for name in names:
        child = value.get(name)
        children = child if isinstance(child, list) else [child]
        for index, one in enumerate(children):
            if one is not None and one is not value:
                place = index if isinstance(child, list) else -1
                yield from _fields(Item(one, parent=item, name=str(name), index=place))


def _general(path: str) -> str:
    return _PLACES.sub("", path)


def _as_sent(path: str, seen: Collection[str]) -> str:
    """An HL7 v2 value by the field or component that was sent: ``MSH-4``, not ``MSH-4.1.1``."""
    while found := _ONLY_PART.match(path):
        whole = f"{found.group(1)}."
        parts = (other for other in seen if other.startswith(whole))
        if any(part != path and not part.startswith(f"{path}.") for part in parts):
            break
        path = found.group(1)
    return path


def _carried(fields: set[str], written: set[str]) -> set[str]:
    """Fields written themselves, or inside something that was written whole."""
    found: set[str] = set()
    for path in fields:
        prefix = path
        while prefix:
            if prefix in written:
                found.add(path)
                break
            prefix = prefix[: max(prefix.rfind("."), 0)]
    return found


def _target_shape(shapes: Shapes, target: dict[str, Any]) -> Shape | None:
    own = target.get("resourceType")
    return shapes.find(str(own)) if own else None


def _note_filled(
    node: dict[str, Any], shape: Shape, shapes: Shapes, filled: dict[Shape, set[str]]
) -> None:
    own = node.get("resourceType")
    if isinstance(own, str):
        shape = shapes.find(own) or shape
    names = filled.setdefault(shape, set())
    for element in {id(one): one for one in shape.elements.values()}.values():
        for type_name, key in element.keys.items():
            value = node.get(key)
            if value is None:
                continue
            names.add(element.name)
            inner = shapes.find(type_name)
            if inner is not None and not inner.is_primitive:
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, dict):
                        _note_filled(child, inner, shapes, filled)


def _unfilled(filled: dict[Shape, set[str]]) -> Iterator[TargetElement]:
    """Of resources and their parts; datatypes are seldom filled whole and are left out."""
    for shape, names in filled.items():
        if not (shape.is_resource or shape.kind == "logical" or "." in shape.name):
            continue
        elements = {element.name: element for element in shape.elements.values()}
        for name, element in elements.items():
            if name not in names:
                yield TargetElement(shape.name, name, element.minimum > 0)


def _root(source: Any) -> str:
    own = source.get("resourceType") if isinstance(source, dict) else None
    return str(own or "")
