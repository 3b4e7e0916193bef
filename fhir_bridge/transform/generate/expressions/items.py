"""What written expressions call to read: nodes, children, variables, and single values.

A collection is None (empty), one item, or a list of items that may have None among them; an
item is a node or a scalar, bare as it stands in the source: what FHIRPath would say of its
type follows from the value (http://hl7.org/fhirpath/N1/#collections).  A `Fallback` is what
only the engine reads: FHIR JSON, dates, several items where one belongs.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fhir_bridge.codegen import Fallback
from fhir_bridge.shapes import Shape
from fhir_bridge.transform.runtime.run import Run
from fhir_bridge.transform.runtime.source import Item

__all__ = [
    "READING",
    "child",
    "items_of",
    "one_of_at_most",
    "plain_items",
    "text_of_one",
    "value_of_one",
]

_PARSED = frozenset({"date", "dateTime", "instant", "time", "integer64"})
"""Types whose text FHIRPath reads as something else."""
_OWN_TYPES = {"string": str, "boolean": bool, "integer": int, "decimal": Decimal}
_NUMBERS = (int, Decimal)


def _root(item: Item | None) -> Any:
    """The node of an item, of whatever type that does not change how it is read."""
    if item is None:
        return None
    shape = item.shape
    if shape is not None and shape.name in _PARSED:
        raise Fallback
    return item.value


def _root_kept(item: Item | None) -> Any:
    """As `_root`, where the item may be the answer: its type must be that of its value."""
    if item is None:
        return None
    _own_type(item.shape, item.value)
    return item.value


def _own_type(shape: Shape | None, value: Any) -> None:
    if shape is not None and not shape.is_open and type(value) is not _OWN_TYPES.get(shape.name):
        raise Fallback


def _variable(value: Any) -> Any:
    """The value of a variable of the map."""
    if type(value) is Item:
        shape = value.shape
        if value.companion is not None or (shape is not None and shape.name in _PARSED):
            raise Fallback
        return value.value
    return _other_variable(value, _variable)


def _variable_kept(value: Any) -> Any:
    """As `_variable`, where it may be the answer."""
    if type(value) is Item:
        if value.companion is not None:
            raise Fallback
        _own_type(value.shape, value.value)
        return value.value
    return _other_variable(value, _variable_kept)


def _other_variable(value: Any, read: Callable[[Any], Any]) -> Any:
    if value is None or isinstance(value, str) or type(value) in {bool, int}:
        return value
    if type(value) is list:
        return [read(one) for one in value]
    raise Fallback


def _external(run: Run, name: str) -> Any:
    """A constant of the map, or a variable that the run was given."""
    if name in run.constants:
        return _other_variable(run.constants[name](run), _plain_one)
    if name in run.variables:
        return _other_variable(run.variables[name], _plain_one)
    raise Fallback


def _plain_one(value: Any) -> Any:
    if value is None or isinstance(value, str) or type(value) in {bool, int}:
        return value
    raise Fallback


def _none(_name: str) -> None:
    """What a scalar answers when it is asked for a child."""


def _reader(node: Any) -> Callable[[str], Any]:
    """What gives the children of a node by name."""
    if type(node) is dict or type(node) is list:
        raise Fallback
    get: Callable[[str], Any] = getattr(node, "get", _none)
    return get


def _of_no_type(node: Any, names: frozenset[str]) -> Any:
    """A node, where `names` that are asked of it could name its type instead of a child."""
    if getattr(node, "type_name", None) in names:
        raise Fallback
    return node


def child(value: Any, name: str) -> Any:
    """The children `name` of every item."""
    if value is None:
        return None
    if type(value) is not list:
        return _reader(value)(name)
    found: list[Any] = []
    for one in value:
        if one is not None:
            got = _reader(one)(name)
            if type(got) is list:
                found += got
            elif got is not None:
                found.append(got)
    return found


def items_of(value: Any) -> list[Any]:
    """The collection as a list, not to be changed."""
    if type(value) is list:
        return [one for one in value if one is not None] if None in value else value
    return [] if value is None else [value]


def one_of_at_most(value: Any) -> Any:
    """The only item, None when there is none."""
    if type(value) is not list:
        return value
    given = items_of(value)
    if len(given) > 1:
        raise Fallback
    return given[0] if given else None


def text_of_one(value: Any) -> str | None:
    """The collection as one plain text."""
    if type(value) is list:
        value = one_of_at_most(value)
    if type(value) is str or value is None:
        return value
    if isinstance(value, str):
        return _plain_text(value)
    raise Fallback


def _plain_text(value: str) -> str:
    if getattr(value, "type_name", None) in _PARSED:
        raise Fallback
    return str.__str__(value)


def value_of_one(value: Any) -> Any:
    """A single item as its scalar; None for a node that has none."""
    if isinstance(value, str):
        return value if type(value) is str else _plain_text(value)
    if type(value) in {bool, int, Decimal}:
        return value
    if type(value) is dict or isinstance(value, (*_NUMBERS, float, list)):
        raise Fallback
    return None


def plain_items(value: Any) -> list[Any]:
    """The collection as scalars, which FHIRPath reads as System values."""
    found = [value_of_one(one) for one in items_of(value)]
    if None in found:
        raise Fallback
    return found


READING: dict[str, Any] = {
    "child": child,
    "external": _external,
    "of_no_type": _of_no_type,
    "reader": _reader,
    "root": _root,
    "root_kept": _root_kept,
    "variable": _variable,
    "variable_kept": _variable_kept,
}
"""The names of these functions in written expressions."""
