"""The snapshot of a type of R4, put together from the facts at hand.

https://hl7.org/fhir/R4/structuredefinition.html#snapshot, https://hl7.org/fhir/R4/elementdefinition.html

The facts hold no sentence of the specification, so a definition says where it stands and a
rule is its own explanation.  A site that lays HL7's published StructureDefinitions beside its
profiles gets their words: what is at hand comes first (`Snapshots`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fhir_bridge.fhir import Constraint, Definitions, ElementDefinition, TypeDefinition

__all__ = ["CANONICAL", "SLICED_BY_URL", "type_elements"]

CANONICAL = "http://hl7.org/fhir/StructureDefinition/"
SLICED_BY_URL = {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}
_ALWAYS_SLICED = "Extensions are always sliced by (at least) url"
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SPECIFICATION = "http://hl7.org/fhir/R4"
_SYSTEM = "http://hl7.org/fhirpath/System."
_SYSTEM_TYPES = {
    "boolean": "Boolean",
    "integer": "Integer",
    "unsignedInt": "Integer",
    "positiveInt": "Integer",
    "decimal": "Decimal",
    "date": "Date",
    "dateTime": "DateTime",
    "instant": "DateTime",
    "time": "Time",
}
_FHIR_TYPE = f"{CANONICAL}structuredefinition-fhir-type"


def type_elements(name: str, definitions: Definitions) -> list[dict[str, Any]]:
    """All elements of the R4 type `name`, as its snapshot lists them."""
    shape = definitions.types[name]
    root = {
        "id": name,
        "path": name,
        **_words(name, definitions),
        "min": 0,
        "max": "*",
        "base": {"path": name, "min": 0, "max": "*"},
        **_constraints(shape.constraints, _sources(shape, definitions)),
        "isModifier": False,
    }
    return [root, *_below(shape, name, definitions)]


def _below(shape: TypeDefinition, path: str, definitions: Definitions) -> Iterator[dict[str, Any]]:
    if shape.kind == "primitive":
        yield from _primitive_parts(shape, path, definitions)
        return
    done: set[str] = set()
    for element in shape.elements.values():
        name = f"{element.choice}[x]" if element.choice else element.key
        if name in done:
            continue
        done.add(name)
        forms = [shape.elements[key] for key in shape.choices.get(element.choice, (element.key,))]
        place = f"{path}.{name}"
        yield _element(place, forms, shape, definitions)
        if element.type == place:
            yield from _below(definitions.types[place], place, definitions)


def _primitive_parts(
    shape: TypeDefinition, path: str, definitions: Definitions
) -> Iterator[dict[str, Any]]:
    """``id``, ``extension`` and the value itself, which is no element of JSON."""
    for element in shape.elements.values():
        yield _element(f"{path}.{element.key}", [element], shape, definitions)
    place = f"{path}.value"
    origin = shape.name if shape.parent == "Element" else shape.parent
    yield {
        "id": place,
        "path": place,
        "representation": ["xmlAttr"],
        **_words(f"{shape.name}.value", definitions),
        "min": 0,
        "max": "1",
        "base": {"path": f"{origin}.value", "min": 0, "max": "1"},
        "type": [_fhirpath_type(shape.name)],
        "isModifier": False,
        "isSummary": False,
    }


def _element(
    place: str, forms: list[ElementDefinition], owner: TypeDefinition, definitions: Definitions
) -> dict[str, Any]:
    element = forms[0]
    most = "*" if element.max is None else str(element.max)
    found: dict[str, Any] = {"id": place, "path": place}
    if element.is_attribute:
        found["representation"] = ["xmlAttr"]
    found |= {
        **_words(element.path, definitions),
        "min": element.min,
        "max": most,
        "base": {"path": element.path, "min": element.min, "max": most},
    }
    nested = definitions.types.get(element.type)
    if nested is not None and nested.kind == "backbone" and element.type != place:
        found["contentReference"] = f"#{element.type}"
    else:
        found["type"] = [_type(form, definitions) for form in forms]
    if place == f"{owner.name}.extension" and (
        owner.kind == "datatype" or (owner.kind == "backbone" and owner.parent == "Element")
    ):
        found["slicing"] = SLICED_BY_URL | {"description": _ALWAYS_SLICED}
    found |= _constraints(*_element_constraints(element, definitions))
    found["isModifier"] = element.is_modifier
    if element.is_modifier:
        found["isModifierReason"] = found["definition"]
    found["isSummary"] = element.is_summary
    if element.strength:
        found["binding"] = {"strength": element.strength}
        named = {"valueSet": element.value_set} if element.value_set else None
        found["binding"] |= named or {"description": found["definition"]}
    return found


def _type(form: ElementDefinition, definitions: Definitions) -> dict[str, Any]:
    shape = definitions.types[form.type]
    if form.key == "id" or (form.is_attribute and form.type in {"uri", "string"}):
        return _fhirpath_type(form.type)
    found: dict[str, Any] = {"code": shape.parent if shape.kind == "backbone" else form.type}
    if form.profiles:
        found["profile"] = [_canonical(name) for name in form.profiles]
    if form.targets:
        found["targetProfile"] = [_canonical(name) for name in form.targets]
    return found


def _fhirpath_type(name: str) -> dict[str, Any]:
    named = "string" if name == "id" else name
    code = f"{_SYSTEM}{_SYSTEM_TYPES.get(name, 'String')}"
    return {"extension": [{"url": _FHIR_TYPE, "valueUrl": named}], "code": code}


def _element_constraints(
    element: ElementDefinition, definitions: Definitions
) -> tuple[list[Constraint], dict[str, str]]:
    """Those of every element, those of extensions, those of the nested type and its own."""
    shape = definitions.types[element.type]
    if element.key == "id" or element.is_attribute or shape.name == "Resource":
        return [], {}
    is_own = element.type in ("Extension", element.path)
    of_type = shape.constraints if is_own else ()
    everywhere = definitions.types["Element"].constraints
    sources = _sources(definitions.types["Extension"], definitions) | _sources(shape, definitions)
    origin = element.path.partition(".")[0]
    sources |= {one.key: _canonical(origin) for one in element.constraints}
    found = {one.key: one for one in (*everywhere, *of_type, *element.constraints)}
    return list(found.values()), sources


def _sources(shape: TypeDefinition, definitions: Definitions) -> dict[str, str]:
    """By key of a constraint the type that states it."""
    sources: dict[str, str] = {}
    current: TypeDefinition | None = shape
    while current is not None:
        for one in current.constraints:
            sources[one.key] = _canonical(current.name.partition(".")[0])
        current = definitions.types.get(current.parent)
    return sources


def _constraints(constraints: Iterable[Constraint], sources: dict[str, str]) -> dict[str, Any]:
    rows = [
        {
            "key": one.key,
            "severity": one.severity,
            "human": one.human or one.expression,
            "expression": one.expression,
            "source": sources[one.key],
        }
        for one in constraints
    ]
    return {"constraint": rows} if rows else {}


def _canonical(name: str) -> str:
    return name if ":" in name else f"{CANONICAL}{name}"


def _words(path: str, definitions: Definitions) -> dict[str, str]:
    """The name in words, and where the specification says what the element means."""
    root, _, name = path.rpartition(".")
    first = path.partition(".")[0]
    page = first.lower() if first in definitions.resource_types else "datatypes"
    words = _HUMP.sub(" ", name.removesuffix("[x]")).lower() if root else name
    return {
        "short": words,
        "definition": f"As R4 defines it: {_SPECIFICATION}/{page}-definitions.html#{path}",
    }
