"""One element of a CDA or V3 tree, read by local names.

The shape follows the CDA logical model (https://hl7.org/cda/stds/core/): attributes and
child elements by local name, text under ``xmlText``, ``xsi:type`` as the node's type.
Elements of other namespaces (sdtc) answer to their local name too.  What no element says of
itself is answered by four names more: ``narrative``, ``typeName`` (the ``xsi:type``), ``ownPlace``
(unique in the document) and ``subjectInContext`` (CDA R2 §4.4: the subject of the nearest
element that names one holds for all inside it).  A text that only refers to the narrative has the words it refers to.

Promises: a node is built from its element on first use and then answers from a
dictionary; a name that is absent answers None; several elements of one name answer a
list in document order.  Nothing is guessed: only blanks that a writer left around an
attribute value, or inside an OID or a data-element code, are removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, KeysView
from functools import lru_cache
from typing import Any, Self, Union

from fhir_bridge import xml
from fhir_bridge.cda.narrative import render_narrative
from fhir_bridge.cda.referred import narrative_of

__all__ = ["Node", "Text", "Value"]

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_SCHEMA_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_UNREAD = object()
_BLANKS = re.compile(r"\s+")
_REFERRING = frozenset({"text", "originalText", "value"})
_DATA_ELEMENT = re.compile(r"^\s*DE\s*\d")


class Text(str):
    """The text of an attribute or of an element; `where` names its place in the file."""

    __slots__ = ("_element", "_name", "carried")
    type_name = None
    carried: bool  # whether it was put somewhere
    _element: xml.Element
    _name: str

    def __new__(cls, value: str, element: xml.Element, name: str) -> Self:
        """`value` of the attribute or pseudo-child `name` of `element`."""
        text = super().__new__(cls, value)
        text._element = element
        text._name = name
        text.carried = False
        return text

    @property
    def where(self) -> str:
        """Line and path, for example ``line 24, /ClinicalDocument/id/@root``."""
        suffix = "" if self._name == "xmlText" else f"/@{self._name}"
        return _place(self._element) + suffix


Value = Union["Node", Text, list["Node | Text"], None]


class Node:
    """One element.  See the module's promises."""

    __slots__ = ("_element", "_values", "answers")

    def __init__(self, element: xml.Element) -> None:
        self._element = element
        self.answers: dict[str, Any] = {}
        """What was asked for, with the answers."""
        self._values: dict[str, Any] | None = None

    def get(self, name: str) -> Value:
        """The attribute, child or children called `name`; ``xmlText`` is the own text."""
        found: Value = self.answers.get(name, _UNREAD)
        if found is _UNREAD:
            found = self.answers[name] = self._answer(name)
        return found

    @property
    def values(self) -> dict[str, Any]:
        """What is in the file, by name; to look here does not count as asking."""
        values = self._values
        if values is None:
            values = self._values = _values_of(self._element)
        return values

    def _answer(self, name: str) -> Value:
        found: Value = self.values.get(name)
        if found is None and name in _ANSWERS:
            found = _ANSWERS[name](self._element)
        return found

    def keys(self) -> KeysView[str]:
        """Names that answer something, attributes first."""
        return self.values.keys()

    @property
    def is_open(self) -> bool:
        """Whether somebody looked inside."""
        return self._values is not None

    def is_same(self, other: Node) -> bool:
        """Whether both are of one element."""
        return self._element is other._element

    @property
    def name(self) -> str:
        """The element's local name."""
        return _local(self._element.tag)

    @property
    def type_name(self) -> str | None:
        """The ``xsi:type`` without its prefix (``PQ``), or None."""
        declared = self._element.get(_XSI_TYPE)
        return declared.strip().rsplit(":", 1)[-1] if declared else None

    @property
    def where(self) -> str:
        """Line and path, for example ``line 24, /ClinicalDocument/recordTarget``."""
        return _place(self._element)


def _narrative(element: xml.Element) -> Text | None:
    """The element's content as one XHTML ``div`` (FHIR Narrative.div), None when blank."""
    rendered = render_narrative(element)
    return Text(rendered, element, "narrative") if rendered else None


def _type_name(element: xml.Element) -> Text | None:
    declared = Node(element).type_name
    return Text(declared, element, "type") if declared else None


def _own_place(element: xml.Element) -> Text:
    return Text(_place(element), element, "xmlText")


def _subject_in_context(element: xml.Element) -> Node | None:
    """The ``subject`` that holds here; None where that is the patient."""
    around: xml.Element | None = element
    while around is not None and _local(around.tag) != "structuredBody":
        for child in around:
            if _local(child.tag) == "subject":
                return Node(child)
        around = around.getparent()
    return None


_ANSWERS: dict[str, Callable[[xml.Element], Node | Text | None]] = {
    "narrative": _narrative,
    "typeName": _type_name,
    "ownPlace": _own_place,
    "subjectInContext": _subject_in_context,
}


def _values_of(element: xml.Element) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, raw in element.attrib.items():
        name = _local(key)
        if str(key).startswith(_SCHEMA_INSTANCE):
            continue
        value = _cleaned(name, str(raw))
        if value:
            values[name] = Text(value, element, name)
    own = [element.text or ""]
    for child in element:
        own.append(child.tail or "")
        name = _local(child.tag)
        node = Node(child)
        present = values.get(name)
        if present is None:
            values[name] = node
        elif isinstance(present, list):
            present.append(node)
        else:
            values[name] = [present, node]
    text = "".join(own).strip() or _words_referred_to(element, values.get("reference"))
    if text:
        values["xmlText"] = Text(text, element, "xmlText")
    return values


def _words_referred_to(element: xml.Element, reference: Any) -> str:
    """The narrative that ``<reference value="#id"/>`` names (CDA R2 §4.3.5.1), else ""."""
    pointer = reference.get("value") if isinstance(reference, Node) else None
    if _local(element.tag) not in _REFERRING or not isinstance(pointer, Text):
        return ""
    return narrative_of(element, pointer[1:]) if pointer.startswith("#") else ""


def _cleaned(name: str, value: str) -> str:
    if name in ("root", "codeSystem"):
        return _BLANKS.sub("", value)
    if name == "code" and _DATA_ELEMENT.match(value):
        return _BLANKS.sub("", value)
    return value.strip()


@lru_cache(maxsize=4096)
def _local(tag: Any) -> str:
    return str(tag).rsplit("}", 1)[-1]


def _place(element: xml.Element) -> str:
    steps: list[str] = []
    current: xml.Element | None = element
    while current is not None:
        name, parent = _local(current.tag), current.getparent()
        same = [] if parent is None else [one for one in parent if one.tag == current.tag]
        steps.append(f"{name}[{same.index(current) + 1}]" if len(same) > 1 else name)
        current = parent
    return f"line {element.sourceline}, /{'/'.join(reversed(steps))}"
