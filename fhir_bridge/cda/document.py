"""What one XML file of the HL7 V3 family is: a CDA document or a V3 interaction.

CDA R2 §4.2 (header) and the document codes of WS/T 483 and WS/T 500 (code system
2.16.156.10011.2.4).  Matching is by OID and local name, never by ``codeSystemName``: the
texts that senders write there differ and are sometimes wrong.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Literal

from fhir_bridge import xml
from fhir_bridge.cda.fragment import complete, declare_prefixes
from fhir_bridge.cda.node import Node, Text, Value
from fhir_bridge.errors import BridgeError, Issue

__all__ = ["Document", "parse"]

_NAMESPACE = "urn:hl7-org:v3"
_INTERACTION = re.compile(r"^[A-Z]{4}_(IN|HD)\d{6}(UV(\d{2})?)?$")


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed file.

    `tree` follows the tree protocol; `kind` is the document code (``C0007``, a LOINC code)
    or, for an interaction, the root's name (``PRPA_IN201311UV02``); `template_ids` are the
    OIDs of the header; `issues` what was odd but could be read.
    """

    tree: Node
    form: Literal["document", "interaction"]
    kind: str
    kind_system: str = ""
    template_ids: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = field(default=())

    @property
    def where(self) -> str:
        """The place of the root element."""
        return self.tree.where


class _Root(Node):
    """The root also answers ``original`` (the file in base64), its size and its SHA-1."""

    __slots__ = ("_data",)

    def __init__(self, element: xml.Element, data: bytes) -> None:
        super().__init__(element)
        self._data = data

    def get(self, name: str) -> Value:
        """As Node.get, with ``original``, ``originalSize`` and ``originalHash`` added."""
        if name == "original":
            return Text(b64encode(self._data).decode("ascii"), self._element, name)
        if name == "originalSize":
            return Text(str(len(self._data)), self._element, name)
        if name == "originalHash":
            digest = sha1(self._data, usedforsecurity=False).digest()
            return Text(b64encode(digest).decode("ascii"), self._element, name)
        return super().get(name)


def parse(data: bytes, *, fragments: bool = False) -> Document:
    """The document in `data` (UTF-8, UTF-16 or declared GB family).

    With `fragments` a section, entry or part of a header is read as if it was in a
    document, and the usual prefixes need no declaration.

    Raises BridgeError FB-10xx when the text is not XML (naming the line), FB-1201 when the
    root is neither ClinicalDocument nor a V3 interaction.
    """
    issues: list[Issue] = []
    root = _parse_tolerantly(data, issues) if fragments else xml.parse(data)
    if fragments:
        root = _complete(root, issues)
    tree = _Root(root, data)
    name = tree.name
    if not str(root.tag).startswith(f"{{{_NAMESPACE}}}"):
        issues.append(Issue("FB-1202", "warning", tree.where, {"expected": _NAMESPACE}))
    if name == "ClinicalDocument":
        code = _first(tree.get("code"))
        templates = tuple(
            str(root_id)
            for one in _all(tree.get("templateId"))
            if isinstance(one, Node) and (root_id := one.get("root"))
        )
        kind = str(code.get("code") or "") if isinstance(code, Node) else ""
        system = str(code.get("codeSystem") or "") if isinstance(code, Node) else ""
        if _first(tree.get("recordTarget")) is None:
            issues.append(Issue("FB-1203", "error", tree.where))
        return Document(tree, "document", kind, system, templates, tuple(issues))
    if _INTERACTION.match(name):
        return Document(tree, "interaction", name, issues=tuple(issues))
    raise BridgeError("FB-1201", tree.where, root=name[:40])


def _parse_tolerantly(data: bytes, issues: list[Issue]) -> xml.Element:
    """As xml.parse, with undeclared prefixes declared where that is all that is wrong."""
    try:
        return xml.parse(data)
    except BridgeError as error:
        declared = declare_prefixes(data) if error.code == "FB-1010" else None
        if declared is None:
            raise
    root = xml.parse(declared)
    issues.append(Issue("FB-1205", "warning", "line 1"))
    return root


def _complete(root: xml.Element, issues: list[Issue]) -> xml.Element:
    """The document that the piece `root` is hung into, or `root` as it is."""
    name = str(root.tag).rpartition("}")[2]
    before = len(root)
    whole = complete(root)
    if whole is None:
        return root
    if whole is not root or len(root) > before:
        issues.append(Issue("FB-1204", "warning", f"/{name}", {"root": name}))
    return whole


def _all(value: Value) -> list[Node | Text]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _first(value: Value) -> Node | Text | None:
    found = _all(value)
    return found[0] if found else None
