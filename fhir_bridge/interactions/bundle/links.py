"""Links inside the resources of a transaction: temporary ids become real ones.

https://hl7.org/fhir/R4/http.html#trules: references, elements of type uri, url, oid and
uuid, and ``href``/``src`` in the narrative are replaced; https://hl7.org/fhir/R4/bundle.html#references
says how a relative reference is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from fhir_bridge.fhir import Resource, definitions, parse_reference, walk_references

__all__ = ["conditional_references", "local_references", "placeholders", "rewrite_links"]

_URIS = frozenset({"uri", "url", "oid", "uuid"})
_NARRATIVE_LINK = re.compile(r"""(\b(?:href|src)\s*=\s*(["']))(.*?)(\2)""", re.DOTALL)
_CONDITIONAL = re.compile(r"(?:(https?://[^\s?#]+)/)?([A-Z][A-Za-z]+)\?(.+)", re.DOTALL)
_PLACEHOLDERS = ("urn:uuid:", "urn:oid:")

Pinned = TypeVar("Pinned")


def rewrite_links(
    resource: Resource,
    targets: Mapping[str, str],
    full_url: str,
    versions: Mapping[str, Pinned],
) -> list[tuple[dict[str, Any], Pinned]]:
    """Replace in place every link of `targets` (temporary URL -> ``Type/id``).

    `full_url` is the resource's own, against which its relative references are read.
    Answers the holders of references to one version of an entry (`versions`: URL with the
    version -> anything), whose new version nobody knows yet.
    """
    own = parse_reference(full_url)
    base = f"{own.base}/" if own and own.base else ""

    def resolved(link: str) -> str:
        address, mark, fragment = link.partition("#")
        found = targets.get(address)
        if found is None and base and "://" not in address:
            found = targets.get(base + address)
        return found + mark + fragment if found else link

    pinned = []
    for holder in walk_references(resource):
        link = holder["reference"]
        pin = versions.get(link, versions.get(base + link) if "://" not in link else None)
        if pin is not None:
            pinned.append((holder, pin))
        else:
            holder["reference"] = resolved(link)
    _rewrite_uris(resource, str(resource["resourceType"]), resolved)
    return pinned


def _rewrite_uris(node: dict[str, Any], type_name: str, resolved: Callable[[str], str]) -> None:
    """Replace the elements of a uri type, which only the definitions can tell from strings.

    Of a narrative, wherever one stands, the links.
    """
    elements = definitions().types[type_name].elements if type_name in definitions().types else {}
    for key, value in node.items():
        element = elements.get(key)
        if element is None:
            continue
        if element.type == "xhtml" and isinstance(value, str):
            node[key] = _NARRATIVE_LINK.sub(
                lambda match: match[1] + resolved(match[3]) + match[4], value
            )
        elif element.type in _URIS:
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


def conditional_references(
    resource: Resource, base_url: str
) -> Iterator[tuple[dict[str, Any], str, str]]:
    """(holder of the reference, resource type, query) of each ``Patient?identifier=…``."""
    for holder in walk_references(resource):
        match = _CONDITIONAL.fullmatch(holder["reference"])
        if match is None or match[1] not in (None, base_url):
            continue
        if match[2] in definitions().resource_types:
            yield holder, match[2], match[3]


def local_references(resource: Resource, base_url: str) -> Iterator[tuple[str, str]]:
    """(type, id) of each literal reference to a resource of this server."""
    for holder in walk_references(resource):
        reference = parse_reference(holder["reference"])
        if reference and reference.id and reference.base in ("", base_url):
            yield reference.resource_type, reference.id


def placeholders(resource: Resource) -> Iterator[str]:
    """Each temporary address that a reference still holds: no entry has it."""
    for holder in walk_references(resource):
        if holder["reference"].startswith(_PLACEHOLDERS):
            yield holder["reference"]
