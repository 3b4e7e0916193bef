"""FHIR XML: text to the same plain values as JSON.

https://hl7.org/fhir/R4/xml.html

The definitions say which property is an attribute and which repeats.  An element that R4
does not know is refused with its line, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fhir_bridge import xml
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir.definitions import definitions
from fhir_bridge.fhir.json_format import Resource, written_decimal
from fhir_bridge.fhir.xml_narrative import DIV, FHIR, Narratives, narrative_text, narratives_of
from fhir_bridge.fhir.xml_parts import Part, parts_of

__all__ = ["parse_xml"]


def parse_xml(data: bytes) -> Resource:
    """The resource in `data`, with the property order of the document.

    Raises BridgeError FB-1010/FB-1011/FB-1002 (as `fhir_bridge.xml.parse`), FB-1020 (the
    root is no R4 resource type) or FB-1022 (an element or attribute that R4 does not know).
    """
    root = xml.parse(data)
    return _parse_resource(root, narratives_of(root, data))


def _parse_resource(element: xml.Element, narratives: Narratives) -> Resource:
    name = _local(element)
    if name not in definitions().resource_types:
        raise BridgeError("FB-1020", f"line {element.sourceline}", type=name)
    return {"resourceType": name, **_parse_complex(element, name, narratives)}


def _local(element: xml.Element) -> str:
    tag = str(element.tag)
    if not tag.startswith(FHIR):
        raise BridgeError("FB-1022", f"line {element.sourceline}", name=tag.rpartition("}")[2])
    return tag[len(FHIR) :]


def _parse_complex(element: xml.Element, type_name: str, narratives: Narratives) -> dict[str, Any]:
    parts = parts_of(type_name)
    value: dict[str, Any] = {}
    for name, text in element.attrib.items():
        part = parts.get(str(name))
        if part and part.is_attribute:
            value[part.key] = str(text)
        elif not str(name).startswith("{"):  # xsi:schemaLocation and its kind carry no data
            _refuse(element, str(name))
    for child in element:
        if child.tag == DIV and "div" in parts:
            value["div"] = narratives.get(child) or narrative_text(child)
            continue
        part = parts.get(_local(child))
        if part is None or part.is_attribute:
            _refuse(child, _local(child))
        elif part.kind == "primitive":
            _add_primitive(value, part, child, narratives)
        else:
            _add(value, part, _parse_item(child, part, narratives), child)
    for key in [key for key in value if key.startswith("_")]:
        listed = value.get(key[1:])
        if isinstance(listed, list) and all(item is None for item in listed):
            del value[key[1:]]  # a list of extensions only stands without its nulls
    return value


def _parse_item(child: xml.Element, part: Part, narratives: Narratives) -> Any:
    if part.kind != "resource":
        return _parse_complex(child, part.type, narratives)
    inner = list(child)
    if len(inner) != 1:
        _refuse(child, part.key)
    return _parse_resource(inner[0], narratives)


def _add(value: dict[str, Any], part: Part, item: Any, child: xml.Element) -> None:
    if part.is_list:
        value.setdefault(part.key, []).append(item)
    elif part.key in value:
        raise BridgeError("FB-1024", f"line {child.sourceline}", name=part.key)
    else:
        value[part.key] = item


def _add_primitive(
    value: dict[str, Any], part: Part, child: xml.Element, narratives: Narratives
) -> None:
    text = child.get("value")
    content = None if text is None else _converter(part.type)(str(text), child)
    companion = _companion(child, narratives)
    key, sibling = part.key, f"_{part.key}"
    if not part.is_list:
        if key in value or sibling in value:
            raise BridgeError("FB-1024", f"line {child.sourceline}", name=key)
        if content is not None:
            value[key] = content
        if companion:
            value[sibling] = companion
        return
    listed = value.setdefault(key, [])
    listed.append(content)
    if companion or sibling in value:
        companions = value.setdefault(sibling, [])
        companions.extend([None] * (len(listed) - 1 - len(companions)))
        companions.append(companion or None)


def _companion(child: xml.Element, narratives: Narratives) -> dict[str, Any]:
    """The id and extensions of a primitive."""
    companion: dict[str, Any] = {}
    for name, text in child.attrib.items():
        if name == "id":
            companion["id"] = str(text)
        elif name != "value" and not str(name).startswith("{"):
            _refuse(child, str(name))
    extensions = []
    for inner in child:
        if _local(inner) != "extension":
            _refuse(inner, _local(inner))
        extensions.append(_parse_complex(inner, "Extension", narratives))
    if extensions:
        companion["extension"] = extensions
    return companion


def _refuse(element: xml.Element, name: str) -> None:
    raise BridgeError("FB-1022", f"line {element.sourceline}", name=name)


def _boolean(text: str, element: xml.Element) -> bool:
    if text not in ("true", "false"):
        raise BridgeError("FB-1025", f"line {element.sourceline}", type="boolean")
    return text == "true"


def _number(text: str, element: xml.Element) -> Any:
    if not _NUMBER.fullmatch(text):
        raise BridgeError("FB-1025", f"line {element.sourceline}", type="number")
    return int(text) if _WHOLE.fullmatch(text) else written_decimal(text)


def _text(text: str, _element: xml.Element) -> str:
    return text


_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,400})(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,6})?")
_WHOLE = re.compile(r"-?[0-9]+")
_NUMBERS = frozenset({"integer", "decimal", "positiveInt", "unsignedInt"})


def _converter(type_name: str) -> Callable[[str, xml.Element], Any]:
    if type_name in _NUMBERS:
        return _number
    return _boolean if type_name == "boolean" else _text
