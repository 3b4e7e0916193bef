"""delete, and the conditional delete of one resource.

https://hl7.org/fhir/R4/http.html#delete, https://hl7.org/fhir/R4/http.html#3.1.0.7.1
"""

from __future__ import annotations

from fhir_bridge.interactions.conditional import find_match
from fhir_bridge.interactions.conditions import wanted_version
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.reply import Reply, done
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import Route
from fhir_bridge.store import Transaction, Written

__all__ = ["INTERACTIONS", "delete", "delete_conditional"]


def delete(request: Request, route: Route, context: Context) -> Reply:
    """The resource is gone for reads and searches; its history stays.

    Deleting what is not there, or is deleted already, succeeds and changes nothing.
    """
    context.require_write(route.resource_type)

    def work(inside: Context, opened: Transaction) -> Reply:
        found = inside.find_stored(route.resource_type, route.id)
        if found is None or found.deleted:
            return _deleted(request, None)
        wanted = wanted_version(request.headers)
        return _deleted(request, opened.delete(found.resource_type, found.id, if_match=wanted))

    return context.transact(work)


def delete_conditional(request: Request, route: Route, context: Context) -> Reply:
    """Delete the one resource that the query finds; several are refused (412)."""
    context.require_write(route.resource_type)

    def work(inside: Context, opened: Transaction) -> Reply:
        match = find_match(inside, route.resource_type, request.query, "of the URL")
        if match is None:
            return _deleted(request, None)
        return _deleted(request, opened.delete(match.resource_type, match.id))

    return context.transact(work)


def _deleted(request: Request, written: Written | None) -> Reply:
    """204, or 200 with an OperationOutcome for a client that prefers one."""
    status, body = 204, b""
    if request.prefer.returns == "OperationOutcome":
        what = "The resource has been deleted" if written else "There was nothing to delete"
        status, body = 200, done(what)
    if written is None:
        return Reply(status, body)
    return Reply(status, body, written.version, written.last_updated)


INTERACTIONS = {"delete": delete, "delete-conditional": delete_conditional}
