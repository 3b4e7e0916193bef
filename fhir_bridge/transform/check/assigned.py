"""Whether what a map assigns can be in the element it is assigned to, told without input.

https://hl7.org/fhir/R4/mapping-language.html#targets, types: https://hl7.org/fhir/R4/datatypes.html

Promises: pure; says no only where every input would fail or give a resource that R4 does not
know.  Types that are not known, logical models and open types are never judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fhir_bridge.fml import Parameter, Transform
from fhir_bridge.map_functions import functions_by_name
from fhir_bridge.shapes import ElementShape, Shape, Shapes
from fhir_bridge.transform.compile.standard_transforms import STANDARD
from fhir_bridge.transform.runtime.coerce import MISFIT, coercion_to

__all__ = ["Assigned", "can_be", "find_fault", "type_given", "type_of_variable"]

_LITERALS = {"string": "string", "boolean": "boolean", "integer": "integer", "decimal": "decimal"}
_TRANSLATED = {"Coding": "Coding", "coding": "Coding", "CodeableConcept": "CodeableConcept"}
_TEXTS = frozenset({"reference", "pointer"})


def type_given(transform: Transform, shapes: Shapes) -> Shape | None:
    """The type of what a transform gives, from its name and literals; None when not known.

    `create` and variables are not judged here, since they need the map around them.
    """
    name, parameters = transform.name, transform.parameters
    if name in _TEXTS:
        return shapes.find("string")
    if name in ("copy", "usual") and parameters:
        return shapes.find(_LITERALS.get(parameters[0].kind, ""))
    if name == "translate":
        asked = _text(parameters, 2)
        return shapes.find(_TRANSLATED.get(asked, "code")) if asked is not None else None
    if name == "cast":
        return shapes.find(_text(parameters, 1) or "")
    if name in STANDARD:
        return shapes.find(STANDARD[name][1])
    function = functions_by_name().get(name)
    return shapes.find(function.result) if function is not None else None


def type_of_variable(
    parameter: Parameter, variables: Mapping[str, Shape | None], shapes: Shapes
) -> Shape | None:
    """The type of a variable, or of what it has at ``variable.element``; None when not known."""
    if parameter.kind != "name":
        return None
    name, *path = str(parameter.value).split(".")
    shape = variables.get(name)
    for part in path:
        element = shape.elements.get(part) if shape is not None else None
        if element is None or element.is_choice:
            return None
        shape = shapes.find(element.type)
    return None if shape is None or shape.is_abstract else shape


@dataclass(frozen=True, slots=True)
class Assigned:
    """A target of a rule: `element` of the type `holder`, called `name` in the map.

    `given` is the type of what `transform` gives, None when it is not known.
    """

    holder: Shape
    element: ElementShape
    name: str
    transform: Transform | None
    given: Shape | None


def find_fault(assigned: Assigned, shapes: Shapes) -> tuple[str, dict[str, str]] | None:
    """The code and details of what is wrong with an assignment; None when nothing is.

    An element of many types without one is FB-2118 unless another rule has given it a type,
    which the caller knows.
    """
    element, name, given = assigned.element, assigned.name, assigned.given
    transform = assigned.transform
    if transform is None:
        declared = shapes.find(element.type)
        is_any = declared is not None and declared.is_abstract and declared.is_resource
        if is_any or element.is_choice:
            return "FB-2118", {"name": name, "type": assigned.holder.name}
        return None
    if given is None:
        return None
    if transform.name == "create" and given.is_abstract and given.is_resource:
        return "FB-2118", {"name": name, "type": given.name}
    if not _can_have(element, given, shapes):
        return "FB-2119", {"name": name, "type": given.name}
    literal = _literal_of(transform)
    if literal is not None and not _fits_literal(element, literal):
        return "FB-2112", {"element": name, "type": element.type}
    return None


def can_be(given: Shape, wanted: Shape, shapes: Shapes) -> bool:
    """Whether a target of the type `given` can be what a group takes as `wanted`."""
    if "logical" in (given.kind, wanted.kind) or given.is_open or wanted.is_open:
        return True
    return shapes.is_a(given, wanted.name) or shapes.is_a(wanted, given.name)


def _can_have(element: ElementShape, given: Shape, shapes: Shapes) -> bool:
    """Whether a value of the type `given`, or one created with it, can fill the element."""
    if given.kind == "logical" or given.is_open:
        return True
    declared = [shapes.find(name) for name in element.keys]
    return any(
        one is None or one.kind == "logical" or one.is_open or _takes(one, given, shapes, element)
        for one in declared
    )


def _literal_of(transform: Transform) -> Parameter | None:
    """The literal that is assigned as it is, if it is one."""
    found = transform.parameters[0] if transform.parameters else None
    is_plain = transform.name in ("copy", "usual")
    return found if is_plain and found is not None and found.kind in _LITERALS else None


def _fits_literal(element: ElementShape, literal: Parameter) -> bool:
    """Whether a literal can be read as the primitive type of a plain element."""
    return element.is_choice or coercion_to(element.type)(literal.value) is not MISFIT


def _takes(declared: Shape, given: Shape, shapes: Shapes, element: ElementShape) -> bool:
    if declared.is_primitive:
        return given.is_primitive or (given.name == "Reference" and _is_uri(declared))
    if given.is_primitive:  # a text alone makes a Reference; of several types it is no guess
        return declared.name == "Reference" and not element.is_choice
    if declared.is_resource or given.is_resource:
        return shapes.is_a(given, declared.name)
    return shapes.is_a(given, declared.name) or shapes.is_a(declared, given.name)


def _is_uri(shape: Shape) -> bool:
    return shape.name in ("canonical", "uri")


def _text(parameters: tuple[Parameter, ...], index: int) -> str | None:
    if len(parameters) <= index or parameters[index].kind != "string":
        return None
    return str(parameters[index].value)
