"""The end of a run: the target in the order of the definitions, without empty parts.

https://hl7.org/fhir/R4/json.html: an object or array is never empty, a list of primitives
keeps nulls only where its companion list (``_given``) has something at the same place.
An extension without value or parts is empty, too: https://hl7.org/fhir/R4/extensibility.html.

A copied object may come from another release: a property that the type does not have is
dropped with a warning, a single value where a list belongs becomes a list.

Every object comes by here, so the order of the keys is worked out once for each sequence of
keys, and the codings are noted for whoever looks at them next.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from fhir_bridge.shapes import ElementShape, Shape, Shapes
from fhir_bridge.transform.runtime.run import RuleLocation, Run
from fhir_bridge.transform.runtime.target import Target

__all__ = ["Normaliser"]

_FREE_KEYS = frozenset({"resourceType", "xsi:type"})
_NO_VALUE = frozenset({(), ("id",), ("url",), ("id", "url"), ("url", "id")})
_MAX_SEQUENCES = 2_000  # of the keys of one shape; names come from inputs, too

_Sequence = tuple[tuple[str, ...], list[tuple[str, "_Key | None", bool]], bool, bool]
"""The keys that have to move to the end for all to be in order; each key with what is known of it
and whether a text there needs no further look; whether it is a coding; whether it says anything
but its type."""


class _Key:
    """What is known of one JSON key of a shape."""

    __slots__ = ("is_companion", "is_list", "is_primitive", "order", "shape")

    def __init__(
        self, order: int, shape: Shape, *, is_list: bool, is_companion: bool = False
    ) -> None:
        self.is_companion = is_companion
        self.order = order
        self.shape = shape
        self.is_list = is_list
        self.is_primitive = shape.is_primitive


class Normaliser:
    """Orders and prunes targets; look-ups are kept by shape."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._keys: dict[Shape, dict[str, _Key]] = {}
        self._sequences: dict[Shape, dict[tuple[str, ...], _Sequence]] = {}
        self._typed: dict[Shape, dict[tuple[str, ...], _Sequence]] = {}  # of objects that say it

    def normalise(self, run: Run, target: Target, location: RuleLocation) -> dict[str, Any]:
        """The normalised object; `target` is changed in place."""
        if target.node is None:
            return {}
        self._object(run, target.node, target.shape, location)
        return target.node

    def _object(  # noqa: C901 - runs for every object that is made
        self, run: Run, node: dict[str, Any], shape: Shape, location: RuleLocation
    ) -> bool:
        """Finish `node` in place; whether anything is left in it."""
        names = tuple(node)
        try:
            moving, keys, is_coding, says = self._sequences[shape][names]
        except KeyError:
            shape = self._actual(node, shape)
            moving, keys, is_coding, says = self._sequence(shape, names)
        drop: list[str] | None = None
        for name, key, takes_text in keys:
            value = node[name]
            kind = type(value)
            if kind is str:
                if value and takes_text:
                    continue
                kept = self._text(run, node, name, key, shape, location)
            elif key is None:
                kept = self._unknown(run, name, value, shape, location)
            elif key.is_companion:
                kept = _companion(value)
                run.codings += [value] if kind is dict else [one for one in value or () if one]
            elif kind is dict and not key.is_list:
                kept = self._object(run, value, key.shape, location)
            elif kind is list and key.is_list and not key.is_primitive:
                kept = self._list(run, value, key.shape, location)
            else:
                kept = self._value(run, node, name, key, location)
            if not kept:
                drop = [name] if drop is None else [*drop, name]
        if drop is not None:
            for name in drop:
                del node[name]
            moving, _, _, says = self._sequence(shape, tuple(node))
        for name in moving:
            node[name] = node.pop(name)
        if is_coding:
            run.codings.append(node)
        return says

    def _sequence(self, shape: Shape, names: tuple[str, ...]) -> _Sequence:
        """What is known of the keys `names` of a shape in this order."""
        keys = self._keys.get(shape)
        if keys is None:
            keys = self._keys[shape] = self._compiled(shape)
        typed = shape.is_abstract or shape.kind == "logical" or "resourceType" in names
        known = (self._typed if typed else self._sequences).setdefault(shape, {})
        found = known.get(names)
        if found is None:
            each = [_entry(name, keys.get(name)) for name in names]
            orders = [key.order for _, key, _ in each if key is not None]
            moving: tuple[str, ...] = ()
            if orders != sorted(orders):
                moving = _moving(names, tuple(sorted(names, key=partial(_place, keys))))
            is_coding = "code" in names and "system" in names
            found = (moving, each, is_coding, not _says_nothing(shape, names))
            if len(known) < _MAX_SEQUENCES:
                known[names] = found
        return found

    def _text(  # noqa: PLR0917 - as above
        self,
        run: Run,
        node: dict[str, Any],
        name: str,
        key: _Key | None,
        shape: Shape,
        location: RuleLocation,
    ) -> bool:
        """A text that is empty, in a list's place, or under a key that is not known."""
        value = node[name]
        if value == "":
            return False
        if key is None:
            return self._unknown(run, name, value, shape, location)
        if key.is_list and not key.is_companion:
            node[name] = [value]
        return True

    def _unknown(
        self, run: Run, name: str, value: Any, shape: Shape, location: RuleLocation
    ) -> bool:
        """A property that the type does not have: dropped, unless it takes any."""
        if name in _FREE_KEYS or shape.is_open or not self._keys[shape]:
            return self._kept(run, value, location)
        run.report("FB-2124", location, None, "warning", name=name, type=shape.name)
        return False

    def _actual(self, node: dict[str, Any], shape: Shape) -> Shape:
        own = node.get("resourceType")
        if own is not None and own != shape.name and type(own) is str:
            return self._shapes.find(own) or shape
        if (shape.is_abstract or shape.kind == "logical") and "xsi:type" in node:
            return self._shapes.find(str(node["xsi:type"])) or shape
        return shape

    def _value(
        self, run: Run, node: dict[str, Any], name: str, key: _Key, location: RuleLocation
    ) -> bool:
        """Finish one property; False when nothing of it is left."""
        value = node[name]
        if type(value) is list:
            if not key.is_list:
                if not value:
                    return False
                if len(value) > 1:
                    run.report("FB-2125", location, None, "warning", name=name, count=len(value))
                node[name] = value = value[-1]
                return type(value) is not dict or self._object(run, value, key.shape, location)
            if key.is_primitive:
                return _primitives(node, name, value)
            return self._list(run, value, key.shape, location)
        if value is None:
            return False
        if type(value) is dict and not self._object(run, value, key.shape, location):
            return False
        if key.is_list:
            node[name] = [value]
        return True

    def _list(self, run: Run, value: list[Any], shape: Shape, location: RuleLocation) -> bool:
        """Finish the items of a list of objects in place; whether any is left."""
        if len(value) == 1 and type(value[0]) is dict:  # most are
            if self._object(run, value[0], shape, location):
                return True
            value.clear()
            return False
        kept = [
            item
            for item in value
            if (
                self._object(run, item, shape, location) if type(item) is dict else item is not None
            )
        ]
        if len(kept) != len(value):
            value[:] = kept
        return bool(kept)

    def _kept(self, run: Run, value: Any, location: RuleLocation) -> bool:
        """Prune below a type that is not known."""
        if type(value) is dict:
            return self._object(run, value, self._shapes.resolve("?"), location)
        if type(value) is list:
            value[:] = [item for item in value if self._kept(run, item, location)]
            return bool(value)
        return value is not None

    def _compiled(self, shape: Shape) -> dict[str, _Key]:
        keys: dict[str, _Key] = {}
        for element in shape.elements.values():
            for type_name, key in element.keys.items():
                order = shape.order.get(key, len(shape.order))
                is_list = _listed(element, shape)
                own = self._shape(type_name)
                keys[key] = _Key(order * 2, own, is_list=is_list)
                keys[f"_{key}"] = _Key(order * 2 + 1, own, is_list=is_list, is_companion=True)
        return keys

    def _shape(self, type_name: str) -> Shape:
        return self._shapes.resolve(type_name)


