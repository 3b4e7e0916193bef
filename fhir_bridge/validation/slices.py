"""The items of a property and the slices that they belong to.

https://hl7.org/fhir/R4/profiling.html#slicing
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fhir_bridge.fhir import ElementDefinition
from fhir_bridge.validation.element_tree import ElementNode
from fhir_bridge.validation.finding import Finding, found, moved
from fhir_bridge.validation.rules import Judge, all_of, maximum_of
from fhir_bridge.validation.slicing import Matcher

__all__ = ["Item", "Slice", "items_of", "judge_slice", "outside_of", "slice_of"]

Item = tuple[str, str, Any]
"""(JSON key, step of the place, value) of one value of a property."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice: the keys and the test that tell its items, what it asks of each, how many."""

    name: str
    keys: frozenset[str]
    matches: Matcher
    judges: Mapping[str, list[Judge]]
    least: int
    most: int | None


def slice_of(
    name: str,
    part: ElementNode,
    elements: list[ElementDefinition],
    matches: Matcher,
    judges: dict[str, list[Judge]],
) -> Slice:
    """Slice `name` of the node `part`."""
    return Slice(
        name,
        frozenset(item.key for item in elements),
        matches,
        judges,
        int(part.element.get("min", 0)),
        maximum_of(part.element.get("max")),
    )


def items_of(
    owner: dict[str, Any], elements: list[ElementDefinition]
) -> list[tuple[str, str, Any]]:
    """(key, step, value) of each value of a property; None where only extensions stand."""
    items: list[tuple[str, str, Any]] = []
    for element in elements:
        key = element.key
        value = owner.get(key)
        if value is None:
            value = owner.get(f"_{key}")
            if value is None:
                continue
            value = [None] * len(value) if isinstance(value, list) else None
        step = f".{element.choice}.ofType({element.type})" if element.choice else f".{key}"
        if isinstance(value, list):
            items += [(key, f"{step}[{index}]", item) for index, item in enumerate(value)]
        else:
            items.append((key, step, value))
    return items


def _is_in(part: Slice, key: str, value: Any) -> bool:
    return key in part.keys and value is not None and part.matches(value)


def judge_slice(part: Slice, items: list[tuple[str, str, Any]], name: str) -> list[Finding]:
    """Findings on the number and the content of the items of slice `part`."""
    findings: list[Finding] = []
    own = [item for item in items if _is_in(part, item[0], item[2])]
    if len(own) < part.least:
        findings += found("FB-3015", name=name, min=part.least, slice=part.name)
    if part.most is not None and len(own) > part.most:
        findings += found("FB-3016", name=name, max=part.most, slice=part.name, count=len(own))
    for key, step, value in own:
        more = all_of(part.judges[key], value)
        if more:
            findings += moved(more, step)
    return findings


def outside_of(slices: list[Slice], items: list[tuple[str, str, Any]], name: str) -> list[Finding]:
    """Findings on items that are in no slice of a closed list."""
    findings: list[Finding] = []
    for key, step, value in items:
        if not any(_is_in(part, key, value) for part in slices):
            findings += moved(found("FB-3016", name=name, max=0, slice="others", count=1), step)
    return findings
