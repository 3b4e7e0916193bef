"""Items of a collection, and steps from an item to its children.

An item is a System value (str, bool, int, Decimal, Long, Temporal, Quantity) or a
:class:`Node`: an element of a tree with its type.  Trees follow one small protocol: a node
answers ``get(name)`` with None, one item or a list, and ``keys()``; a plain dict is the
normal case.  Primitive elements of FHIR JSON take their id and extensions from the ``_name``
sibling (https://hl7.org/fhir/R4/json.html#primitive).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from fhir_bridge.budget import Evaluation
from fhir_bridge.fhirpath_values.fhir_quantity import quantity_of, written
from fhir_bridge.fhirpath_values.model import PRIMITIVES, SUFFIXES, Member, Model
from fhir_bridge.fhirpath_values.quantity import Quantity
from fhir_bridge.fhirpath_values.temporal import Long, Temporal, parse_temporal

__all__ = ["Node", "children", "plain_of", "step", "value_of", "wrap"]

_TEMPORAL = {"date": "date", "dateTime": "datetime", "instant": "datetime", "time": "time"}
_LONG = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_SCALARS = (str, bool, int, Decimal, float)
_FEW = 16
"""Items that are not counted one by one."""


class Node:
    """An element of a tree.

    `value` is a scalar, a dict or another tree node (None when only extensions stand for
    it), `type_name` "" when unknown, `sibling` the holder of id and extensions of a
    primitive, `choice` whether a choice element led here.
    """

    __slots__ = ("choice", "sibling", "type_name", "value")

    def __init__(
        self, value: Any, type_name: str = "", sibling: Any = None, *, choice: bool = False
    ) -> None:
        self.value = value
        self.type_name = type_name
        self.sibling = sibling
        self.choice = choice

    def __repr__(self) -> str:
        return f"Node({self.value!r}, {self.type_name!r})"


def wrap(value: Any, type_name: str = "") -> list[Any]:
    """Plain values as items: lists are opened, None is nothing, trees become nodes."""
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return [item for part in value for item in wrap(part, type_name)]
    if isinstance(value, (Node, Temporal, Quantity)):
        return [value]
    if type(value) is float:
        value = Decimal(repr(value))
    if isinstance(value, _SCALARS) and not hasattr(value, "get"):
        return [Node(value, type_name)] if type_name else [value]
    return [Node(value, type_name or _own_type(value))]


def _own_type(value: Any) -> str:
    if type(value) is dict:
        found = value.get("resourceType")
        return found if type(found) is str else ""
    return getattr(value, "type_name", None) or ""


def value_of(item: Any) -> Any:
    """The System value of an item; None when it has none (a structure, or no value)."""
    if type(item) is not Node:
        return item
    value = item.value
    kind = type(value)
    if kind is str or isinstance(value, str):
        wanted = _TEMPORAL.get(item.type_name)
        if wanted is not None:
            parsed = parse_temporal(value, wanted)
            return value if parsed is None else parsed
        if item.type_name == "integer64" and _LONG.fullmatch(value):
            return Long(value)
        return value if kind is str else str(value)
    if kind is bool or kind is int or kind is Decimal:
        return value
    if kind is float:
        return Decimal(repr(value))
    if isinstance(value, _SCALARS):
        return value
    return quantity_of(value, item.type_name)


def plain_of(item: Any) -> Any:
    """An item as plain JSON; None when it has no value."""
    if type(item) is Node:
        return item.value
    if isinstance(item, Temporal):
        return item.text
    if isinstance(item, Quantity):
        return written(item)
    return item


_ID = (Member("id", "System.String", False, False, ""),)
_EXTENSION = (Member("extension", "Extension", False, False, ""),)


def step(items: list[Any], name: str, model: Model, evaluation: Evaluation) -> list[Any]:
    """The children called `name` of every item, in order."""
    if len(items) > _FEW:
        return _many_steps(items, name, model, evaluation)
    out: list[Any] = []
    for item in items:
        if type(item) is not Node:
            _system_member(item, name, out)
            continue
        value = item.value
        if type(value) is dict:
            members = model.members(item.type_name, name)
            if members is None:
                _untyped(value, name, out)
                continue
            count = len(out)
            for member in members:
                _take(value, member, out)
            if members and members[0].choice and len(out) == count:
                _untyped(value, name, out)  # a form of the choice that this release has not
            if not members and name in value and name != "resourceType":
                # a key that the type does not have: read leniently, of unknown type
                _take(value, _loose(model, item.type_name, name), out)
            elif not members and name == "resourceType":
                out.append(value[name]) if name in value else None
            continue
        _beside(item, name, out)
    if len(out) > _FEW:
        evaluation.budget.items(len(out))
    return out


def _many_steps(items: list[Any], name: str, model: Model, evaluation: Evaluation) -> list[Any]:
    """A few at a time, so that what one name multiplies is counted on the way."""
    out: list[Any] = []
    for start in range(0, len(items), _FEW):
        evaluation.budget.spend(_FEW)
        out += step(items[start : start + _FEW], name, model, evaluation)
    return out


def _beside(item: Node, name: str, out: list[Any]) -> None:
    """What stands beside a primitive; and the children of a node that is no JSON."""
    if item.sibling is not None and type(item.sibling) is dict:
        for member in _ID if name == "id" else _EXTENSION if name == "extension" else ():
            _take(item.sibling, member, out)
    get = getattr(item.value, "get", None)
    if get is not None:
        _append(get(name), None, Member(name, "", False, False, ""), out)


def _loose(model: Model, type_name: str, name: str) -> Member:
    definitions = model.definitions
    if definitions is not None and (shape := definitions.types.get(type_name)) is not None:
        element = shape.elements.get(name)
        if element is not None:
            primitive = element.type in PRIMITIVES
            return Member(name, element.type, primitive, True, f"_{name}" if primitive else "")
    return Member(name, "", False, False, f"_{name}")


def _untyped(value: dict[str, Any], name: str, out: list[Any]) -> None:
    """Element `name` of a dict whose type is unknown: by its key, or as a choice."""
    sibling = f"_{name}"
    if name in value or sibling in value:
        _take(value, Member(name, "", False, False, sibling), out)
        return
    size = len(name)
    for key in value:
        if len(key) > size and key.startswith(name):
            type_name = SUFFIXES.get(key[size:])
            if type_name:
                _take(value, Member(key, type_name, False, True, f"_{key}"), out)
                return


def _take(value: dict[str, Any], member: Member, out: list[Any]) -> None:
    key, _, _, _, sibling = member
    child = value.get(key)
    beside = value.get(sibling) if sibling else None
    if child is not None or beside is not None:
        _append(child, beside, member, out)


def _append(child: Any, beside: Any, member: Member, out: list[Any]) -> None:
    """Add a child, or each of a list of children with the sibling at the same place."""
    if type(child) is list or (child is None and type(beside) is list):
        siblings = beside if type(beside) is list else ()
        values = child if child is not None else ()
        for place in range(max(len(values), len(siblings))):
            one = values[place] if place < len(values) else None
            one_beside = siblings[place] if place < len(siblings) else None
            if one is not None or one_beside is not None:
                out.append(_made(one, one_beside, member))
    elif child is not None or beside is not None:
        out.append(_made(child, beside, member))


def _made(child: Any, beside: Any, member: Member) -> Node:
    type_name = member.type_name
    if type_name in ("", "Resource"):
        type_name = _own_type(child) or type_name
    node = Node(child, type_name, beside)
    node.choice = member.choice
    return node


def _system_member(item: Any, name: str, out: list[Any]) -> None:
    """``value`` and ``unit`` of a System.Quantity; other System values have no members."""
    if isinstance(item, Quantity):
        if name == "value":
            out.append(item.value)
        elif name in ("unit", "code"):
            out.append(item.unit)


def children(item: Any, model: Model, evaluation: Evaluation) -> list[Any]:
    """Every child of an item, in the order of its keys."""
    if type(item) is not Node:
        return []
    out: list[Any] = []
    value = item.value
    if type(value) is not dict:
        return _children_of_tree(item, value, model, evaluation)
    seen = set()
    for key in value:
        if key == "resourceType":
            continue
        name = key.removeprefix("_")
        if name in seen:
            continue
        seen.add(name)
        members = model.members(item.type_name, name)
        if members:
            for member in members:
                _take(value, member, out)
        else:
            _take(value, _child_member(model, item.type_name, name), out)
    return out


def _children_of_tree(item: Node, value: Any, model: Model, evaluation: Evaluation) -> list[Any]:
    """The children of a node that is no JSON; to list all is to ask for none in particular."""
    out: list[Any] = []
    if type(item.sibling) is dict:
        for name in item.sibling:
            out += step([item], name, model, evaluation)
    if getattr(value, "keys", None) is not None:
        parts = getattr(value, "read_parts", None)
        before = set(parts or ())
        for name in value.keys():  # noqa: SIM118 - a tree node is no mapping
            out += step([item], name, model, evaluation)
        if type(parts) is dict:
            for name in parts.keys() - before:
                del parts[name]
    return out


def _child_member(model: Model, type_name: str, name: str) -> Member:
    """A key met while walking: a form of a choice, or an element of unknown type."""
    if type_name and model.definitions is not None:
        return _loose(model, type_name, name)
    for size in range(len(name) - 1, 0, -1):
        if name[size].isupper() and name[size:] in SUFFIXES and name[:size] in _CHOICE_NAMES:
            return Member(name, SUFFIXES[name[size:]], False, True, f"_{name}")
    return Member(name, "", False, False, f"_{name}")


_CHOICE_NAMES = frozenset(
    [
        "value",
        "effective",
        "onset",
        "abatement",
        "deceased",
        "multipleBirth",
        "medication",
        "occurrence",
        "performed",
        "timing",
        "asNeeded",
        "rate",
        "dose",
        "product",
        "serviced",
        "location",
        "diagnosis",
        "procedure",
        "bounds",
        "subject",
        "defaultValue",
        "fixed",
        "pattern",
        "minValue",
        "maxValue",
        "answer",
    ]
)
