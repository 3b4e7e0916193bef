"""Instances of any R4 type, made from its definition: sound ones, and the same spoilt.

https://hl7.org/fhir/R4/json.html

The same type gives the same instances every time; every element, every form of a choice, lists
of one and of two, and companions of primitives are there in one of them.
"""

from __future__ import annotations

import copy
import random
from decimal import Decimal
from typing import Any

from fhir_bridge.fhir import Definitions, definitions

__all__ = ["Tree", "sound", "spoilt"]

_VARIANTS = 6
_DEPTH = 4
_TEXTS = ("official", "phone", "final", "male", "x", "1234567890")
_URIS = ("http://unitsofmeasure.org", "urn:oid:1.2.3", "http://example.org/a")
_VALUES: dict[str, tuple[Any, ...]] = {
    "boolean": (True, False),
    "integer": (0, 1, -7),
    "positiveInt": (1, 2, 3),
    "unsignedInt": (0, 5, 9),
    "decimal": (Decimal("1.50"), Decimal(0), 7),
    "date": ("2024-01-01", "2024", "1999-12"),
    "dateTime": ("2024-01-01T10:00:00Z", "2024-01-02", "2024"),
    "instant": ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00.5+08:00"),
    "time": ("10:00:00", "23:59:59"),
    "uri": _URIS,
    "url": _URIS,
    "canonical": _URIS,
    "base64Binary": ("AAAA",),
    "xhtml": ('<div xmlns="http://www.w3.org/1999/xhtml">x</div>',),
}
_REFERENCES = (
    "Patient/1",
    "Organization/o",
    "http://example.org/fhir/Practitioner/7",
    "urn:uuid:1",
)


class Tree(dict[str, Any]):
    """A node of the tree protocol that is no FHIR JSON."""


_TREES: list[dict[str, Any]] = [
    Tree(OBX=[Tree(f5="a", f3=Tree(c1="1")), Tree(f5=["b", "c"])], PID=Tree(f5="x")),
    Tree(OBX=Tree(f5="a"), PID=[Tree(f5=Tree(c1="1"), f8="M")], Patient="x"),
    Tree(OBX=["text"], PID=Tree(f8=["M", "F"])),
]


def sound(type_name: str) -> list[dict[str, Any]]:
    """Instances whose structure is as defined: an empty one, then full ones; "*": trees."""
    if type_name == "*":
        return [Tree(), *_TREES]
    facts = definitions()
    start = {"resourceType": type_name} if facts.types[type_name].kind == "resource" else {}
    return [start] + [
        {**start, **_instance(facts, type_name, variant, _DEPTH)} for variant in range(_VARIANTS)
    ]


def spoilt(type_name: str, count: int) -> list[dict[str, Any]]:
    """`count` instances with one to three faults of shape."""
    if type_name == "*":
        return []
    chance = random.Random(type_name)
    full = sound(type_name)[1:]
    made = []
    for _ in range(count):
        instance = copy.deepcopy(chance.choice(full))
        for _ in range(chance.randrange(1, 4)):
            _spoil(instance, chance)
        made.append(instance)
    return made


def _instance(facts: Definitions, type_name: str, variant: int, depth: int) -> dict[str, Any]:
    shape = facts.types[type_name]
    chosen = {name: keys[variant % len(keys)] for name, keys in shape.choices.items()}
    made: dict[str, Any] = {}
    for place, (key, element) in enumerate(shape.elements.items()):
        if element.choice and chosen[element.choice] != key:
            continue
        if depth < _DEPTH and (place + variant) % 3 == 0:
            continue
        value = _value(facts, element.type, variant + place, depth)
        if value is None:
            continue
        again = _value(facts, element.type, variant + place + 1, depth)
        made[key] = ([value, again] if variant % 2 else [value]) if element.is_list else value
        if (
            element.type in facts.primitive_types
            and not element.is_list
            and (place + variant) % 7 == 0
        ):
            made[f"_{key}"] = {"id": "beside"}
            if variant % 2:
                del made[key]
    if type_name == "Reference":
        made["reference"] = _REFERENCES[variant % len(_REFERENCES)]
    return made


def _value(facts: Definitions, type_name: str, variant: int, depth: int) -> Any:
    if type_name in facts.primitive_types:
        values = _VALUES.get(type_name, _TEXTS)
        return values[variant % len(values)]
    if depth == 0 or type_name not in facts.types:
        return None
    if facts.types[type_name].abstract:
        return {"resourceType": "Basic", "id": "b"} if type_name == "Resource" else None
    return _instance(facts, type_name, variant % _VARIANTS, depth - 1) or None


def _spoil(node: Any, chance: random.Random) -> None:
    """Remove, repeat, unlist or replace something at a random place."""
    holders, waiting = [], [node]
    while waiting:
        holder = waiting.pop()
        inside = holder.values() if isinstance(holder, dict) else holder
        waiting += [item for item in inside if isinstance(item, dict | list) and item]
        holders.append(holder)
    holder = chance.choice([each for each in holders if each])
    key = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    act = chance.randrange(5)
    if key == "resourceType":
        return
    if act == 0:
        del holder[key]
    elif act == 1:
        holder[key] = None
    elif act == 2:
        holder[key] = [holder[key], copy.deepcopy(holder[key])]
    elif act == 3 and isinstance(holder, dict):
        holder[f"_{key}"] = {"id": "beside"}
    else:
        holder[key] = chance.choice(["x", 5, True, {}, [], {"id": "a"}, ["a"]])
