"""Numbers whose last digits are lost are never identities.

A spreadsheet turns ``99010100100100051`` into ``9.90101E+16``; two persons then have one
number.  Which columns identify is said by the map alone: wherever such a text became (part of)
an identifier or a reference, the record is refused and the cell named.  Telephone numbers and
identifiers that are marked as not verified identify nobody: there it is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fhir_bridge.errors import Issue
from fhir_bridge.tables import Cell

__all__ = ["rounded_identities"]

_IDENTIFYING = frozenset(
    ["identifier", "valueIdentifier", "requisition", "groupIdentifier", "telecom", "request"]
)
_POINTING = frozenset(["reference", "url", "fullUrl", "ifNoneExist"])
_NOT_VERIFIED = "https://fhir-bridge.org/fhir/StructureDefinition/identifier-not-verified"


def rounded_identities(bundle: Any, cells: Sequence[Cell]) -> list[Issue]:
    """FB-1308 for each of `cells` that identifies something in `bundle`."""
    found: dict[str, str] = {}
    for text, severity in _identities(bundle, "") if cells else ():
        for cell in cells:
            if str(cell) in text and found.get(cell.where) != "error":
                found[cell.where] = severity
    return [
        Issue("FB-1308", "error" if severity == "error" else "warning", where, {"column": column})
        for where, severity in found.items()
        for column in [next(cell.column for cell in cells if cell.where == where)]
    ]


def _identities(node: Any, severity: str) -> Iterator[tuple[str, str]]:
    """The texts of identifiers and references below `node`, and how grave each is."""
    if isinstance(node, list):
        for child in node:
            yield from _identities(child, severity)
    elif isinstance(node, dict):
        if severity and any(e.get("url") == _NOT_VERIFIED for e in node.get("extension", ())):
            severity = "warning"
        for key, child in node.items():
            inside = severity
            if not severity and key in _IDENTIFYING:
                inside = "warning" if key == "telecom" else "error"
            if not isinstance(child, str):
                yield from _identities(child, inside)
            elif inside or key in _POINTING:
                yield child, inside or "error"
