"""Shapes from StructureDefinitions of logical models.

https://hl7.org/fhir/R4/structuredefinition.html#logical; the XML form of an element is told
by `representation` (https://hl7.org/fhir/R4/valueset-property-representation.html) and the
extensions xml-namespace, xml-name and xml-choice-group of the FHIR tools package.

A differential is enough: what a type inherits is taken from its base when that is loaded.
An element that has children of its own becomes a nested type named by its path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fhir_bridge.shapes.shapes import ElementShape, Shape, Shapes, plain_type_name

__all__ = ["logical_shapes"]

_NAMESPACE = ("xml-namespace", "elementdefinition-namespace")
_XML_NAME = ("xml-name", "elementdefinition-xml-name")
_BASES = frozenset({"Base", "Element", "BackboneElement", "InfrastructureRoot", "ANY"})


def logical_shapes(
    structure_definitions: Iterable[Mapping[str, Any]],
) -> dict[str, Callable[[Shapes], Shape]]:
    """Makers of shapes by URL and by plain type name (a FHIR type of the same name stays)."""
    makers: dict[str, Callable[[Shapes], Shape]] = {}
    for definition in structure_definitions:
        maker = _maker(definition)
        url = str(definition.get("url", ""))
        makers[url] = maker
        if definition.get("kind") == "logical":
            for key in ("url", "type", "id", "name"):
                if definition.get(key):
                    makers.setdefault(plain_type_name(str(definition[key])), maker)
    return makers


def _maker(definition: Mapping[str, Any]) -> Callable[[Shapes], Shape]:
    built: list[Shape] = []

    def make(shapes: Shapes) -> Shape:
        if not built:
            shape = _head(definition)
            built.append(shape)  # before its elements: types refer to themselves
            _fill(shape, definition, shapes)
        return built[0]

    return make


def _head(definition: Mapping[str, Any]) -> Shape:
    type_name = str(definition.get("type") or definition.get("name") or "")
    kind = "primitive" if definition.get("kind") == "primitive-type" else "logical"
    return Shape(
        name=plain_type_name(type_name),
        kind=kind,
        parent=str(definition.get("baseDefinition", "")),
        is_abstract=bool(definition.get("abstract")) and plain_type_name(type_name) in _BASES,
        url=str(definition.get("url", "")),
        namespace=str(_extension(definition, _NAMESPACE) or ""),
        xml_name=str(_extension(definition, _XML_NAME) or ""),
        own_name=str(definition.get("name") or plain_type_name(type_name)),
    )


def _fill(shape: Shape, definition: Mapping[str, Any], shapes: Shapes) -> None:
    base = shapes.find(shape.parent) if shape.parent else None
    if base is not None:
        shape.elements.update(base.elements)
        shape.order.update(base.order)
        shape.namespace = shape.namespace or base.namespace
    part = definition.get("snapshot") or definition.get("differential") or {}
    elements = [one for one in part.get("element") or () if "." in str(one.get("path", ""))]
    root = str(elements[0]["path"]).split(".")[0] if elements else ""
    _fill_level(shape, root, elements, shapes)


def _fill_level(shape: Shape, path: str, elements: list[Mapping[str, Any]], shapes: Shapes) -> None:
    prefix = f"{path}."
    for element in elements:
        own = str(element["path"])
        if not own.startswith(prefix) or "." in own[len(prefix) :]:
            continue
        name = own[len(prefix) :].removesuffix("[x]")
        inherited = shape.elements.get(name)
        types = [_type_name(one, shapes) for one in element.get("type") or ()]
        if not types:
            types = list(inherited.keys) if inherited else ["?"]
        if any(str(other["path"]).startswith(f"{own}.") for other in elements):
            types = [_nested(shape, own, types[0], elements, shapes)]
        is_choice = len(types) > 1 or own.endswith("[x]")
        representation = _first(element.get("representation"), inherited)
        typed_keys = is_choice and representation != "typeAttr"
        described = ElementShape(
            name=name,
            keys={one: _typed_key(name, one) if typed_keys else name for one in types},
            is_list=_is_list(element, inherited),
            is_choice=is_choice,
            minimum=int(element.get("min", 0)),
            representation=representation,
            xml_name=str(_extension(element, _XML_NAME) or ""),
            namespace=str(_extension(element, _NAMESPACE) or ""),
            is_choice_group=bool(_extension(element, ("xml-choice-group",))),
            is_timestamp=bool(_extension(element, ("elementdefinition-date-format",))),
        )
        shape.elements[name] = described
        for key in described.keys.values():
            shape.order.setdefault(key, len(shape.order))


def _typed_key(name: str, type_name: str) -> str:
    plain = plain_type_name(type_name)
    return f"{name}{plain[:1].upper()}{plain[1:]}"


def _is_list(element: Mapping[str, Any], inherited: ElementShape | None) -> bool:
    most = element.get("max")
    base = element.get("base") or {}
    if "max" in base:  # a constraint to one does not take the list away
        most = base["max"] if most == "1" else most
    if most is None:
        return inherited.is_list if inherited else False
    return bool(most not in ("0", "1"))


def _nested(
    owner: Shape, path: str, base_name: str, elements: list[Mapping[str, Any]], shapes: Shapes
) -> str:
    """A type for an element with children; groups are chosen by the type that it extends."""
    base = shapes.find(base_name)
    plain = plain_type_name(base_name)
    url = f"{owner.url.partition('#')[0]}#{path}"
    shape = Shape(
        name=path if plain in _BASES or base is None else base.name,
        kind="complex",
        parent=base_name if base is not None else "",
        url=url,
        namespace=owner.namespace,
    )
    if base is not None:
        shape.elements.update(base.elements)
        shape.order.update(base.order)
    shapes.register(url, shape)
    _fill_level(shape, path, elements, shapes)
    return url


def _type_name(described: Mapping[str, Any], shapes: Shapes) -> str:
    code = str(described.get("code", "?"))
    if "/" not in code:
        return code
    known = shapes.find(code)
    if known is None:
        return code.rsplit("/", 1)[-1] if shapes.find(code.rsplit("/", 1)[-1]) else code
    return code


def _first(representation: Any, inherited: ElementShape | None) -> str:
    if representation:
        return str(representation[0])
    return inherited.representation if inherited else ""


def _extension(definition: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    for extension in definition.get("extension") or ():
        if str(extension.get("url", "")).rsplit("/", 1)[-1] in names:
            return next((value for key, value in extension.items() if key != "url"), None)
    return None