def _says_nothing(shape: Shape, names: tuple[str, ...]) -> bool:
    """Whether an object of these keys is empty: also an extension whose field was (rule ext-1)."""
    if shape.name == "Extension":
        return names in _NO_VALUE
    return names in {(), ("xsi:type",)}


def _primitives(node: dict[str, Any], name: str, value: list[Any]) -> bool:
    """Drop the places of a list of primitives where neither value nor companion stands."""
    if None in value:
        beside = node.get(f"_{name}")
        beside = beside if type(beside) is list else []
        kept = [
            index
            for index, item in enumerate(value)
            if item is not None or (index < len(beside) and beside[index])
        ]
        if beside:
            node[f"_{name}"] = [beside[i] if i < len(beside) else None for i in kept]
        node[name] = value = [value[index] for index in kept]
    return any(item is not None for item in value)


def _listed(element: ElementShape, shape: Shape) -> bool:
    return element.is_list and not shape.is_open


def _companion(value: Any) -> bool:
    """Whether a primitive's companion says anything; its empty objects become null."""
    if type(value) is list:
        value[:] = [item or None for item in value]
        return any(value)
    return bool(value)


def _entry(name: str, key: _Key | None) -> tuple[str, _Key | None, bool]:
    return name, key, name == "resourceType" if key is None else not key.is_list


def _place(keys: dict[str, _Key], name: str) -> int:
    if name in _FREE_KEYS:
        return -1
    key = keys.get(name)
    return key.order if key is not None else 1_000_000


def _moving(names: tuple[str, ...], in_order: tuple[str, ...]) -> tuple[str, ...]:
    """The keys that, put to the end one after the other, leave all of `names` in order.

    >>> _moving(("code", "system", "display"), ("system", "code", "display"))
    ('code', 'display')
    """
    there = iter(names)
    for place, name in enumerate(in_order):
        if name not in there:  # looks on from where the key before it was found
            return in_order[place:]
    return ()
