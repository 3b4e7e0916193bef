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
    said = dict(_said(kind, rules))
    removed = said.pop("remove", ())
    if not said and not removed:
        return resource
    kept = {key: value for key, value in resource.items() if not _is_one_of(key, removed)}
    return resource_of(kind, resource["id"], slots_of(kept | said, rules))


def is_retired(resource: Resource, rules: UpdateRules) -> bool:
    """Whether a resource is what retiring leaves."""
    kind = resource["resourceType"]
    said = _said(kind, rules)
    if any(type(code) is str and resource.get(name) != code for name, code in said.items()):
        return False  # most are not, and need not be taken apart for it
    return retired(resource, rules) == resource and (
        kind in rules.retired or has_error_status(kind)
    )


def _said(kind: str, rules: UpdateRules) -> Resource:
    """What is said of a resource that is retired."""
    return rules.retired.get(kind, {"status": "entered-in-error"} if has_error_status(kind) else {})


def _is_one_of(key: str, names: list[str] | tuple[str, ...]) -> bool:
    plain = key.removeprefix("_")
    return any(
        plain.startswith(name[:-3]) if name.endswith("[x]") else plain == name for name in names
    )
