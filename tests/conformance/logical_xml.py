"""Instances of logical models as XML and back, by the model alone.

How an element is written is told by its representation
(https://hl7.org/fhir/R4/valueset-property-representation.html): attribute, text, narrative,
or child element; a primitive child element has its value in ``value``, as FHIR XML does.
CDA is such a model (https://hl7.org/cda/stds/core/): its timestamps become FHIR dateTimes
on reading and HL7 timestamps again on writing.

Promises: what the model does not know is kept under its local name when read.
"""

from __future__ import annotations

import re
from typing import Any

from fhir_bridge import xml
from fhir_bridge.errors import BridgeError
from fhir_bridge.map_functions.reading.timestamps import read_timestamp
from fhir_bridge.shapes import ElementShape, Shape, Shapes
from fhir_bridge.transform.runtime.coerce import MISFIT, coercion_to

__all__ = ["read_logical_xml", "render_logical_xml"]

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XSI_TYPE = f"{{{_XSI}}}type"
_BLANKS = re.compile(r"\s+")


def read_logical_xml(data: bytes, shapes: Shapes, shape: Shape) -> dict[str, Any]:
    """The instance in `data` as JSON of the model.  Raises BridgeError FB-1010 and FB-1011."""
    root = xml.parse(data)
    return {"resourceType": shape.own_name or shape.name, **_Reader(shapes).object(root, shape)}


def render_logical_xml(instance: dict[str, Any], shapes: Shapes, shape: Shape) -> bytes:
    """The instance as an XML document.  Raises BridgeError FB-2112 for a value XML cannot hold."""
    writer = _Writer(shapes, shape.namespace)
    return xml.render(writer.root(instance, shape))


