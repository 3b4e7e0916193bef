"""The items of a property and the slices that they belong to.

https://hl7.org/fhir/R4/profiling.html#slicing
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from fhir_bridge.fhir import ElementDefinition
from fhir_bridge.validation.finding import Finding, Judge, fault, moved
from fhir_bridge.validation.profiles.element_tree import ElementNode
from fhir_bridge.validation.profiles.rules import all_of, maximum_of
from fhir_bridge.validation.profiles.slicing import ByUrl, Matcher, may_match

__all__ = ["Item", "Property", "Slice", "judge_slice", "outside_of", "slice_of", "within_reach"]


class Item(NamedTuple):
    """One value of a property: its JSON key, its position in a list (-1: no list), itself."""

    key: str
    position: int
    value: Any


class Property:
    """How the items of a property are found: one JSON key, or the forms of a choice."""

    def __init__(self, elements: list[ElementDefinition]) -> None:
        self._steps = {
            item.key: f".{item.choice}.ofType({item.type})" if item.choice else f".{item.key}"
            for item in elements
        }
        self._order = list(self._steps)
        self._forms = {form: key for key in self._order for form in (key, f"_{key}")}
        self.keys = frozenset(self._forms)
        """All keys that say something of the property, companions included."""

    def items(self, owner: dict[str, Any]) -> list[Item]:
        """The items in `owner`; the value is None where only extensions stand."""
        if len(self._order) == 1:
            return _items_of_key(owner, self._order[0])
        present = {self._forms[key] for key in owner if key in self._forms}
        ordered = sorted(present, key=self._order.index) if len(present) > 1 else present
        return [item for key in ordered for item in _items_of_key(owner, key)]

    def companion(self, owner: dict[str, Any], item: Item) -> Any:
        """What stands beside `item`, a primitive: its id and extensions."""
        listed = owner.get(f"_{item.key}")
        return listed[item.position] if item.position >= 0 and listed else listed

    def step(self, item: Item) -> str:
        """The place of `item` as FHIRPath (``.value.ofType(Quantity)``, ``.name[0]``)."""
        return self._steps[item.key] + (f"[{item.position}]" if item.position >= 0 else "")


def _items_of_key(owner: dict[str, Any], key: str) -> list[Item]:
    value = owner.get(key)
    if value is None:
        value = owner.get(f"_{key}")
        if value is None:
            return []
        value = [None] * len(value) if isinstance(value, list) else None
    if isinstance(value, list):
        return [Item(key, index, item) for index, item in enumerate(value)]
    return [Item(key, -1, value)]


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice: the keys and the test that tell its items, what it asks of each, how many.

    `urls` are the only extensions that may be its items; None when others may be.
    """

    name: str
    keys: frozenset[str]
    matches: Matcher
    judges: Mapping[str, list[Judge]]
    least: int
    most: int | None
    urls: frozenset[str] | None

    @property
    def asks(self) -> bool:
        """Whether anything can be wrong with its items or their number."""
        return self.least > 0 or self.most is not None or any(self.judges.values())


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
        matches.urls if isinstance(matches, ByUrl) else None,
    )


def within_reach(slices: list[Slice], items: list[Item]) -> list[Slice]:
    """The slices that must be judged: not those of extensions that are neither there nor asked."""
    urls = [item.value.get("url") for item in items if type(item.value) is dict]
    if not all(type(url) is str for url in urls):
        return slices
    return [
        part for part in slices if part.urls is None or part.least or not part.urls.isdisjoint(urls)
    ]


def _is_in(part: Slice, item: Item) -> bool:
    """Whether an item is, or may be, of the slice."""
    return item.key in part.keys and item.value is not None and may_match(part.matches, item.value)


def judge_slice(part: Slice, items: list[Item], place: Property, name: str) -> list[Finding]:
    """Findings on the number and the content of the items of slice `part`."""
    findings: list[Finding] = []
    keys, matches = part.keys, part.matches
    own = [
        item
        for item in items
        if item.key in keys and item.value is not None and matches(item.value)
    ]
    if len(own) < part.least:
        findings += fault("FB-3015", name=name, min=part.least, slice=part.name)
    if part.most is not None and len(own) > part.most:
        findings += fault("FB-3016", name=name, max=part.most, slice=part.name, count=len(own))
    for item in own:
        more = all_of(part.judges[item.key], item.value)
        if more:
            findings += moved(more, place.step(item))
    return findings


def outside_of(slices: list[Slice], items: list[Item], place: Property, name: str) -> list[Finding]:
    """Findings on items that are in no slice of a closed list."""
    findings: list[Finding] = []
    for item in items:
        if not any(_is_in(part, item) for part in slices):
            more = fault("FB-3016", name=name, max=0, slice="others", count=1)
            findings += moved(more, place.step(item))
    return findings
