"""Equality, equivalence and identity keys of items.

http://hl7.org/fhirpath/N1/#equality.  Answers are True, False or None (unknown, the empty
collection).  Id and extensions of primitives do not count (docs/clarifications/fhirpath.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from fhir_bridge.budget import Evaluation
from fhir_bridge.fhirpath_values.node import Node, value_of
from fhir_bridge.fhirpath_values.quantity import Quantity
from fhir_bridge.fhirpath_values.temporal import Temporal, parse_temporal, same

__all__ = ["decimals", "distinct", "equal", "equal_items", "equivalent", "key_of", "temporal_pair"]


def equal(left: list[Any], right: list[Any], evaluation: Evaluation) -> bool | None:
    """``=``: None when a side is empty, else same length and equal items in order."""
    if not left or not right:
        return None
    if len(left) == 1 and len(right) == 1:
        return equal_items(left[0], right[0], evaluation)
    if len(left) != len(right):
        return False
    evaluation.budget.spend(len(left))
    unknown = False
    for one, other in zip(left, right, strict=True):
        found = equal_items(one, other, evaluation)
        if found is False:
            return False
        unknown = unknown or found is None
    return None if unknown else True


def equal_items(left: Any, right: Any, evaluation: Evaluation) -> bool | None:
    """Whether two items are equal; None when precision or units leave it open."""
    one, other = value_of(left), value_of(right)
    if one is None or other is None:
        evaluation.budget.look()
        return _equal_structures(left, right)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Quantity) or isinstance(other, Quantity):
        return _equal_quantities(one, other)
    if isinstance(one, Temporal) or isinstance(other, Temporal):
        pair = temporal_pair(left, right)
        if pair is not None:
            return same(*pair)
        if isinstance(one, str) or isinstance(other, str):
            return str(one) == str(other) if _is_node(left) or _is_node(right) else False
        return False
    if isinstance(one, str) != isinstance(other, str):
        return False
    return bool(one == other)


def _is_node(item: Any) -> bool:
    return type(item) is Node


def _equal_structures(left: Any, right: Any) -> bool:
    if type(left) is not Node or type(right) is not Node:
        return False
    if left.value is None or right.value is None:
        return left.value is right.value and bool(left.sibling == right.sibling)
    return bool(freeze(left.value) == freeze(right.value))


def _equal_quantities(left: Any, right: Any) -> bool | None:
    one, other = _quantity(left), _quantity(right)
    if one is None or other is None:
        return False
    if one.unit == other.unit and one.calendar == other.calendar:
        return one.value == other.value
    order = one.compare(other)
    return None if order is None else order == 0


def _quantity(value: Any) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return Quantity(Decimal(value))
    return None


def temporal_pair(left: Any, right: Any) -> tuple[Temporal, Temporal] | None:
    """Both items as temporal values; a node of unknown type is read as the other's kind."""
    one, other = value_of(left), value_of(right)
    if isinstance(one, str) and isinstance(other, Temporal) and _reads(left):
        one = parse_temporal(one, "time" if other.kind == "time" else "")
    elif isinstance(other, str) and isinstance(one, Temporal) and _reads(right):
        other = parse_temporal(other, "time" if one.kind == "time" else "")
    if isinstance(one, Temporal) and isinstance(other, Temporal):
        return one, other
    return None


def _reads(item: Any) -> bool:
    return type(item) is Node and item.type_name in ("", "string")


def equivalent(left: list[Any], right: list[Any], evaluation: Evaluation) -> bool:
    """``~``: two empty ones are equivalent; order does not count."""
    return _paired(left, right, _equivalent_items, evaluation)


def _equivalent_items(left: Any, right: Any, evaluation: Evaluation) -> bool:
    one, other = value_of(left), value_of(right)
    if one is None or other is None:
        return _equivalent_structures(left, right, evaluation)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, str) and isinstance(other, str):
        evaluation.budget.spend(len(one) + len(other) >> 6)
        return _folded(one) == _folded(other)
    if isinstance(one, Quantity) or isinstance(other, Quantity):
        return _equivalent_quantities(_quantity(one), _quantity(other))
    if isinstance(one, (int, Decimal)) and isinstance(other, (int, Decimal)):
        return _equivalent_numbers(Decimal(one), Decimal(other))
    pair = temporal_pair(left, right)
    if pair is not None:
        return pair[0].precision == pair[1].precision and same(*pair) is True
    return False


