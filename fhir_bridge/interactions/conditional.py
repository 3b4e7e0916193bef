"""The condition of a conditional interaction: a search that may find one resource.

https://hl7.org/fhir/R4/http.html#ccreate, …#cond-update, …#3.1.0.7.1
"""

from __future__ import annotations

from collections.abc import Sequence

from fhir_bridge import clock
from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions.context import Context
from fhir_bridge.search import parse_search, plan
from fhir_bridge.store import Stored

__all__ = ["find_match", "find_matches"]

_RESULT_ONLY = frozenset({"_format", "_pretty", "_summary", "_elements", "_count", "_sort"})


def find_matches(
    context: Context, resource_type: str, pairs: Sequence[tuple[str, str]], most: int
) -> list[Stored]:
    """Up to `most` resources that the condition `pairs` finds.

    Raises BridgeError FB-4012 when no pair selects (a condition that finds everything is a
    mistake) and the errors of search.
    """
    criteria = [(name, value) for name, value in pairs if name not in _RESULT_ONLY]
    if not criteria:
        raise BridgeError("FB-4012")
    search = parse_search(
        resource_type, [*criteria, ("_count", str(most))], context.registry, lenient=False
    )
    return list(context.find(plan(search, context.registry)).matches)


def find_match(
    context: Context, resource_type: str, pairs: Sequence[tuple[str, str]], condition: str
) -> Stored | None:
    """The one resource that the condition finds, or None; FB-4011 when it finds several.

    Inside a transaction, writers with the same condition wait for each other until commit:
    of two that would create what neither finds, the second finds what the first created.
    """
    if context.opened is not None:
        # Deleting under a name that nobody has writes nothing and takes the name's lock.
        name = clock.named_id("condition", resource_type, *map("=".join, sorted(pairs)))
        context.opened.delete(resource_type, name)
    found = find_matches(context, resource_type, pairs, 2)
    if len(found) > 1:
        raise BridgeError("FB-4011", count="Several", condition=condition[:200])
    return found[0] if found else None
