"""Functions that FHIR adds to FHIRPath (https://hl7.org/fhir/R4/fhirpath.html#functions)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath.evaluation import Context, one, string
from fhir_bridge.fhirpath.functions.narrative import is_safe_fragment, is_safe_narrative
from fhir_bridge.fhirpath.functions.registry import function
from fhir_bridge.fhirpath_values import Node, Quantity, fail, fhir_name, is_type, step, value_of

Items = list[Any]


@function("extension", 1)
def _extension(focus: Items, context: Context, url: Items) -> Items:
    wanted = string(url, "extension()")
    return [
        found
        for found in step(focus, "extension", context.model, context)
        if type(found) is Node and type(found.value) is dict and found.value.get("url") == wanted
    ]


@function("hasExtension", 1)
def _has_extension(focus: Items, context: Context, url: Items) -> Items:
    return [bool(_extension(focus, context, url))]


@function("hasValue")
def _has_value(focus: Items, _context: Context) -> Items:
    if len(focus) != 1:
        return [False]
    item = focus[0]
    if type(item) is Node:
        value = item.value
        return [isinstance(value, (str, int, float)) or (value is not None and _scalar(value))]
    return [not isinstance(item, Quantity)]


def _scalar(value: Any) -> bool:
    return not hasattr(value, "keys")


@function("getValue")
def _get_value(focus: Items, _context: Context) -> Items:
    if len(focus) != 1:
        return []
    item = focus[0]
    if type(item) is Node:
        return [] if item.value is None or hasattr(item.value, "keys") else [value_of(item)]
    return [item]


@function("ofResourceType", 1)
def _of_resource_type(focus: Items, context: Context, name: Items) -> Items:
    wanted = string(name, "ofResourceType()")
    return [item for item in focus if wanted and is_type(item, wanted, context.model)]


_CORE = "http://hl7.org/fhir/StructureDefinition/"


@function("conformsTo", 1)
def _conforms_to(focus: Items, context: Context, profile: Items) -> Items:
    item, url = one(focus, "conformsTo()"), string(profile, "conformsTo()")
    if item is None or url is None:
        return []
    hook = context.environment.conforms_to
    answer = hook(item.value if type(item) is Node else item, url) if hook else None
    if answer is None:
        name = url.removeprefix(_CORE)
        if url.startswith(_CORE) and name in context.model.type_names:
            return [is_type(item, name, context.model)]
        raise BridgeError("FB-2009", name="conformsTo()", reason="the profile is not known")
    return [answer]


@function("htmlChecks")
def _html_checks(focus: Items, _context: Context) -> Items:
    if len(focus) != 1 or fhir_name(focus[0]) not in ("xhtml", "string", "markdown", "code", ""):
        return []
    value = value_of(focus[0])
    if not isinstance(value, str):
        return []
    judge = is_safe_narrative if fhir_name(focus[0]) == "xhtml" else is_safe_fragment
    return [judge(value)]


@function("elementDefinition")
def _element_definition(_focus: Items, _context: Context) -> Items:
    raise BridgeError("FB-2009", name="elementDefinition()", reason="profiles are not at hand")


@function("slice", 2)
def _slice(_focus: Items, _context: Context, _structure: Items, _name: Items) -> Items:
    raise BridgeError("FB-2009", name="slice()", reason="profiles are not at hand")


@function("checkModifiers", 0, 50)
def _check_modifiers(focus: Items, context: Context, *allowed: Items) -> Items:
    """Refuses an element with a modifier extension that is not among those named."""
    known = {string(url, "checkModifiers()") for url in allowed}
    for found in step(focus, "modifierExtension", context.model, context):
        if (
            type(found) is Node
            and type(found.value) is dict
            and found.value.get("url") not in known
        ):
            raise fail("an element has a modifier extension that is not understood")
    return focus


@function("hasTemplateIdOf", 1)
def _has_template_id_of(focus: Items, context: Context, profile: Items) -> Items:
    """Whether a CDA element carries the template of a profile; asks `conforms_to`."""
    if not focus:
        return []
    url = string(profile, "hasTemplateIdOf()")
    hook = context.environment.conforms_to
    if hook is None or url is None:
        raise BridgeError("FB-2009", name="hasTemplateIdOf()", reason="profiles are not at hand")
    return [any(hook(item.value if type(item) is Node else item, url) is True for item in focus)]


@function("comparable", 1)
def _comparable(focus: Items, _context: Context, other: Items) -> Items:
    left, right = (value_of(one(side, "comparable()")) for side in (focus, other))
    if left is None or right is None:
        return []
    if not isinstance(left, Quantity):
        left = Quantity(_plain_number(left))
    if not isinstance(right, Quantity):
        right = Quantity(_plain_number(right))
    if left.unit == right.unit and left.calendar == right.calendar:
        return [True]
    return [left.compare(right) is not None]


def _plain_number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise fail("comparable() takes quantities")
    return Decimal(value)
