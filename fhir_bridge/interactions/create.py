"""create: a new resource under an id that the server gives, and its conditional form.

https://hl7.org/fhir/R4/http.html#create, https://hl7.org/fhir/R4/http.html#ccreate
"""

from __future__ import annotations

from dataclasses import replace

from fhir_bridge import clock
from fhir_bridge.interactions.conditional import find_match, none_exist_pairs
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.reply import Reply, done, of_stored
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import Route
from fhir_bridge.interactions.write import required_resource, write, write_reply
from fhir_bridge.store import Stored, Transaction

__all__ = ["create"]


def create(request: Request, route: Route, context: Context) -> Reply:
    """201 with the new resource; with ``If-None-Exist`` 200 with the one that is there.

    An id in the body is ignored, as the specification asks.
    """
    resource = required_resource(request, route)
    condition = request.headers.get("if-none-exist")

    def work(inside: Context, _opened: Transaction) -> Reply:
        if condition is not None:
            pairs = none_exist_pairs(condition, route.resource_type)
            match = find_match(inside, route.resource_type, pairs, condition)
            if match is not None:
                return _existing(match, request.prefer.returns)
        id_ = clock.fresh_id()
        written = write(inside, {**resource, "id": id_}, create_only=True)
        inside.require_reach("c", route.resource_type, id_)
        return write_reply(written, request.prefer.returns)

    return context.transact(work)


def _existing(match: Stored, returns: str) -> Reply:
    """200 with what is there already, as ``Prefer: return`` asks."""
    reply = replace(of_stored(match), location=f"{match.resource_type}/{match.id}")
    if returns == "OperationOutcome":
        body = done("Nothing has been created; the condition finds this resource")
        return replace(reply, body=body, outcome=body, content="")
    return replace(reply, body=b"", content="") if returns == "minimal" else reply
