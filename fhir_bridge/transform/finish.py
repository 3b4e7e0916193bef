"""The end of a run: the target in the order of the definitions, without empty parts.

https://hl7.org/fhir/R4/json.html: an object or array is never empty, a list of primitives
keeps nulls only where its companion list (``_given``) has something at the same place.

A copied object may come from another release: a property that the type does not have is
dropped with a warning, a single value where a list belongs becomes a list.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.transform.run import Run, Site
from fhir_bridge.transform.shapes import ElementShape, Shape, Shapes
from fhir_bridge.transform.target import Target

__all__ = ["Finisher"]

_FREE_KEYS = frozenset({"resourceType", "xsi:type"})


class _Key:
    """What is known of one JSON key of a shape."""

    __slots__ = ("is_list", "is_primitive", "order", "shape")

    def __init__(self, order: int, shape: Shape, *, is_list: bool) -> None:
        self.order = order
        self.shape = shape
        self.is_list = is_list
        self.is_primitive = shape.is_primitive


class Finisher:
    """Orders and prunes targets; look-ups are kept by shape."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._keys: dict[Shape, dict[str, _Key]] = {}

    def finish(self, run: Run, target: Target, site: Site) -> dict[str, Any]:
        """The finished object; `target` is changed in place."""
        if target.node is None:
            return {}
        self._object(run, target.node, target.shape, site)
        return target.node

    def _object(self, run: Run, node: dict[str, Any], shape: Shape, site: Site) -> bool:
        """Finish `node` in place; whether anything is left in it."""
        shape = self._actual(node, shape)
        keys = self._keys.get(shape)
        if keys is None:
            keys = self._keys[shape] = self._compiled(shape)
        last, ordered = -1, True
        drop: list[str] = []
        for name, value in node.items():
            if type(value) is str and value == "":
                drop.append(name)
                continue
            companion = name[0] == "_"
            key = keys.get(name[1:] if companion else name)
            if key is None:
                if name not in _FREE_KEYS and not shape.is_open and keys:
                    drop.append(name)
                    run.report("FB-2124", site, None, "warning", name=name, type=shape.name)
                elif not self._kept(run, value, site):
                    drop.append(name)
                continue
            if not (_companion(value) if companion else self._value(run, node, name, key, site)):
                drop.append(name)
                continue
            order = key.order * 2 + companion
            if order < last:
                ordered = False
            last = order
        for name in drop:
            del node[name]
        if not ordered:
            _reorder(node, keys)
        return bool(node) and (len(node) > 1 or "xsi:type" not in node)

    def _actual(self, node: dict[str, Any], shape: Shape) -> Shape:
        own = node.get("resourceType")
        if own is not None and own != shape.name and type(own) is str:
            return self._shapes.find(own) or shape
        if (shape.is_abstract or shape.kind == "logical") and "xsi:type" in node:
            return self._shapes.find(str(node["xsi:type"])) or shape
        return shape

    def _value(self, run: Run, node: dict[str, Any], name: str, key: _Key, site: Site) -> bool:
        """Finish one property; False when nothing of it is left."""
        value = node[name]
        if type(value) is list:
            if not key.is_list:
                if not value:
                    return False
                if len(value) > 1:
                    run.report("FB-2125", site, None, "warning", name=name, count=len(value))
                node[name] = value = value[-1]
                return type(value) is not dict or self._object(run, value, key.shape, site)
            return self._list(run, node, name, key, site)
        if value is None:
            return False
        if type(value) is dict and not self._object(run, value, key.shape, site):
            return False
        if key.is_list:
            node[name] = [value]
        return True

    def _list(self, run: Run, node: dict[str, Any], name: str, key: _Key, site: Site) -> bool:
        value: list[Any] = node[name]
        if key.is_primitive:
            return _primitives(node, name, value)
        kept = 0
        for item in value:
            if type(item) is dict and not self._object(run, item, key.shape, site):
                continue
            if item is not None:
                value[kept] = item
                kept += 1
        del value[kept:]
        return bool(value)

    def _kept(self, run: Run, value: Any, site: Site) -> bool:
        """Prune below a type that is not known."""
        if type(value) is dict:
            return self._object(run, value, self._shapes.named("?"), site)
        if type(value) is list:
            value[:] = [item for item in value if self._kept(run, item, site)]
            return bool(value)
        return value is not None

    def _compiled(self, shape: Shape) -> dict[str, _Key]:
        keys: dict[str, _Key] = {}
        for element in shape.elements.values():
            for type_name, key in element.keys.items():
                order = shape.order.get(key, len(shape.order))
                keys[key] = _Key(order, self._shape(type_name), is_list=_listed(element, shape))
        return keys

    def _shape(self, type_name: str) -> Shape:
        return self._shapes.named(type_name)


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


def _reorder(node: dict[str, Any], keys: dict[str, _Key]) -> None:
    def place(name: str) -> int:
        if name in _FREE_KEYS:
            return -1
        companion = name[0] == "_"
        key = keys.get(name[1:] if companion else name)
        return key.order * 2 + companion if key is not None else 1_000_000

    items = sorted(node.items(), key=lambda pair: place(pair[0]))
    node.clear()
    node.update(items)
