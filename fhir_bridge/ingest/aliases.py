"""A thing is known by each of its numbers, and by those of what was merged into it.

A visit has an inpatient number and a serial, an order the placer's and the filler's; a
message may bring any of them.  The first number names the resource (`naming`); the others
are kept as keys that lead to it.  A key leads nowhere when the message contradicts it: two
stays with one inpatient number and different serials stay two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from fhir_bridge.fhir import Resource
from fhir_bridge.fhir.marks import NULL

from .draft import Draft
from .naming import business_id

__all__ = [
    "find_alias",
    "find_numbers",
    "keep_aliases",
    "merged_into",
    "merged_key",
    "point_to",
]


def find_alias(draft: Draft, resource: Resource) -> str:
    """The id of the resource that one of these numbers leads to; "" where there is none.

    A number that is no key may still have named a resource that had no other.
    """
    kind = resource["resourceType"]
    numbers = dict(find_numbers(resource))
    known = draft.identity_keys(numbers)
    for key, (system, value) in numbers.items():
        id_ = known.get(key) or business_id(kind, system, value)
        present = draft.present(kind, id_) if id_ else None
        if present is not None and not _contradict(resource, present.resource):
            return id_
    return ""


def keep_aliases(draft: Draft, resource: Resource) -> None:
    """The numbers of a resource lead to it from now on, where there are several."""
    numbers = [key for key, _ in find_numbers(resource)]
    if len(numbers) > 1:
        known = draft.identity_keys(numbers)
        new = {key: resource["id"] for key in numbers if known.get(key) != resource["id"]}
        if new:
            draft.set_identity_keys(new)


def merged_into(draft: Draft, kind: str, id_: str) -> str:
    """The id of the resource that this one became part of; its own where it did not."""
    seen = {id_}
    while True:
        key = merged_key(kind, id_)
        other = draft.identity_keys([key]).get(key, "")
        if not other or other in seen:
            return id_
        seen.add(other)
        id_ = other


def merged_key(kind: str, id_: str) -> bytes:
    """The key of what a resource became part of."""
    return _key("merged", kind, id_)


def point_to(draft: Draft, kind: str, old: Resource, id_: str) -> None:
    """What names `old`, its id and its numbers, leads to the resource with `id_`."""
    keys = [merged_key(kind, old["id"]), *(key for key, _ in find_numbers(old))]
    draft.set_identity_keys(dict.fromkeys(keys, id_))


def find_numbers(resource: Resource) -> Iterator[tuple[bytes, tuple[str, str]]]:
    """(key, number) of each identifier that has a system."""
    kind = str(resource["resourceType"])
    for number in _numbers(resource):
        yield _key("number", kind, *number), number


def _numbers(resource: Resource) -> Iterator[tuple[str, str]]:
    identifiers = resource.get("identifier") or ()
    for each in [identifiers] if isinstance(identifiers, dict) else identifiers:
        system, value = str(each.get("system", "")), str(each.get("value", ""))
        if system and value and NULL not in value:
            yield system, value


def _contradict(one: Resource, other: Resource) -> bool:
    """Whether they have different numbers of one system."""
    mine, theirs = _by_system(one), _by_system(other)
    return any(
        system in theirs and values.isdisjoint(theirs[system]) for system, values in mine.items()
    )


def _by_system(resource: Resource) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for system, value in _numbers(resource):
        found.setdefault(system, set()).add(value)
    return found


def _key(*parts: str) -> bytes:
    return hashlib.blake2b("\x1f".join(("alias", *parts)).encode(), digest_size=16).digest()
