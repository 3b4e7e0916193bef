"""What is left of a resource when no source states it any more.

It stays readable, and says that it was a mistake: https://hl7.org/fhir/R4/lifecycle.html.
"""

from __future__ import annotations

from fhir_bridge.fhir import Resource

from .rules import UpdateRules, has_error_status
from .slots import resource_of, slots_of

__all__ = ["is_retired", "retired"]


def retired(resource: Resource, rules: UpdateRules) -> Resource:
    """`resource` as the rule of its type leaves it; the same where its type has no such state."""
    kind = resource["resourceType"]
    said = dict(
        rules.retired.get(kind, {"status": "entered-in-error"} if has_error_status(kind) else {})
    )
    removed = said.pop("remove", ())
    if not said and not removed:
        return resource
    kept = {key: value for key, value in resource.items() if not _is_one_of(key, removed)}
    return resource_of(kind, resource["id"], slots_of(kept | said, rules))


def is_retired(resource: Resource, rules: UpdateRules) -> bool:
    """Whether a resource is what retiring leaves."""
    return retired(resource, rules) == resource and (
        resource["resourceType"] in rules.retired or has_error_status(resource["resourceType"])
    )


def _is_one_of(key: str, names: list[str] | tuple[str, ...]) -> bool:
    plain = key.removeprefix("_")
    return any(
        plain.startswith(name[:-3]) if name.endswith("[x]") else plain == name for name in names
    )
