"""The order of a StructureDefinition's elements, and where its slices stand.

https://hl7.org/fhir/R4/profiling.html#slicing, https://hl7.org/fhir/R4/elementdefinition.html#id

Elements stand in the order of the type that they narrow, each directly before what is inside
it; what holds for all items of a list comes first, then slice by slice, each with its own
children and re-slices (``a`` before ``a/b``).  Tools walk base and differential side by side:
what stands out of order is refused by some and silently lost by others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fhir_bridge.fhir import Definitions
from fhir_bridge.snapshots import with_steps

__all__ = ["Slices", "order_faults", "slices_of"]

Slices = dict[str, list[str]]
"""By element id the names of its slices, in order."""

_SELF_SLICED = frozenset({"extension", "modifierExtension"})
_Key = tuple[tuple[int, int], ...]


def slices_of(elements: Sequence[Mapping[str, Any]], into: Slices) -> Slices:
    """The slices of `elements` entered into `into`; an element that states a slicing is there too."""
    for element, steps in with_steps(elements):
        identifier = _identifier(steps)
        name, slice_name = steps[-1]
        if "slicing" in element:
            into.setdefault(identifier, [])
        if slice_name:
            into.setdefault(_identifier([*steps[:-1], (name, "")]), []).append(slice_name)
    return into


def order_faults(
    elements: Sequence[Mapping[str, Any]], inherited: Slices, definitions: Definitions
) -> Iterator[tuple[int, str]]:
    """(index, reason) of each element that stands at a wrong place; `inherited` is the base's."""
    ranks = {place: list(names) for place, names in inherited.items()}
    slicings = {*inherited}
    present: set[str] = set()
    last: tuple[_Key, str] = ((), "")
    types = _Types(definitions, [steps for _, steps in with_steps(elements)])
    for index, (element, steps) in enumerate(with_steps(elements)):
        identifier = _identifier(steps)
        name, slice_name = steps[-1]
        place = _identifier([*steps[:-1], (name, "")])
        if "slicing" in element:
            slicings.add(identifier)
        missing = _missing_slice(steps, present, inherited)
        if missing:
            yield (
                index,
                f"{identifier} speaks of the slice {missing}, which does not stand before it",
            )
        elif slice_name and not _is_sliced(place, slice_name, slicings, present, inherited):
            yield index, f"{identifier} is a slice of an element without slicing"
        present.add(identifier)
        key = tuple(
            (types.position(steps, depth), _rank(steps, depth, ranks))
            for depth in range(1, len(steps))
        )
        if last[1] and key == last[0]:
            yield index, f"{identifier} stands twice"
        elif last[1] and key < last[0]:
            yield index, f"{identifier} must stand before {last[1]}"
        last = max(last, (key, identifier), key=lambda one: one[0])


def _identifier(steps: Sequence[tuple[str, str]]) -> str:
    return ".".join(f"{name}:{slice_name}" if slice_name else name for name, slice_name in steps)


def _missing_slice(
    steps: Sequence[tuple[str, str]], present: set[str], inherited: Slices
) -> str | None:
    """The slice above the element that neither it nor its base has introduced."""
    for depth in range(1, len(steps) - 1):
        name, slice_name = steps[depth]
        known = inherited.get(_identifier([*steps[:depth], (name, "")]), ())
        if slice_name and slice_name not in known:
            identifier = _identifier(steps[: depth + 1])
            if identifier not in present and not name.endswith("[x]"):
                return slice_name
    return None


def _is_sliced(
    place: str, slice_name: str, slicings: set[str], present: set[str], inherited: Slices
) -> bool:
    """Extensions are sliced by url and choices by type without a word; re-slices cut a slice."""
    outer = slice_name.rpartition("/")[0]
    if outer:
        return f"{place}:{outer}" in present or outer in inherited.get(place, ())
    name = place.rpartition(".")[2]
    return name in _SELF_SLICED or name.endswith("[x]") or place in slicings


def _rank(steps: Sequence[tuple[str, str]], depth: int, ranks: Slices) -> int:
    """0 for what holds for all items, then by slice in order of appearance."""
    name, slice_name = steps[depth]
    if not slice_name:
        return 0
    names = ranks.setdefault(_identifier([*steps[:depth], (name, "")]), [])
    if slice_name not in names:
        outer = slice_name.rpartition("/")[0]
        family = [
            index for index, one in enumerate(names) if outer and f"{one}/".startswith(f"{outer}/")
        ]
        names.insert(family[-1] + 1 if family else len(names), slice_name)
    return names.index(slice_name) + 1


class _Types:
    """The position of each step among the elements of its type.

    Of several types that may stand there (a choice), the one that has all that is spoken of.
    """

    def __init__(
        self, definitions: Definitions, spoken: Sequence[Sequence[tuple[str, str]]]
    ) -> None:
        self._definitions = definitions
        self._spoken: dict[str, set[str]] = {}
        for steps in spoken:
            for depth in range(1, len(steps)):
                self._spoken.setdefault(_identifier(steps[:depth]), set()).add(steps[depth][0])
        self._orders: dict[str, dict[str, int]] = {}
        self._seen: dict[str, list[str]] = {}

    def position(self, steps: Sequence[tuple[str, str]], depth: int) -> int:
        """The place of ``steps[depth]`` in its type; of an unknown one, by first appearance."""
        name = steps[depth][0]
        spoken = self._spoken.get(_identifier(steps[:depth]), {name})
        for owner in self._owners([step for step, _ in steps[:depth]]):
            order = self._order(owner)
            if spoken <= order.keys():
                return order[name]
        seen = self._seen.setdefault(_identifier([(step, "") for step, _ in steps[:depth]]), [])
        if name not in seen:
            seen.append(name)
        return 1000 + seen.index(name)

    def _owners(self, names: list[str]) -> list[str]:
        owners = [names[0]]
        for name in names[1:]:
            owners = list(
                dict.fromkeys(kind for owner in owners for kind in self._kinds(owner, name))
            )
        return owners

    def _kinds(self, owner: str, name: str) -> Iterator[str]:
        shape = self._definitions.types.get(owner)
        if shape is not None:
            plain = name.removesuffix("[x]")
            for key in shape.choices.get(plain, (plain,)):
                if key in shape.elements:
                    yield shape.elements[key].type

    def _order(self, owner: str) -> dict[str, int]:
        order = self._orders.get(owner)
        if order is None:
            order = self._orders[owner] = {}
            shape = self._definitions.types.get(owner)
            for index, (key, element) in enumerate(shape.elements.items() if shape else ()):
                order[key] = index
                if element.choice:
                    place = order.setdefault(f"{element.choice}[x]", index)
                    order[element.choice] = order[key] = place
        return order
