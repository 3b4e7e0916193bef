"""What generated functions of maps call: the slow turns of the fast path."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NoReturn

from fhir_bridge.shapes import Shape
from fhir_bridge.transform.compile.source import listed
from fhir_bridge.transform.compile.transform import EXPECTED, evaluated, only
from fhir_bridge.transform.compile.translate import plain_value
from fhir_bridge.transform.runtime.coerce import MISFIT
from fhir_bridge.transform.runtime.run import MAX_CALLS, RuleLocation, Run
from fhir_bridge.transform.runtime.source import Item, carried
from fhir_bridge.transform.runtime.target import Target
from fhir_bridge.transform.runtime.write import Writer, copied

__all__ = ["PARTS", "no_target", "put_any", "resource_target", "too_deep"]


def too_deep(location: RuleLocation) -> NoReturn:
    """Groups call groups without end."""
    raise location.failure("FB-2117", limit=MAX_CALLS)


def no_target(location: RuleLocation) -> NoReturn:
    """A target is named that was not made."""
    raise location.failure("FB-2115", name="->", reason="the target was not made")


def put_any(run: Run, writer: Writer, target: Target, value: Any, here: Any) -> Any:
    """Put an item, a target that is copied, or each of a list; the last that was made."""
    if type(value) is Item:
        return writer.put(run, target, value, here)
    if type(value) is Target:
        return writer.put(run, target, Item(value.value, value.shape), here)
    made: Any = None
    for one in value:
        made = writer.put(run, target, one, here)
    return made


def _of_type(items: Any, name: str) -> Any:
    if not items:
        return ()
    return [item for item in items if item.shape is not None and item.shape.name == name]


def _filtered(
    items: Any, test: Callable[..., bool], run: Run, frame: list[Any], slot: int
) -> list[Item]:
    """The items for which a condition on the item in `slot` holds."""
    kept: list[Item] = []
    for item in items:
        frame[slot] = item
        if test(run, frame, item):
            kept.append(item)
    return kept


def _children(value: Any, fetch: Callable[[Item], list[Item]]) -> list[Item]:
    return [child for one in listed(value) for child in fetch(one)]


def resource_target(shape: Shape, node: dict[str, Any], holder: dict[str, Any] | None) -> Target:
    """A resource as a target, with the entry that holds it."""
    parent = Target(shape, holder) if holder is not None else None
    return Target(shape, node, parent, "resource")


PARTS: dict[str, Any] = {
    "EXPECTED": EXPECTED,
    "Item": Item,
    "MISFIT": MISFIT,
    "NUMBERS": frozenset({bool, int, Decimal}),
    "Target": Target,
    "children": _children,
    "copied": copied,
    "evaluated": evaluated,
    "filtered": _filtered,
    "resource_target": resource_target,
    "listed": listed,
    "no_target": no_target,
    "only": only,
    "of_type": _of_type,
    "plain": carried,
    "plain_value": plain_value,
    "put_any": put_any,
}
"""The names that every generated function may use."""
