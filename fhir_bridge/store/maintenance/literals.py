"""The literal references inside one resource, wherever they stand, and what each can mean.

https://hl7.org/fhir/R4/references.html#literal.  Search parameters see some references only;
here every object is looked at, contained resources and extensions of primitive values too.
A Bundle is kept as it was sent and speaks of its own entries, so it holds none for us.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from fhir_bridge.fhir import Resource, parse_reference

__all__ = ["Kind", "Pointer", "literals", "read"]

Kind = Literal["literal", "contained", "conditional", "temporary", "elsewhere", "unreadable"]

_KEPT_AS_SENT = frozenset({"Bundle", "Parameters"})
_CONDITIONAL = re.compile(r"[A-Z][A-Za-z]+\?")
_TEMPORARY = ("urn:uuid:", "urn:oid:")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")

_Place = tuple["_Place", str] | None
"""The way to an element, innermost key last; made text only where it is told."""


class Pointer(NamedTuple):
    """What a reference says: its kind and, of a literal one, the parts (`version` "" or digits).

    Of a contained one `id` is the id in ``contained``, "" for the resource itself.
    """

    kind: Kind
    resource_type: str = ""
    id: str = ""
    version: str = ""


def literals(resource: Resource) -> Iterator[tuple[_Literal, str]]:
    """(its place, the text) of each literal reference in `resource`."""
    if resource.get("resourceType") in _KEPT_AS_SENT:
        return
    waiting: list[tuple[_Place, dict[str, Any]]] = [(None, resource)]
    while waiting:
        place, node = waiting.pop()
        for key, value in node.items():
            kind = type(value)
            if kind is dict:
                waiting.append(((place, key), value))
            elif kind is list:
                waiting += [((place, key), item) for item in value if type(item) is dict]
            elif key == "reference" and kind is str and _is_reference(place, node):
                yield _Literal(resource["resourceType"], place), value


class _Literal(NamedTuple):
    """Where a reference stands; as text ``Encounter.participant.individual``."""

    resource_type: str
    place: _Place

    def __str__(self) -> str:
        steps, place = list[str](), self.place
        while place:
            steps.append(place[1])
            place = place[0]
        return ".".join([self.resource_type, *reversed(steps)])


def _is_reference(place: _Place, node: dict[str, Any]) -> bool:
    """Not the URI that Expression, DetectedIssue and Immunization.education call the same."""
    if "language" in node or "resourceType" in node:
        return False
    return place is None or place[1] != "education"


def read(text: str, own_bases: tuple[str, ...] = ()) -> Pointer:
    """What a literal reference means for a server known under `own_bases`.

    >>> read("Patient/7/_history/2")
    Pointer(kind='literal', resource_type='Patient', id='7', version='2')
    >>> read("https://elsewhere.example/fhir/Patient/7").kind
    'elsewhere'
    >>> read("Patient?identifier=urn:x|1").kind, read("#team"), read("7").kind
    ('conditional', Pointer(kind='contained', resource_type='', id='team', version=''), 'unreadable')
    """
    if text.startswith("#"):
        return Pointer("contained", id=text[1:])
    if text.lower().startswith(_TEMPORARY):
        return Pointer("temporary")
    for base in own_bases:
        if text.startswith(base):
            text = text[len(base) :].lstrip("/")
            break
    parts = parse_reference(text)
    if parts is not None and not parts.base:
        return Pointer("literal", parts.resource_type, parts.id, parts.version)
    if _CONDITIONAL.match(text):
        return Pointer("conditional")
    return Pointer("elsewhere" if _SCHEME.match(text) else "unreadable")
