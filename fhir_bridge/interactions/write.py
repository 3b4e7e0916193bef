"""What every change of a resource goes through: shape, integrity, one store transaction.

https://hl7.org/fhir/R4/http.html#create, https://hl7.org/fhir/R4/http.html#update
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.reply import Reply, done
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import Route
from fhir_bridge.store import Written

__all__ = ["required_resource", "retrying", "write", "write_reply"]


def required_resource(request: Request, route: Route) -> Resource:
    """The body, which must be a resource of the type that the URL names.

    Raises BridgeError FB-4013 (no body) or FB-4008 (another type).
    """
    body = request.body
    if not isinstance(body, dict):
        raise BridgeError("FB-4013", expected=f"a resource of type {route.resource_type}")
    found = body.get("resourceType")
    if found != route.resource_type:
        named = f"of type {found}" if isinstance(found, str) else "no resource"
        raise BridgeError("FB-4008", found=named[:80], expected=route.resource_type)
    return body


def write(
    context: Context,
    resource: Resource,
    *,
    if_match: int | None = None,
    create_only: bool = False,
) -> Written:
    """Check and store `resource` in the open transaction of `context`.

    Raises BridgeError with the validation issues (30xx) or FB-50xx when a condition fails.
    """
    resource = context.labelled(resource)
    context.check(resource)
    if context.transaction is None:
        raise ValueError("a write needs an open transaction")
    return context.transaction.put(resource, if_match=if_match, create_only=create_only)


@contextmanager
def retrying(*, unless: bool) -> Iterator[None]:
    """Within the block, a version that somebody else wrote first is a collision (FB-5003).

    The transaction is then tried again with that version, `unless` the client asked for one.
    """
    try:
        yield
    except BridgeError as error:
        if error.code == "FB-5001" and not unless:
            raise BridgeError("FB-5003") from None
        raise


def write_reply(written: Written, returns: str) -> Reply:
    """The answer to a change, with what ``Prefer: return`` asks for.

    https://hl7.org/fhir/R4/http.html#ops; the whole resource when nothing is asked.
    """
    status = 201 if written.outcome == "created" else 200
    body = written.body
    if returns == "OperationOutcome":
        what = written.outcome if written.outcome in ("created", "updated") else "left as it is"
        body = done(f"The resource has been {what}")
    elif returns == "minimal":
        body = b""
    location = f"{written.resource_type}/{written.id}/_history/{written.version}"
    outcome = body if returns == "OperationOutcome" else b""
    content = "" if outcome or not body else location
    return Reply(
        status, body, written.version, written.last_updated, location, outcome, content=content
    )
