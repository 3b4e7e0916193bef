"""``resolve()``: from a reference to its target, near at hand or through the caller.

https://hl7.org/fhir/R4/fhirpath.html#functions, https://hl7.org/fhir/R4/references.html.
Contained resources and entries of the Bundle under evaluation are found here; everything
else is asked of `Environment.resolve`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_bridge.fhirpath.evaluation import Context, one
from fhir_bridge.fhirpath.functions.registry import function
from fhir_bridge.fhirpath_values import Node, is_type, wrap

__all__ = ["reference_type", "resolve_item", "resolves_to"]

Items = list[Any]


@function("resolve")
def _resolve(focus: Items, context: Context) -> Items:
    out: Items = []
    for item in focus:
        found = resolve_item(item, context)
        if found is not None:
            out += wrap(found)
    return out


def resolve_item(item: Any, context: Context) -> Any:
    """The node behind a Reference, canonical or uri; None when it cannot be reached."""
    reference = reference_text(item)
    if reference is None:
        return None
    if reference.startswith("#"):
        return _contained(item, reference[1:], context)
    resolve = context.environment.resolve
    found = resolve(reference) if resolve is not None else None
    return found if found is not None else _in_bundle(reference, context)


def reference_text(item: Any) -> str | None:
    """The reference that an item spells."""
    value = item.value if type(item) is Node else item
    if isinstance(value, dict):
        value = value.get("reference")
    return value if isinstance(value, str) and value else None


_RELATIVE = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[^/]+)?")


def reference_type(item: Any) -> str | None:
    """The type of resource that a reference names by its text or its `type`; None if neither."""
    text = reference_text(item)
    match = _RELATIVE.fullmatch(text) if text else None
    if match:
        return match[1]
    value = item.value if type(item) is Node else item
    named = value.get("type") if isinstance(value, dict) else None
    return named if isinstance(named, str) and not (text or "").startswith("#") else None


def resolves_to(focus: Items, context: Context, name: str) -> Items:
    """``resolve() is T``: also answered for a target out of reach, by what the reference says.

    Search parameters filter references this way without reading the targets
    (docs/clarifications/fhirpath.md).
    """
    item = one(focus, "is")
    if item is None:
        return []
    found = resolve_item(item, context)
    if found is not None:
        return [any(is_type(node, name, context.model) for node in wrap(found))]
    kind = reference_type(item)
    return [] if kind is None else [context.model.is_a(kind, name.removeprefix("FHIR."))]


def _contained(item: Any, identifier: str, context: Context) -> Any:
    """``#id`` among the contained resources; ``#`` alone is the container."""
    holders = [each.value for each in (*context.resource, *context.root_resource) if _is_json(each)]
    for resource in holders:
        if not identifier:
            return resource
        if (found := _by_id(resource, identifier)) is not None:
            return found
    entries = [
        (resource, found)
        for resource in _entries(context)
        if (found := _by_id(resource, identifier)) is not None
    ]
    if len(entries) == 1:
        return entries[0][1]
    value = item.value if type(item) is Node else None
    for resource, found in entries:
        if type(value) is dict and _holds(resource, value, context):
            return found
    return None


def _is_json(item: Any) -> bool:
    return type(item) is Node and type(item.value) is dict


def _by_id(resource: dict[str, Any], identifier: str) -> Any:
    contained = resource.get("contained")
    for candidate in contained if type(contained) is list else ():
        if type(candidate) is dict and candidate.get("id") == identifier:
            return candidate
    return None


def _holds(tree: Any, part: dict[str, Any], context: Context) -> bool:
    """Whether the very object `part` is somewhere in the tree."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if node is part:
            return True
        if type(node) is dict:
            pending += node.values()
        elif type(node) is list:
            pending += node
        context.budget.spend(1)
    return False


def _entries(context: Context) -> Iterator[dict[str, Any]]:
    """The resources of the Bundle that is being evaluated."""
    return (resource for _, resource in _addressed(context))


def _addressed(context: Context) -> Iterator[tuple[Any, dict[str, Any]]]:
    for holder in context.root_resource:
        if not _is_json(holder) or holder.value.get("resourceType") != "Bundle":
            continue
        entries = holder.value.get("entry")
        for entry in entries if type(entries) is list else ():
            resource = entry.get("resource") if type(entry) is dict else None
            if type(resource) is dict:
                yield entry.get("fullUrl"), resource


def _in_bundle(reference: str, context: Context) -> Any:
    """An entry of the Bundle that is being evaluated, by fullUrl or by type and id."""
    plain = reference.partition("/_history/")[0]
    for address, resource in _addressed(context):
        if plain in (address, f"{resource.get('resourceType')}/{resource.get('id')}"):
            return resource
    return None
