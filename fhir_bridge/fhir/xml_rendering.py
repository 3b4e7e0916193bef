"""FHIR XML: values to text, elements in the order of the definitions.

https://hl7.org/fhir/R4/xml.html

Nothing is dropped silently: a property that R4 does not know cannot be rendered.
"""

from __future__ import annotations

import re
from typing import Any

from fhir_bridge import xml
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir.definitions import definitions
from fhir_bridge.fhir.json_format import Resource
from fhir_bridge.fhir.xml_narrative import DIV, div_spans
from fhir_bridge.fhir.xml_parts import FHIR_NAMESPACE, XHTML_NAMESPACE, Part, parts_of

__all__ = ["render_xml"]

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_EMPTY_DIV = f'<div xmlns="{XHTML_NAMESPACE}"/>'
_EMPTY_DIV_PATTERN = re.compile(re.escape(_EMPTY_DIV))
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = {
    ord(letter): text
    for letter, text in {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "\n": "&#10;",
        "\r": "&#13;",
        "\t": "&#9;",
    }.items()
}


def render_xml(resource: Resource, *, pretty: bool = False) -> bytes:
    """`resource` as FHIR XML in UTF-8, elements in the order of the definitions.

    Raises BridgeError FB-1020 (no R4 resource type), FB-1021 (a property that R4 does not
    know or of the wrong shape), FB-1023 (text that XML cannot carry).
    """
    out = [_DECLARATION]
    _render_resource(resource, out, f' xmlns="{FHIR_NAMESPACE}"')
    text = "".join(out)
    return (_indented(text) if pretty else text).encode()


def _indented(text: str) -> str:
    """`text` with one element a line; narratives stay as they are."""
    narratives = list(div_spans(text))
    for narrative in narratives:
        text = text.replace(narrative, _EMPTY_DIV, 1)
    pretty = xml.render(xml.parse(text.encode()), pretty=True).decode()
    remaining = iter(narratives)
    return _EMPTY_DIV_PATTERN.sub(lambda _match: next(remaining), pretty)


def _render_resource(resource: Any, out: list[str], attributes: str = "") -> None:
    resource_type = resource.get("resourceType") if isinstance(resource, dict) else None
    if resource_type not in definitions().resource_types:
        raise BridgeError("FB-1020", type=resource_type)
    body = {key: value for key, value in resource.items() if key != "resourceType"}
    _render_complex(resource_type, resource_type, body, out, attributes)


def _render_complex(
    name: str, type_name: str, value: Any, out: list[str], attributes: str = ""
) -> None:
    if not isinstance(value, dict):
        raise BridgeError("FB-1021", name=name, type=type_name)
    out.append(f"<{name}{attributes}")
    inner: list[str] = []
    known = 0
    for part in parts_of(type_name).values():
        content, companion = value.get(part.key), value.get(f"_{part.key}")
        known += (content is not None) + (companion is not None)
        if part.is_attribute:
            if content is not None:
                out.append(f' {part.key}="{_escaped(content)}"')
        elif content is not None or companion is not None:
            _render_property(part, content, companion, inner)
    if known != sum(1 for item in value.values() if item is not None):
        _raise_unknown(type_name, value)
    out.append(">" if inner else "/>")
    if inner:
        out.extend(inner)
        out.append(f"</{name}>")


def _render_property(part: Part, content: Any, companion: Any, out: list[str]) -> None:
    if part.kind == "primitive":
        if isinstance(content, list) or isinstance(companion, list):
            contents, companions = content or [], companion or []
            for index in range(max(len(contents), len(companions))):
                first = contents[index] if index < len(contents) else None
                second = companions[index] if index < len(companions) else None
                _render_primitive(part.key, first, second, out)
        else:
            _render_primitive(part.key, content, companion, out)
        return
    for item in content if isinstance(content, list) else [content]:
        if part.kind == "resource":
            out.append(f"<{part.key}>")
            _render_resource(item, out)
            out.append(f"</{part.key}>")
        elif part.kind == "xhtml":
            out.append(_checked_narrative(item))
        else:
            _render_complex(part.key, part.type, item, out)


def _render_primitive(name: str, content: Any, companion: Any, out: list[str]) -> None:
    attributes = "" if content is None else f' value="{_escaped(content)}"'
    if companion is None:
        out.append(f"<{name}{attributes}/>")
    else:
        _render_complex(name, "Element", companion, out, attributes)


def _escaped(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        raise BridgeError("FB-1021", name="value", type="primitive")
    text = getattr(value, "text", None) or str(value)
    if _UNWRITABLE.search(text):
        raise BridgeError("FB-1023")
    return text.translate(_ESCAPES)


def _checked_narrative(text: Any) -> str:
    try:
        root = xml.parse(str(text).encode("utf-8", "surrogatepass"))
    except BridgeError as error:
        raise BridgeError("FB-1023", issues=error.issues) from None
    if root.tag != DIV:
        raise BridgeError("FB-1023")
    return re.sub(r"^\s*<\?xml[^>]*\?>", "", str(text)).strip()


def _raise_unknown(type_name: str, value: dict[str, Any]) -> None:
    for key in value:
        if key.removeprefix("_") not in parts_of(type_name):
            raise BridgeError("FB-1021", name=key, type=type_name)