def _equivalent_structures(left: Any, right: Any, evaluation: Evaluation) -> bool:
    """https://hl7.org/fhir/R4/fhirpath.html#changes: codings by system and code, ids left out."""
    if type(left) is not Node or type(right) is not Node:
        return False
    one, other = left.value, right.value
    if one is None or other is None:
        return one is other
    if left.type_name == right.type_name and isinstance(one, dict) and isinstance(other, dict):
        if left.type_name == "Coding":
            return _same_coding(one, other, evaluation)
        if left.type_name == "CodeableConcept" and one.get("coding") and other.get("coding"):
            return any(
                _same_coding(a, b, evaluation) for a in one["coding"] for b in other["coding"]
            )
    return _equivalent_trees(one, other, evaluation)


def _same_coding(left: dict[str, Any], right: dict[str, Any], evaluation: Evaluation) -> bool:
    return all(
        _equivalent_trees(left.get(name), right.get(name), evaluation)
        for name in ("system", "code")
    )


def _equivalent_trees(left: Any, right: Any, evaluation: Evaluation) -> bool:
    evaluation.budget.spend(1)
    if isinstance(left, dict) and isinstance(right, dict):
        names = left.keys() - {"id"}
        if names != right.keys() - {"id"}:
            return False
        return all(_equivalent_trees(left[name], right[name], evaluation) for name in names)
    if isinstance(left, list) and isinstance(right, list):
        return left == right or _paired(left, right, _equivalent_trees, evaluation)
    if isinstance(left, str) and isinstance(right, str):
        return _folded(left) == _folded(right)
    return bool(left == right)


def _paired(
    left: list[Any],
    right: list[Any],
    same_part: Callable[[Any, Any, Evaluation], bool],
    evaluation: Evaluation,
) -> bool:
    """Whether each part of one side has a part of its own on the other, in any order."""
    if len(left) != len(right):
        return False
    rest = list(right)
    for part in left:
        for place, other in enumerate(rest):
            evaluation.budget.spend(1)
            if same_part(part, other, evaluation):
                del rest[place]
                break
        else:
            return False
    return True


def _folded(text: str) -> str:
    return "".join(" " if character.isspace() else character for character in text.casefold())


def decimals(value: Decimal) -> int:
    """Digits behind the point; trailing zeros do not count."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _equivalent_numbers(left: Decimal, right: Decimal) -> bool:
    places = min(decimals(left), decimals(right))
    step = Decimal(1).scaleb(-places)
    try:
        return left.quantize(step, ROUND_HALF_UP) == right.quantize(step, ROUND_HALF_UP)
    except ArithmeticError:
        return left == right


def _equivalent_quantities(left: Quantity | None, right: Quantity | None) -> bool:
    if left is None or right is None:
        return False
    pair = left.aligned(right, lenient=True, coarser=True)
    return pair is not None and _equivalent_numbers(*pair)


def freeze(value: Any) -> Any:
    """A hashable stand-in for a tree: equal trees have equal stand-ins."""
    if isinstance(value, dict):
        return frozenset((name, freeze(part)) for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(freeze(part) for part in value)
    if isinstance(value, bool):
        return ("boolean", value)
    if hasattr(value, "get"):
        return (str(value), id(value)) if not isinstance(value, str) else str(value)
    return value


def key_of(item: Any, evaluation: Evaluation) -> Any:
    """A hashable key: items with different keys are not equal; None when only a comparison tells."""
    value = value_of(item)
    if value is None:
        if type(item) is not Node:
            return None
        evaluation.budget.look()
        return ("structure", freeze(item.value), freeze(item.sibling) if item.value is None else 0)
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, str):
        return ("string", value)
    if isinstance(value, Temporal):
        low, _ = value.interval()
        return (value.kind == "time", value.precision, value.zone is None, low)
    if isinstance(value, Quantity):
        key = value.key()
        return ("number", key[0]) if key is not None and key[1] == "1" else key
    return ("number", Decimal(value))


def distinct(items: Iterable[Any], evaluation: Evaluation) -> list[Any]:
    """The items without repetitions, each at its first place."""
    seen = set()
    loose: list[Any] = []
    out: list[Any] = []
    for item in items:
        key = key_of(item, evaluation)
        if key is not None and key in seen:
            continue
        others = out if key is None else loose
        if others:
            evaluation.budget.spend(len(others))
            if any(equal_items(item, other, evaluation) for other in others):
                continue
        if key is None:
            loose.append(item)
        else:
            seen.add(key)
        out.append(item)
    return out
