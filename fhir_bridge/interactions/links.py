"""Links inside the resources of a transaction: temporary ids become real ones.

https://hl7.org/fhir/R4/http.html#trules: references, elements of type uri, url, oid and
uuid, and ``href``/``src`` in the narrative are replaced; https://hl7.org/fhir/R4/bundle.html#references
says how a relative reference is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fhir_bridge.fhir import Resource, definitions, parse_reference, walk_references

__all__ = ["conditional_references", "local_references", "rewrite_links"]

_URIS = frozenset({"uri", "url", "oid", "uuid"})
_NARRATIVE_LINK = re.compile(r'((?:href|src)\s*=\s*")([^"]+)(")')
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(.+)", re.DOTALL)


def rewrite_links(resource: Resource, targets: Mapping[str, str], full_url: str) -> None:
    """Replace in place every link of `targets` (temporary URL -> ``Type/id``).

    `full_url` is the resource's own, against which its relative references are read.
    """
    own = parse_reference(full_url)
    base = f"{own.base}/" if own and own.base else ""

    def resolved(link: str) -> str:
        address, mark, fragment = link.partition("#")
        found = targets.get(address)
        if found is None and base and "://" not in address:
            found = targets.get(base + address)
        return found + mark + fragment if found else link

    for holder in walk_references(resource):
        holder["reference"] = resolved(holder["reference"])
    _rewrite_uris(resource, str(resource["resourceType"]), resolved)
    text = resource.get("text")
    if isinstance(text, dict) and isinstance(text.get("div"), str):
        text["div"] = _NARRATIVE_LINK.sub(
            lambda match: match[1] + resolved(match[2]) + match[3], text["div"]
        )


def _rewrite_uris(node: dict[str, Any], type_name: str, resolved: Any) -> None:
    """Replace the elements of a uri type, which only the definitions can tell from strings."""
    elements = definitions().types[type_name].elements if type_name in definitions().types else {}
    for key, value in node.items():
        element = elements.get(key)
        if element is None:
            continue
        if element.type in _URIS:
            if isinstance(value, str):
                node[key] = resolved(value)
            elif isinstance(value, list):
                node[key] = [resolved(item) if isinstance(item, str) else item for item in value]
        elif isinstance(value, dict):
            _rewrite_uris(value, _type_of(value, element.type), resolved)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    _rewrite_uris(item, _type_of(item, element.type), resolved)


def _type_of(value: dict[str, Any], declared: str) -> str:
    named = value.get("resourceType")
    return named if isinstance(named, str) else declared


def conditional_references(resource: Resource) -> Iterator[tuple[dict[str, Any], str, str]]:
    """(holder of the reference, resource type, query) of each ``Patient?identifier=…``."""
    for holder in walk_references(resource):
        match = _CONDITIONAL.fullmatch(holder["reference"])
        if match and match[1] in definitions().resource_types:
            yield holder, match[1], match[2]


def local_references(resource: Resource, base_url: str) -> Iterator[tuple[str, str]]:
    """(type, id) of each literal reference to a resource of this server."""
    for holder in walk_references(resource):
        reference = parse_reference(holder["reference"])
        if reference and reference.id and reference.base in ("", base_url):
            yield reference.resource_type, reference.id