class _Reader:
    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._names: dict[Shape, dict[str, tuple[ElementShape, ElementShape | None]]] = {}

    def object(self, element: xml.Element, shape: Shape | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        own_type = element.get(_XSI_TYPE)
        if own_type:
            own_type = own_type.rpartition(":")[2].replace(".", "-dot-")
            found["xsi:type"] = own_type
            shape = self._shapes.find(own_type) or shape
        names = self._named(shape) if shape is not None else {}
        for name, text in element.attrib.items():
            local = _local(name)
            known = names.get(f"@{local}", (None, None))[0]
            if name != _XSI_TYPE and not local.endswith("schemaLocation"):
                found[known.name if known else local] = self._attribute(str(text), known)
        self._content(element, shape, names, found)
        return found

    def _content(
        self,
        element: xml.Element,
        shape: Shape | None,
        names: dict[str, tuple[ElementShape, ElementShape | None]],
        found: dict[str, Any],
    ) -> None:
        for child in element:
            known, group = names.get(_name_in(child, names), (None, None))
            name = known.name if known else _local(child.tag)
            value = self._child(child, known)
            holder = found
            if group is not None:
                holder = {}
                _add(found, group.name, holder, is_list=group.is_list)
            _add(holder, name, value, is_list=known.is_list if known else False)
        text = _BLANKS.sub(" ", "".join(_own(element)))
        if text.strip() and (shape is None or "xmlText" in shape.elements or not names):
            found["xmlText"] = text.strip()

    def _child(self, child: xml.Element, known: ElementShape | None) -> Any:
        if known is not None and (known.representation == "cdaText" or known.type == "xhtml"):
            return xml.render(child).decode().partition("?>")[2].strip()
        shape = self._shapes.find(known.type) if known is not None else None
        if shape is not None and shape.is_primitive:
            value = coercion_to(shape.name)(str(child.get("value", "")))
            return child.get("value") if value is MISFIT else value
        return self.object(child, shape)

    def _attribute(self, text: str, known: ElementShape | None) -> Any:
        if known is None:
            return text
        if known.is_list:
            return text.split()
        text = text.strip() if known.type != "string" else text
        if known.is_timestamp:
            stamp = read_timestamp(text)
            return stamp.datetime("") if stamp else text
        value = coercion_to(known.type)(text)
        return text if value is MISFIT else value

    def _named(self, shape: Shape) -> dict[str, tuple[ElementShape, ElementShape | None]]:
        names = self._names.get(shape)
        if names is None:
            names = self._names[shape] = {}
            for element in shape.elements.values():
                if element.is_choice_group:
                    inner = self._shapes.find(element.type)
                    for one in inner.elements.values() if inner else ():
                        names.setdefault(_xml_key(one), (one, element))
                else:
                    names[_xml_key(element)] = (element, None)
        return names


class _Writer:
    def __init__(self, shapes: Shapes, namespace: str) -> None:
        self._shapes = shapes
        self._namespace = namespace

    def root(self, instance: dict[str, Any], shape: Shape) -> xml.Element:
        name = shape.xml_name or str(instance.get("resourceType") or shape.name)
        declared = f' xmlns="{self._namespace}"' if self._namespace else ""
        root = xml.parse(f'<{name}{declared} xmlns:xsi="{_XSI}"/>'.encode())
        self._fill(root, instance, shape)
        return root

    def _fill(self, element: xml.Element, node: dict[str, Any], shape: Shape) -> None:
        own_type = node.get("xsi:type")
        if own_type:
            element.set(_XSI_TYPE, str(own_type).replace("-dot-", "."))
            shape = self._shapes.find(str(own_type)) or shape
        for key, value in node.items():
            known = shape.elements.get(key)
            if key in ("xsi:type", "resourceType") or key[0] == "_" or value is None:
                continue
            if key == "xmlText" or (known is not None and known.representation == "xmlText"):
                element.text = _text(value)
            elif known is not None and known.representation == "xmlAttr":
                element.set(known.xml_name or key, self._attribute(value, known))
            elif known is not None and known.is_choice_group:
                inner = self._shapes.resolve(known.type)
                for group in _listed(value):
                    self._fill(element, group, inner)
            else:
                for one in _listed(value):
                    self._child(element, key, one, known)

    def _attribute(self, value: Any, known: ElementShape) -> str:
        if isinstance(value, list):
            return " ".join(_text(one) for one in value)
        text = _text(value)
        return (
            re.sub(r"(?<=\d)-(?=\d\d(?:-|T|$))|(?<=\d):(?=\d)|T", "", text)
            if (known.is_timestamp)
            else text
        )

    def _child(self, parent: xml.Element, key: str, value: Any, known: ElementShape | None) -> None:
        if isinstance(value, str) and value.lstrip().startswith("<"):
            parent.append(self._narrative(key, value))
            return
        namespace = (known.namespace if known else "") or self._namespace
        name = (known.xml_name if known else "") or key
        child = parent.makeelement(f"{{{namespace}}}{name}" if namespace else name)
        parent.append(child)
        if isinstance(value, dict):
            self._fill(child, value, self._shapes.resolve(known.type if known else "?"))
        else:
            child.set("value", _text(value))

    def _narrative(self, key: str, markup: str) -> xml.Element:
        """XHTML or CDA narrative as the element `key`, in the namespace of the document."""
        read = xml.parse(markup.encode())
        made = self._in_namespace(read)
        made.tag = f"{{{self._namespace}}}{key}" if self._namespace else key
        return made

    def _in_namespace(self, element: xml.Element) -> xml.Element:
        tag = _local(element.tag)
        copy = element.makeelement(f"{{{self._namespace}}}{tag}" if self._namespace else tag)
        for name, value in element.attrib.items():
            copy.set(name, value)
        copy.text, copy.tail = element.text, element.tail
        for child in element:
            copy.append(self._in_namespace(child))
        return copy


def _xml_key(element: ElementShape) -> str:
    name = element.xml_name or element.name
    if element.representation == "xmlAttr":
        return f"@{name}"
    return f"{{{element.namespace}}}{name}" if element.namespace else name


def _name_in(child: xml.Element, names: dict[str, Any]) -> str:
    tag = str(child.tag)
    return tag if tag in names else _local(tag)


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


def _own(element: xml.Element) -> list[str]:
    return [element.text or "", *((child.tail or "") for child in element)]


def _add(holder: dict[str, Any], name: str, value: Any, *, is_list: bool) -> None:
    if name not in holder:
        holder[name] = [value] if is_list else value
    elif isinstance(holder[name], list):
        holder[name].append(value)
    else:
        holder[name] = [holder[name], value]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    found = coercion_to("string")(value)
    if found is MISFIT:
        raise BridgeError("FB-2112", rule="of the XML form", element="its text", type="string")
    return str(found)
