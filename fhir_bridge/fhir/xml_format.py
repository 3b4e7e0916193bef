"""FHIR XML: the second rendering, to and from the same plain values as JSON.

https://hl7.org/fhir/R4/xml.html

The definitions say which property is an attribute, which repeats and in which order they
stand.  Narrative is kept as XHTML text.  Nothing is dropped silently: a property that R4
does not know cannot be rendered (FB-1021), an element that R4 does not know cannot be
parsed (FB-1022, with its line).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from fhir_bridge import xml
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir.definitions import ElementDefinition, definitions
from fhir_bridge.fhir.json_format import Resource, written_decimal

__all__ = ["FHIR_NAMESPACE", "XHTML_NAMESPACE", "parse_xml", "render_xml"]

FHIR_NAMESPACE = "http://hl7.org/fhir"
XHTML_NAMESPACE = "http://www.w3.org/1999/xhtml"

_FHIR = f"{{{FHIR_NAMESPACE}}}"
_DIV = f"{{{XHTML_NAMESPACE}}}div"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_EMPTY_DIV = f'<div xmlns="{XHTML_NAMESPACE}"/>'
_EMPTY_DIV_PATTERN = re.compile(re.escape(_EMPTY_DIV))
_OWN_NAMESPACE = re.compile(rf"<div\b[^>]*\bxmlns=[\"']{XHTML_NAMESPACE}[\"']")
_DIV_TAG = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"
    r"|(?P<close></(?:[\w.-]+:)?div\s*>)"
    r"|(?P<open><(?:[\w.-]+:)?div(?=[\s/>])(?:[^>\"']|\"[^\"]*\"|'[^']*')*>)",
    re.DOTALL,
)
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


_Narratives = dict[xml.Element, str]


class _Part(NamedTuple):
    """What the two directions need to know of one JSON property."""

    key: str
    kind: str  # "primitive", "complex", "resource" or "xhtml"
    type: str
    is_list: bool
    is_attribute: bool


# --- values to text ------------------------------------------------------------------


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
    narratives = list(_div_spans(text))
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
    for part in _parts(type_name).values():
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


def _render_property(part: _Part, content: Any, companion: Any, out: list[str]) -> None:
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
    if root.tag != _DIV:
        raise BridgeError("FB-1023")
    return re.sub(r"^\s*<\?xml[^>]*\?>", "", str(text)).strip()


def _raise_unknown(type_name: str, value: dict[str, Any]) -> None:
    for key in value:
        if key.removeprefix("_") not in _parts(type_name):
            raise BridgeError("FB-1021", name=key, type=type_name)


# --- text to values ------------------------------------------------------------------


def parse_xml(data: bytes) -> Resource:
    """The resource in `data`, with the property order of the document.

    Raises BridgeError FB-1010/FB-1011/FB-1002 (as `fhir_bridge.xml.parse`), FB-1020 (the
    root is no R4 resource type) or FB-1022 (an element or attribute that R4 does not know).
    """
    root = xml.parse(data)
    return _parse_resource(root, _narratives(root, data))


def _parse_resource(element: xml.Element, narratives: _Narratives) -> Resource:
    name = _local(element)
    if name not in definitions().resource_types:
        raise BridgeError("FB-1020", f"line {element.sourceline}", type=name)
    return {"resourceType": name, **_parse_complex(element, name, narratives)}


def _local(element: xml.Element) -> str:
    tag = str(element.tag)
    if not tag.startswith(_FHIR):
        raise BridgeError("FB-1022", f"line {element.sourceline}", name=tag.rpartition("}")[2])
    return tag[len(_FHIR) :]


def _parse_complex(element: xml.Element, type_name: str, narratives: _Narratives) -> dict[str, Any]:
    parts = _parts(type_name)
    value: dict[str, Any] = {}
    for name, text in element.attrib.items():
        part = parts.get(str(name))
        if part and part.is_attribute:
            value[part.key] = str(text)
        elif not str(name).startswith("{"):  # xsi:schemaLocation and its kind carry no data
            _refuse(element, str(name))
    for child in element:
        if child.tag == _DIV and "div" in parts:
            value["div"] = narratives.get(child) or _narrative(child)
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


def _parse_item(child: xml.Element, part: _Part, narratives: _Narratives) -> Any:
    if part.kind != "resource":
        return _parse_complex(child, part.type, narratives)
    inner = list(child)
    if len(inner) != 1:
        _refuse(child, part.key)
    return _parse_resource(inner[0], narratives)


def _add(value: dict[str, Any], part: _Part, item: Any, child: xml.Element) -> None:
    if part.is_list:
        value.setdefault(part.key, []).append(item)
    elif part.key in value:
        raise BridgeError("FB-1024", f"line {child.sourceline}", name=part.key)
    else:
        value[part.key] = item


def _add_primitive(
    value: dict[str, Any], part: _Part, child: xml.Element, narratives: _Narratives
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


def _companion(child: xml.Element, narratives: _Narratives) -> dict[str, Any]:
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


def _narratives(root: xml.Element, data: bytes) -> _Narratives:
    """The text of each narrative exactly as the sender wrote it, where it can be cut out.

    A div that inherits its namespace or uses a prefix cannot; it is written anew.
    """
    divs = [div for div in root.iter(_DIV) if (above := div.getparent()) is None or _in_fhir(above)]
    try:
        spans = list(_div_spans(data.decode()))
    except UnicodeDecodeError:
        return {}
    if len(spans) != len(divs):
        return {}
    return {
        div: text.replace("\r\n", "\n")
        for div, text in zip(divs, spans, strict=True)
        if _OWN_NAMESPACE.match(text)
    }


def _in_fhir(element: xml.Element) -> bool:
    return str(element.tag).startswith(_FHIR)


def _div_spans(text: str) -> Iterator[str]:
    depth = begin = 0
    for match in _DIV_TAG.finditer(text):
        if match["close"]:
            depth -= 1
            if depth == 0:
                yield text[begin : match.end()]
        elif match["open"]:
            if depth == 0:
                begin = match.start()
            if not match["open"].endswith("/>"):
                depth += 1
            elif depth == 0:
                yield match[0]


def _narrative(div: xml.Element) -> str:
    div.tail = None
    text = xml.render(div).decode()
    return text.partition("?>")[2].strip()


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


# --- what both need ------------------------------------------------------------------


@cache
def _parts(type_name: str) -> dict[str, _Part]:
    elements = definitions().types[type_name].elements
    return {key: _part(element) for key, element in elements.items()}


def _part(element: ElementDefinition) -> _Part:
    facts = definitions()
    if element.type == "xhtml":
        kind = "xhtml"
    elif element.type in facts.primitive_types:
        kind = "primitive"
    elif facts.types[element.type].kind == "resource":
        kind = "resource"
    else:
        kind = "complex"
    return _Part(element.key, kind, element.type, element.is_list, element.is_attribute)
