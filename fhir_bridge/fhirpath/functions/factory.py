"""``%factory``: elements of FHIR made in an expression.

https://hl7.org/fhir/fhirpath.html#factory
"""

from __future__ import annotations

import base64
import binascii
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath.evaluation import Context, one, string
from fhir_bridge.fhirpath.functions.registry import function
from fhir_bridge.fhirpath_values import Node, Temporal, fail, fhir_name, parse_temporal, value_of

Items = list[Any]
_PATTERNS = {
    "canonical": r"\S*",
    "code": r"[^\s]+( [^\s]+)*",
    "id": r"[A-Za-z0-9\-.]{1,64}",
    "oid": r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+",
    "string": r"[\s\S]+",
    "markdown": r"[\s\S]+",
    "uri": r"\S*",
    "url": r"\S*",
    "uuid": r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
}
_TEMPORAL = {"date": "date", "dateTime": "datetime", "instant": "datetime", "time": "time"}
_LEAST = {"integer": -(2**31), "positiveInt": 1, "unsignedInt": 0, "integer64": -(2**63)}


def _is_factory(focus: Items) -> bool:
    return len(focus) == 1 and type(focus[0]) is Node and focus[0].type_name == "%factory"


def _require(focus: Items, name: str) -> None:
    if not _is_factory(focus):
        raise BridgeError("FB-2003", name=f"{name}()", reason="it is a function of %factory")


def _node(context: Context, value: Any, type_name: str, sibling: Any = None) -> Items:
    """What was made, counted: parts stand in it that stand elsewhere as well."""
    context.budget.tree(value)
    context.budget.tree(sibling)
    return [Node(value, type_name, sibling)]


def _plain(item: Any) -> Any:
    value = item.value if type(item) is Node else item
    return value.text if isinstance(value, Temporal) else value


def _checked(kind: str, value: Any) -> Any:
    """The JSON value of a primitive; FB-2005 when `value` is none of that type."""
    found = _primitive(kind, value)
    if found is None:
        raise fail(f"%factory.{kind}() cannot take this value")
    return found


def _primitive(kind: str, value: Any) -> Any:
    text = value.text if isinstance(value, Temporal) else value
    if kind == "boolean":
        return {"true": True, "false": False}.get(str(text).lower())
    if kind in _LEAST:
        if isinstance(text, bool) or not re.fullmatch(r"[+-]?[0-9]{1,19}", str(text)):
            return None
        number = int(text)
        most = 2**63 if kind == "integer64" else 2**31
        return number if _LEAST[kind] <= number < most else None
    if kind == "decimal":
        try:
            number_value = Decimal(str(text))
        except InvalidOperation:
            return None
        return number_value if number_value.is_finite() else None
    if not isinstance(text, str):
        return None
    if kind in _TEMPORAL:
        return text if parse_temporal(text, _TEMPORAL[kind]) else None
    if kind == "base64Binary":
        try:
            base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error):
            return None
        return text if len(text) % 4 == 0 else None
    return text if re.fullmatch(_PATTERNS[kind], text) else None


def _enter_primitive(kind: str) -> None:
    def make(
        focus: Items, _context: Context, value: Items, extensions: Items | None = None
    ) -> Items:
        _require(focus, kind)
        given = value_of(one(value, f"%factory.{kind}()"))
        made = None if given is None else _checked(kind, given)
        added = [_plain(item) for item in extensions or []]
        sibling = {"extension": added} if added else None
        return [Node(made, kind, sibling if sibling or made is not None else {})]

    function(kind, 1, 2)(make)


for _kind in ("boolean", "decimal", "base64Binary", *_LEAST, *_TEMPORAL, *_PATTERNS):
    _enter_primitive(_kind)

_STRUCTURES: dict[str, tuple[tuple[str, str, bool], ...]] = {
    # element, the type its items must have ("" for a string), whether it repeats
    "Identifier": (
        ("system", "", False),
        ("value", "", False),
        ("use", "", False),
        ("type", "CodeableConcept", False),
    ),
    "HumanName": (
        ("family", "", False),
        ("given", "", True),
        ("prefix", "", True),
        ("suffix", "", True),
        ("text", "", False),
        ("use", "", False),
    ),
    "ContactPoint": (("system", "", False), ("value", "", False), ("use", "", False)),
    "Address": (
        ("line", "", True),
        ("city", "", False),
        ("state", "", False),
        ("postalCode", "", False),
        ("country", "", False),
        ("use", "", False),
        ("type", "", False),
    ),
    "Coding": (
        ("system", "", False),
        ("code", "", False),
        ("display", "", False),
        ("version", "", False),
    ),
    "CodeableConcept": (("coding", "Coding", True), ("text", "", False)),
}


