"""References between resources.

https://hl7.org/fhir/R4/references.html#literal
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from fhir_bridge.fhir.definitions import definitions

__all__ = ["Reference", "parse_reference", "walk_references"]


class Reference(NamedTuple):
    """The parts of a RESTful reference; a part that is not there is ``""``.

    `base` is the server ("https://hospital.example/fhir"), `fragment` the id of a contained
    resource (then everything else may be empty).
    """

    base: str
    resource_type: str
    id: str
    version: str
    fragment: str


def parse_reference(text: str) -> Reference | None:
    """The parts of `text`; None for what is not RESTful (``urn:uuid:…``, conditional, a code).

    >>> parse_reference("Patient/7/_history/2")
    Reference(base='', resource_type='Patient', id='7', version='2', fragment='')
    >>> parse_reference("#team").fragment
    'team'
    >>> parse_reference("urn:uuid:9a7b") is None
    True
    """
    match = _RESTFUL.fullmatch(text)
    if match:
        base, resource_type, id_, version, fragment = match.groups(default="")
        if resource_type in definitions().resource_types:
            return Reference(base, resource_type, id_, version, fragment)
        return None
    if text.startswith("#"):
        return Reference("", "", "", "", text[1:])
    return None


def walk_references(node: Any) -> Iterator[dict[str, Any]]:
    """Each object in `node`, however deep, that holds a literal ``reference`` (to be rewritten in place)."""
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node
        for value in node.values():
            if type(value) is dict or type(value) is list:
                yield from walk_references(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk_references(value)


_RESTFUL = re.compile(
    r"(?:(https?://[^\s?#]+)/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/([A-Za-z0-9\-.]{1,64}))?(?:#([A-Za-z0-9\-.]{1,64}))?"
)
