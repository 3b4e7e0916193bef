"""FHIR XML: values to text, elements in the order of the definitions.

https://hl7.org/fhir/R4/xml.html

Each type is compiled once to a function that writes its elements: what a value holds is walked,
not what its type could hold.  Nothing is dropped silently: a property that R4 does not know
cannot be rendered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from typing import Any, NamedTuple

from fhir_bridge import xml
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir.definitions import definitions
from fhir_bridge.fhir.json_format import Resource
from fhir_bridge.fhir.xml_narrative import DIV, div_spans
from fhir_bridge.fhir.xml_parts import FHIR_NAMESPACE, XHTML_NAMESPACE, Part, parts_of

__all__ = ["render_xml"]

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_WELL_FORMED: set[bytes] = set()
_MAX_MEMO = 20_000
_EMPTY_DIV = f'<div xmlns="{XHTML_NAMESPACE}"/>'
_EMPTY_DIV_PATTERN = re.compile(re.escape(_EMPTY_DIV))
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL = re.compile('[&<>"\x00-\x1f\ud800-\udfff\ufffe\uffff]').search
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

_Write = Callable[[str, Any, str], str]
"""Writes a value of a type: name of the element, value, attributes."""

_Property = Callable[[Any, Any], str]
"""Writes a property: its content, and the value that it is of."""


class _Field(NamedTuple):
    """One property of a type: its place among the elements (0: an attribute), how it is written.

    `before` is what stands before the text of a primitive, None for other kinds.
    """

    place: int
    before: str | None
    write: _Property


def render_xml(resource: Resource, *, pretty: bool = False) -> bytes:
    """`resource` as FHIR XML in UTF-8, elements in the order of the definitions.

    Raises BridgeError FB-1020 (no R4 resource type), FB-1021 (a property that R4 does not
    know or of the wrong shape), FB-1023 (text that XML cannot carry).
    """
    text = _DECLARATION + _resource(resource, f' xmlns="{FHIR_NAMESPACE}"')
    return (_indented(text) if pretty else text).encode()


def _indented(text: str) -> str:
    """`text` with one element a line; narratives stay as they are."""
    narratives = list(div_spans(text))
    for narrative in narratives:
        text = text.replace(narrative, _EMPTY_DIV, 1)
    pretty = xml.render(xml.parse(text.encode()), pretty=True).decode()
    remaining = iter(narratives)
    return _EMPTY_DIV_PATTERN.sub(lambda _match: next(remaining), pretty)


def _resource(resource: Any, attributes: str = "") -> str:
    resource_type = resource.get("resourceType") if isinstance(resource, dict) else None
    if resource_type not in definitions().resource_types:
        raise BridgeError("FB-1020", type=resource_type)
    return _writer(resource_type)(resource_type, resource, attributes)


@cache
def _writer(type_name: str) -> _Write:
    """The function that writes values of a type; fields are found when the first is written.

    A value without ``_name`` beside its properties is written as it is walked; any other one,
    which is rare, by `_in_order`.
    """
    fields: dict[str, _Field] = {}

    def write(name: str, value: Any, attributes: str) -> str:
        if not isinstance(value, dict):
            raise BridgeError("FB-1021", name=name, type=type_name)
        if not fields:
            fields.update(_fields(type_name))
        texts: list[str] = []
        places: list[int] = []
        known, given = fields.get, attributes
        for key, content in value.items():
            field = known(key)
            if field is None or content is None:
                break
            place, before, write_property = field
            if not place:
                given += write_property(content, value)
            elif before and type(content) is str and not _SPECIAL(content):
                places.append(place)
                texts.append(f'{before}{content}"/>')
            elif key[0] == "_":
                break
            else:
                places.append(place)
                texts.append(write_property(content, value))
        else:
            if not texts:
                return f"<{name}{given}/>"
            if len(places) > 1 and places != sorted(places):
                texts = [text for _, text in sorted(zip(places, texts, strict=True))]
            return f"<{name}{given}>{''.join(texts)}</{name}>"
        return _in_order(name, value, attributes, fields, type_name)

    return write


def _in_order(
    name: str, value: dict[str, Any], attributes: str, fields: dict[str, _Field], type_name: str
) -> str:
    """Any value of a type, its elements put into their order."""
    texts: list[tuple[int, str]] = []
    for key, content in value.items():
        if content is None:
            continue
        field = fields.get(key)
        if field is None:
            raise BridgeError("FB-1021", name=key, type=type_name)
        text = field.write(content, value)
        if not field.place:
            attributes += text
        elif text:
            texts.append((field.place, text))
    if not texts:
        return f"<{name}{attributes}/>"
    return f"<{name}{attributes}>{''.join(text for _, text in sorted(texts))}</{name}>"


def _fields(type_name: str) -> dict[str, _Field]:
    """The properties of a type by JSON key, ``_name`` and ``resourceType`` among them."""
    fields: dict[str, _Field] = {}
    for place, (key, part) in enumerate(parts_of(type_name).items(), 1):
        if part.is_attribute:
            fields[key] = _Field(0, None, _property(part))
            continue
        is_primitive = part.kind == "primitive"
        fields[key] = _Field(place, f'<{key} value="' if is_primitive else None, _property(part))
        if is_primitive:
            fields[f"_{key}"] = _Field(place, None, _beside(key))
    if type_name in definitions().resource_types:
        fields["resourceType"] = _Field(0, None, lambda _content, _whole: "")
    return fields


def _property(part: Part) -> _Property:
    if part.is_attribute:
        return lambda content, _whole: f' {part.key}="{_escaped(content)}"'
    if part.kind == "primitive":
        return _primitive(part.key)
    if part.kind == "resource":
        return _each(lambda item: f"<{part.key}>{_resource(item)}</{part.key}>")
    if part.kind == "xhtml":
        return _each(_checked_narrative)
    key, write = part.key, _writer(part.type)

    def write_complex(content: Any, _whole: Any) -> str:
        if type(content) is list:
            if len(content) == 1:
                return write(key, content[0], "")
            return "".join([write(key, item, "") for item in content])
        return write(key, content, "")

    return write_complex


def _each(write: Callable[[Any], str]) -> _Property:
    def written(content: Any, _whole: Any) -> str:
        return "".join(map(write, content if isinstance(content, list) else [content]))

    return written


def _primitive(key: str) -> _Property:
    """Writes ``<key value="…"/>``, with an id and extensions where some stand under ``_key``."""
    before, after, companion = f'<{key} value="', '"/>', f"_{key}"

    def write(content: Any, whole: dict[str, Any]) -> str:
        beside = whole.get(companion)
        if beside is None:
            if type(content) is str and not _SPECIAL(content):
                return f"{before}{content}{after}"
            if not isinstance(content, list):
                return f"{before}{_escaped(content)}{after}"
        elif not isinstance(content, list) and not isinstance(beside, list):
            return _with_beside(key, content, beside)
        return _pairs(key, content, beside)

    return write


def _beside(key: str) -> _Property:
    """Writes an element without a value; beside a value it is written with that."""

    def write(beside: Any, whole: dict[str, Any]) -> str:
        if whole.get(key) is not None:
            return ""
        if isinstance(beside, list):
            return _pairs(key, None, beside)
        return _with_beside(key, None, beside)

    return write


def _with_beside(key: str, content: Any, beside: Any) -> str:
    attributes = "" if content is None else f' value="{_escaped(content)}"'
    return (
        f"<{key}{attributes}/>" if beside is None else _writer("Element")(key, beside, attributes)
    )


def _pairs(key: str, content: Any, beside: Any) -> str:
    """A list of values, each with what stands beside it."""
    contents, companions = _listed(content), _listed(beside)
    longer = max(len(contents), len(companions))
    contents += [None] * (longer - len(contents))
    companions += [None] * (longer - len(companions))
    return "".join(map(_with_beside, [key] * longer, contents, companions))


def _listed(value: Any) -> list[Any]:
    """A copy of a list; a single value beside a list is of no shape that R4 knows."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise BridgeError("FB-1021", name="value", type="primitive")
    return list(value)