def _part(items: Items, kind: str, name: str, *, repeats: bool) -> Any:
    values = []
    for item in items:
        if kind and fhir_name(item) != kind:
            raise fail(f"{name} takes {kind}")
        value = _plain(item)
        if not kind and not isinstance(value, str):
            raise fail(f"{name} takes strings")
        values.append(value)
    return values if repeats else one(values, name)


def _enter_structure(kind: str, parts: tuple[tuple[str, str, bool], ...]) -> None:
    def make(focus: Items, context: Context, *given: Items) -> Items:
        _require(focus, kind)
        made = {}
        for items, (name, wanted, repeats) in zip(given, parts, strict=False):
            if items:
                made[name] = _part(items, wanted, f"%factory.{kind}() {name}", repeats=repeats)
        return _node(context, made, kind)

    function(kind, 1, len(parts))(make)


for _kind, _parts in _STRUCTURES.items():
    _enter_structure(_kind, _parts)


@function("Quantity", 1, 4)
def _quantity(focus: Items, _context: Context, *given: Items) -> Items:
    """``Quantity(system, code, value, unit)``."""
    _require(focus, "Quantity")
    made: dict[str, Any] = {}
    for items, name in zip(given, ("system", "code", "value", "unit"), strict=False):
        value = _plain(one(items, f"%factory.Quantity() {name}"))
        if value is None:
            continue
        made[name] = _checked("decimal", value) if name == "value" else value
        if name != "value" and not isinstance(value, str):
            raise fail(f"%factory.Quantity() {name} takes a string")
    order = ("value", "unit", "system", "code")
    return [Node({name: made[name] for name in order if name in made}, "Quantity")]


def _extension_of(url: str | None, items: Items) -> dict[str, Any]:
    made: dict[str, Any] = {"url": url}
    item = one(items, "%factory.Extension() value")
    if item is not None:
        kind = fhir_name(item) or "string"
        made[f"value{kind[0].upper()}{kind[1:]}"] = _plain(item)
    return made


@function("Extension", 1, 2)
def _extension(focus: Items, context: Context, url: Items, value: Items | None = None) -> Items:
    _require(focus, "Extension")
    made = _extension_of(string(url, "%factory.Extension()"), value or [])
    return _node(context, made, "Extension")


@function("create", 1, style="type")
def _create(focus: Items, _context: Context, name: str) -> Items:
    _require(focus, "create")
    return [Node({}, name.removeprefix("FHIR."))]


@function("withExtension", 2, 3)
def _with_extension(
    focus: Items, context: Context, instance: Items, url: Items, value: Items | None = None
) -> Items:
    _require(focus, "withExtension")
    added = _extension_of(string(url, "%factory.withExtension()"), value or [])
    item = one(instance, "%factory.withExtension()")
    if type(item) is not Node:
        return []
    if isinstance(item.value, dict):
        extended = {**item.value, "extension": [*item.value.get("extension", []), added]}
        return _node(context, extended, item.type_name)
    beside = item.sibling or {}
    sibling = {**beside, "extension": [*beside.get("extension", []), added]}
    return _node(context, item.value, item.type_name, sibling)


@function("withProperty", 2, 3)
def _with_property(
    focus: Items, context: Context, instance: Items, name: Items, value: Items | None = None
) -> Items:
    _require(focus, "withProperty")
    item, wanted = one(instance, "%factory.withProperty()"), string(name, "%factory.withProperty()")
    if type(item) is not Node or wanted is None:
        return []
    plain = [_plain(part) for part in value or []]
    if isinstance(item.value, dict):
        members = context.model.members(item.type_name, wanted)
        key = members[0].key if members else wanted
        made = {**item.value, key: plain[0] if len(plain) == 1 else plain}
        return _node(context, made, item.type_name)
    sibling = {**(item.sibling or {}), wanted: plain[0] if plain else None}
    return _node(context, item.value, item.type_name, sibling)
