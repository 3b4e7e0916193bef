"""delete, and the conditional delete of one resource or, where the settings allow it, of several.

https://hl7.org/fhir/R4/http.html#delete, https://hl7.org/fhir/R4/http.html#3.1.0.7.1
"""

from __future__ import annotations

from collections.abc import Sequence

from fhir_bridge.interactions.conditional import find_all
from fhir_bridge.interactions.conditions import wanted_version
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.reply import Reply, done
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import Route
from fhir_bridge.store import Transaction, Written

__all__ = ["delete", "delete_conditional"]


def delete(request: Request, route: Route, context: Context) -> Reply:
    """The resource is gone for reads and searches; its history stays.

    Deleting what is not there, or is deleted already, succeeds and changes nothing.
    """

    def work(inside: Context, opened: Transaction) -> Reply:
        found = inside.find_stored(route.resource_type, route.id, "d")
        if found is None or found.deleted:
            return _deleted(request, [])
        wanted = wanted_version(request.headers)
        return _deleted(request, [opened.delete(found.resource_type, found.id, if_match=wanted)])

    return context.transact(work)


def delete_conditional(request: Request, route: Route, context: Context) -> Reply:
    """Delete what the query finds; several only where the setting says so (412, FB-4011)."""

    def work(inside: Context, opened: Transaction) -> Reply:
        found = find_all(inside, route.resource_type, request.query)
        for each in found:
            inside.require_reach("d", each.resource_type, each.id)
        wanted = wanted_version(request.headers)
        written = [opened.delete(each.resource_type, each.id, if_match=wanted) for each in found]
        return _deleted(request, written)

    return context.transact(work)


def _deleted(request: Request, outcomes: Sequence[Written | None]) -> Reply:
    """204, or 200 with an OperationOutcome for a client that prefers one."""
    written = [each for each in outcomes if each is not None]
    status, body = 204, b""
    if request.prefer.returns == "OperationOutcome":
        what = "There was nothing to delete"
        if written:
            one = len(written) == 1
            what = f"{'The resource has' if one else f'{len(written)} resources have'} been deleted"
        status, body = 200, done(what)
    if len(written) != 1:
        return Reply(status, body)
    return Reply(status, body, written[0].version, written[0].last_updated)
