"""The condition of a conditional interaction: a search that may find one resource.

https://hl7.org/fhir/R4/http.html#ccreate, …#cond-update, …#3.1.0.7.1
"""

from __future__ import annotations

from collections.abc import Sequence

from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.request import split_url
from fhir_bridge.search import Plan, parse_search, plan
from fhir_bridge.store import Stored

__all__ = ["find_all", "find_match", "find_matches", "none_exist_pairs"]

_RESULT_ONLY = frozenset({"_format", "_pretty", "_summary", "_elements", "_count", "_sort"})


def none_exist_pairs(condition: str, resource_type: str) -> tuple[tuple[str, str], ...]:
    """The search of an ``If-None-Exist``: a query, or a URL that ends with the type and a query.

    Raises BridgeError FB-4025 when it searches another type than the one that is created.
    """
    place, mark, query = condition.rpartition("?")
    named = place.rstrip("/").rpartition("/")[2]
    if mark and named not in ("", resource_type):
        reason = f"it is a search of {resource_type}, what stands after the question mark"
        raise BridgeError("FB-4025", name="If-None-Exist", reason=reason)
    return split_url(f"?{query}")[1]


def find_matches(
    context: Context, resource_type: str, pairs: Sequence[tuple[str, str]], most: int
) -> list[Stored]:
    """Up to `most` resources that the condition `pairs` finds.

    Raises BridgeError FB-4012 when no pair selects (a condition that finds everything is a
    mistake) and the errors of search.
    """
    return list(context.find(_condition_plan(context, resource_type, pairs, most)).matches)


def _condition_plan(
    context: Context, resource_type: str, pairs: Sequence[tuple[str, str]], count: int
) -> Plan:
    """The search of a condition, in pages of `count`."""
    criteria = [(name, value) for name, value in pairs if name not in _RESULT_ONLY]
    if not criteria:
        raise BridgeError("FB-4012")
    listed = [*criteria, ("_count", str(count))]
    return plan(parse_search(resource_type, listed, context.registry), context.registry)


def find_match(
    context: Context, resource_type: str, pairs: Sequence[tuple[str, str]], condition: str
) -> Stored | None:
    """The one resource that the condition finds, or None; FB-4011 when it finds several.

    Inside a transaction, writers with the same condition wait for each other until commit:
    of two that would create what neither finds, the second finds what the first created.
    """
    _wait_turn(context, resource_type, pairs)
    found = find_matches(context, resource_type, pairs, 2)
    if len(found) > 1:
        raise BridgeError("FB-4011", count="Several", condition=condition[:200])
    return found[0] if found else None


def find_all(
    context: Context, resource_type: str, pairs: Sequence[tuple[str, str]]
) -> list[Stored]:
    """All that the condition of a delete finds, as the settings allow.

    Raises BridgeError FB-4011 for several when one is allowed, and for more than a Bundle
    may have entries.
    """
    if context.settings.conditional_delete == "single":
        match = find_match(context, resource_type, pairs, "of the URL")
        return [match] if match else []
    _wait_turn(context, resource_type, pairs)
    condition = _condition_plan(context, resource_type, pairs, context.settings.max_page)
    most = context.settings.max_bundle_entries
    page = context.find(condition)
    found = list(page.matches)
    while page.next and len(found) <= most:
        page = context.find(condition, page.next)
        found += page.matches
    if len(found) > most:
        raise BridgeError("FB-4011", count=f"More than {most}", condition="of the URL")
    return found


def _wait_turn(context: Context, resource_type: str, pairs: Sequence[tuple[str, str]]) -> None:
    """Until no other transaction with the same condition is open."""
    if context.transaction is not None:
        context.transaction.lock("&".join([resource_type, *map("=".join, sorted(pairs))]))
