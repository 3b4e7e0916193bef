"""patch, by the id of a resource and by a condition.

https://hl7.org/fhir/R4/http.html#patch
"""

from __future__ import annotations

from collections.abc import Callable

from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions.conditional import find_match
from fhir_bridge.interactions.conditions import wanted_version
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.patch.apply import Patches
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import Route
from fhir_bridge.interactions.write import retrying, write, write_reply
from fhir_bridge.store import Stored, Transaction

__all__ = ["patch", "patch_conditional"]


def patch(request: Request, route: Route, context: Context) -> Reply:
    """200 with the new version; all operations of the patch are applied or none."""
    return _patched(request, context, lambda where: where.read(route.resource_type, route.id, "u"))


def patch_conditional(request: Request, route: Route, context: Context) -> Reply:
    """Patch the one resource that the query finds (404 for none, 412 for several)."""

    def matched(where: Context) -> Stored:
        match = find_match(where, route.resource_type, request.query, "of the URL")
        if match is None:
            raise BridgeError("FB-4001", resource_type=route.resource_type, id="of the condition")
        return match

    return _patched(request, context, matched)


def _patched(request: Request, context: Context, find: Callable[[Context], Stored]) -> Reply:
    """Patch what `find` finds, if it is still the version that was patched."""
    wanted = wanted_version(request.headers)
    patches = Patches()

    def required(where: Context) -> Stored:
        stored = find(where)
        where.require_conditions(request.headers, stored.resource_type, stored.id)
        return stored

    def work(inside: Context, _opened: Transaction) -> Reply:
        stored = required(inside)
        version = stored.version if wanted is None else wanted
        inside.require_changeable(stored.resource_type, stored.id)
        with retrying(unless=wanted is not None):
            written = write(inside, patches.of(stored), if_match=version)
        inside.require_reach("u", stored.resource_type, stored.id)
        return write_reply(written, request.prefer.returns)

    return context.transact(work, before=lambda: patches.prepare(required(context), request))
