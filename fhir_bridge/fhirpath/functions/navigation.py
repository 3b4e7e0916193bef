"""Tree navigation, types and utility functions.

http://hl7.org/fhirpath/N1/#tree-navigation, #utility-functions, #types,
http://hl7.org/fhirpath/#definevariable
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath.evaluation import Closure, Context, one, string
from fhir_bridge.fhirpath.functions.filtering import each
from fhir_bridge.fhirpath.functions.registry import function
from fhir_bridge.fhirpath.variables import RESERVED, Items
from fhir_bridge.fhirpath_values import Node, Temporal, children, is_type, of_type, type_info

Collection = list[Any]
_MAX_DEPTH = 500


@function("children")
def _children(focus: Collection, context: Context) -> Collection:
    out: Collection = []
    for item in focus:
        found = children(item, context.model, context)
        context.budget.items(len(found))
        out += found
    return out


@function("descendants")
def _descendants(focus: Collection, context: Context) -> Collection:
    """Level by level: children, then their children."""
    out: Collection = []
    level = focus
    for _ in range(_MAX_DEPTH):
        level = _children(level, context)
        if not level:
            return out
        out += level
    raise BridgeError("FB-2013", limit=_MAX_DEPTH)


@function("is", 1, style="type")
def _is(focus: Collection, context: Context, name: str) -> Collection:
    item = one(focus, "is")
    return [] if item is None else [is_type(item, name, context.model)]


@function("as", 1, style="type")
def _as(focus: Collection, context: Context, name: str) -> Collection:
    """One item; several only when they are forms of a choice element (search parameters do so)."""
    if len(focus) > 1 and not all(type(item) is Node and item.choice for item in focus):
        one(focus, "as")
    return of_type(focus, name, context.model)


@function("ofType", 1, style="type")
def _of_type(focus: Collection, context: Context, name: str) -> Collection:
    return of_type(focus, name, context.model)


@function("type")
def _type(focus: Collection, context: Context) -> Collection:
    out: Collection = []
    for item in focus:
        namespace, name = type_info(item, context.model)
        out.append(Node({"namespace": namespace, "name": name}, "System.SimpleTypeInfo"))
    return out


@function("trace", 1, 2, style="lambda")
def _trace(
    focus: Collection, context: Context, name: Closure, projection: Closure | None = None
) -> Collection:
    label = string(name(context.this, context), "the name of trace()") or ""
    hook = context.environment.trace
    if projection is not None:
        shown = [item for found in each(focus, context, projection) for item in found]
    else:
        shown = focus
    if hook is not None:
        hook(label, [item.value if type(item) is Node else item for item in shown])
    return focus


@function("now")
def _now(_focus: Collection, context: Context) -> Collection:
    return [_datetime(context)]


def _datetime(context: Context) -> Temporal:
    present = context.now()
    offset = present.utcoffset()
    zone = 0 if offset is None else int(offset.total_seconds()) // 60
    milliseconds = present.microsecond // 1000
    text = present.isoformat(timespec="milliseconds")
    text = text.replace("+00:00", "Z") if offset is not None else f"{text}Z"
    fields = (
        present.year,
        present.month,
        present.day,
        present.hour,
        present.minute,
        present.second,
        milliseconds * 1_000_000,
    )
    return Temporal("datetime", fields, zone, text)


@function("today")
def _today(_focus: Collection, context: Context) -> Collection:
    present = _datetime(context)
    return [Temporal("date", present.fields[:3], None, present.text[:10])]


@function("timeOfDay")
def _time_of_day(_focus: Collection, context: Context) -> Collection:
    present = _datetime(context)
    return [Temporal("time", present.fields[3:], None, present.text[11:23])]


@function("defineVariable", 1, 2, style="lambda")
def _define_variable(
    focus: Collection, context: Context, name: Closure, value: Closure | None = None
) -> Collection:
    label = string(name(context.this, context), "the name of defineVariable()")
    if label is None:
        return focus
    if label in RESERVED or label in context.variables:
        raise BridgeError("FB-2007", name=label, reason="defined already")
    outer = context.this
    try:
        if value is not None:
            context.this = focus
        found = focus if value is None else value(focus, context)
    finally:
        context.this = outer
    context.variables = {**context.variables, label: Items(found)}
    return focus
