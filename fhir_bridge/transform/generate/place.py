"""Where a target of a rule stands in the JSON object, as far as the types alone tell it."""

from __future__ import annotations

from typing import Any

from fhir_bridge.fml import Transform
from fhir_bridge.map_functions import functions_by_name
from fhir_bridge.shapes import Shape
from fhir_bridge.transform.compile.standard_transforms import STANDARD
from fhir_bridge.transform.compile.transform import compile_argument
from fhir_bridge.transform.compile.translate import OID_TO_URI
from fhir_bridge.transform.compile.unit import RuleView
from fhir_bridge.transform.generate.node import NotStatic
from fhir_bridge.transform.runtime.coerce import MISFIT
from fhir_bridge.transform.runtime.source import Item
from fhir_bridge.transform.runtime.target import Place, TargetPlan, plan_for

__all__ = ["place_of_object", "place_of_value", "plans_for"]

_TRANSLATED = {
    "Coding": "Coding",
    "coding": "Coding",
    "CodeableConcept": "CodeableConcept",
    "code": "code",
    "uri": "uri",
    "system": "uri",
}


def plans_for(shape: Shape, names: list[str], view: RuleView) -> list[TargetPlan]:
    """How each element on the way is filled; all but the last are plain objects."""
    found: list[TargetPlan] = []
    for name in names:
        if shape.kind not in {"complex", "resource"} or shape.is_open:
            raise NotStatic
        plan = plan_for(shape, name, view.unit.shapes)
        if plan is None:
            raise NotStatic
        found.append(plan)
        if len(found) < len(names):
            shape = _only_plain_objects(plan.only).shape
    return found


def place_of_object(plan: TargetPlan, transform: Transform | None, view: RuleView) -> Place:
    """The place of an object that a target makes (``create``, or no transform)."""
    place = plan.only if transform is None else _place_created(plan, transform, view)
    return _only_plain_objects(place)


def _only_plain_objects(place: Place | None) -> Place:
    if place is None or place.says_type:
        raise NotStatic
    shape = place.shape
    if shape.is_primitive or shape.is_open or shape.is_abstract or shape.kind == "logical":
        raise NotStatic
    return place


def _place_created(plan: TargetPlan, transform: Transform, view: RuleView) -> Place:
    parameters = transform.parameters
    if not parameters or parameters[0].kind != "string":
        raise NotStatic
    unit = view.unit
    shape = unit.shapes.resolve(unit.type_url(str(parameters[0].value)))
    place = plan.place_for_type(shape.name)
    if place is None or shape.is_primitive or shape.is_open or shape.is_abstract:
        raise NotStatic
    if shape is place.shape:
        return place
    if shape.kind == "resource" and place.shape.is_resource and place.shape.is_abstract:
        return Place(place.key, shape, is_list=place.is_list)
    raise NotStatic


def place_of_value(
    plan: TargetPlan, transform: Transform, view: RuleView
) -> tuple[Place, Item | None]:
    """The place of a value, and the value itself when it is a literal that fits."""
    if transform.name == "copy" and len(transform.parameters) == 1:
        (parameter,) = transform.parameters
        if parameter.kind not in {"name", "expression"}:
            literal = compile_argument(parameter, view)(None, [])  # type: ignore[arg-type]
            return _place_of_literal(plan, literal)
    place = plan.only
    if place is None:
        result = _result_type(transform)
        shape = view.unit.shapes.find(result) if result else None
        place = plan.place_for_type(shape.name) if shape is not None else None
    if place is None:
        raise NotStatic
    return place, None


def _place_of_literal(plan: TargetPlan, literal: Any) -> tuple[Place, Item]:
    place = plan.place_for(literal)
    if place is None or not place.shape.is_primitive or literal.value == "":
        raise NotStatic
    coerced = place.coerce(literal.value)
    if coerced is MISFIT or type(coerced) not in {str, bool, int}:
        raise NotStatic
    return place, Item(coerced)


def _result_type(transform: Transform) -> str:
    """The type that a transform always gives; empty when only the value tells."""
    name, parameters = transform.name, transform.parameters
    if name == "translate":
        if parameters[1].value == OID_TO_URI:
            return "uri"
        if len(parameters) < 3:
            return "code"
        if parameters[2].kind != "string":
            return ""
        return _TRANSLATED.get(str(parameters[2].value), "string")
    if name in STANDARD:
        return STANDARD[name][1]
    function = functions_by_name().get(name)
    return function.result if function is not None else ""