def _escaped(value: Any) -> str:
    if type(value) is str:
        text = value
    elif isinstance(value, bool):
        return "true" if value else "false"
    elif isinstance(value, dict | list):
        raise BridgeError("FB-1021", name="value", type="primitive")
    else:
        text = getattr(value, "text", None) or str(value)
    if not _SPECIAL(text):
        return text
    if _UNWRITABLE.search(text):
        raise BridgeError("FB-1023")
    return text.translate(_ESCAPES)


def _checked_narrative(text: Any) -> str:
    """A narrative that is one well-formed div; those seen lately are known by their digest."""
    written = str(text).encode("utf-8", "surrogatepass")
    digest = blake2b(written, digest_size=16).digest()
    if digest not in _WELL_FORMED:
        _require_div(written)
        if len(_WELL_FORMED) >= _MAX_MEMO:
            _WELL_FORMED.clear()
        _WELL_FORMED.add(digest)
    if written.startswith(b"<div"):
        return str(text).rstrip()
    return re.sub(r"^\s*<\?xml[^>]*\?>", "", str(text)).strip()


def _require_div(text: bytes) -> None:
    try:
        root = xml.parse(text)
    except BridgeError as error:
        raise BridgeError("FB-1023", issues=error.issues) from None
    if root.tag != DIV:
        raise BridgeError("FB-1023")
