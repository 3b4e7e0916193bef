"""What FHIRPath in a map may ask of the world when the caller gives nothing better.

Resolves references inside the source Bundle (https://hl7.org/fhir/R4/bundle.html#references)
and contained resources, answers ``memberOf`` for value sets of the R4 definitions, and
``conformsTo`` for the base definition of a resource type.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.fhir import Definitions
from fhir_bridge.fhirpath import Environment

__all__ = ["source_environment"]

_BASE = "http://hl7.org/fhir/StructureDefinition/"


def source_environment(source: Any, facts: Definitions) -> Environment:
    """The environment for expressions on `source`; its index is built when first asked."""
    index: dict[str, Any] | None = None

    def resolve(reference: str) -> Any:
        nonlocal index
        if index is None:
            index = _indexed(source)
        return index.get(reference) or index.get("/".join(reference.split("/")[-2:]))

    def member_of(value: Any, url: str) -> bool | None:
        systems = facts.value_set(url)
        if systems is None:
            return None
        return any(
            code in codes and (not system or system == one)
            for system, code in _codes(value)
            for one, codes in systems.items()
        )

    def conforms_to(resource: Any, url: str) -> bool | None:
        own = resource.get("resourceType") if isinstance(resource, dict) else None
        name = url.removeprefix(_BASE) if url.startswith(_BASE) else ""
        if not isinstance(own, str) or name not in facts.types:
            return None
        return facts.is_a(own, name)

    return Environment(resolve=resolve, member_of=member_of, conforms_to=conforms_to)


def _indexed(source: Any) -> dict[str, Any]:
    index: dict[str, Any] = {}
    if not isinstance(source, dict):
        return index
    for entry in source.get("entry") or ():
        resource = entry.get("resource")
        if resource is None:
            continue
        if entry.get("fullUrl"):
            index[str(entry["fullUrl"])] = resource
        if resource.get("id"):
            index.setdefault(f"{resource.get('resourceType')}/{resource['id']}", resource)
    for resource in source.get("contained") or ():
        index[f"#{resource.get('id')}"] = resource
    return index


def _codes(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [("", value)]
    if not isinstance(value, dict):
        return []
    codings = value.get("coding") or [value]
    return [(str(one.get("system") or ""), str(one.get("code") or "")) for one in codings]
