"""history: of a resource, of a type, of everything; newest first.

https://hl7.org/fhir/R4/http.html#history
"""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import Any
from urllib.parse import urlencode

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import bundle, render_json
from fhir_bridge.interactions.conditions import etag
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import ID, Route
from fhir_bridge.interactions.subset import Subset, parse_subset
from fhir_bridge.search import interval
from fhir_bridge.store import Stored

__all__ = ["history"]

_PARAMETERS = ("_since", "_at", "_count", "_summary", "_elements", "_format", "_pretty", "_cursor")
_REPEATED = frozenset(_PARAMETERS) - {"_format", "_pretty", "_cursor"}
"""Parameters that links repeat."""

_DEFAULT_COUNT = 50
_TICKS = 10_000
"""Of 100 nanoseconds in a millisecond."""
_OF_THIS_SERVER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
"""The form of the ids that a create is given (RFC 9562 §5.4)."""


def history(request: Request, route: Route, context: Context) -> Reply:
    """A history Bundle, a deletion being an entry without a resource.

    ``_since`` and ``_at`` take an instant or a partial date; ``_count`` limits the page; ``_summary`` and
    ``_elements`` ask for parts of the resources.
    """
    parameters = dict(request.query)
    for name in parameters:
        if name not in _PARAMETERS:
            reason = f"a history takes {', '.join(_PARAMETERS)}"
            raise BridgeError("FB-4025", name=name[:80], reason=reason)
    count = _count(parameters.get("_count", ""), context.settings.max_page)
    subset = parse_subset(
        parameters.get("_summary", ""), parameters.get("_elements", ""), route.resource_type
    )
    if subset is not None and subset.is_count:
        count = 0
    if route.id and not ID.fullmatch(route.id):
        raise BridgeError("FB-4001", resource_type=route.resource_type, id=route.id[:64])
    zone = context.registry.zone
    since, at = parameters.get("_since"), parameters.get("_at")
    page = context.store.history(
        route.resource_type or None,
        route.id or None,
        since=_milliseconds("_since", since, zone)[0] if since else None,
        at=_milliseconds("_at", at, zone) if at else None,
        count=count,
        cursor=parameters.get("_cursor", ""),
        access=context.access,
    )
    is_whole = count > 0 and not set(parameters) & {"_since", "_at", "_cursor", "_count"}
    if route.id and not page.matches and is_whole:
        raise BridgeError("FB-4001", resource_type=route.resource_type, id=route.id)
    entries = [_entry(stored, context.base_url, subset) for stored in page.matches]
    place = "/".join(part for part in (route.resource_type, route.id, "_history") if part)
    links = _links(f"{context.base_url}/{place}", request, page.next)
    return Reply(200, render_json(bundle.history(entries, total=page.total, links=links)))


def _milliseconds(name: str, text: str, zone: tzinfo) -> tuple[int, int]:
    """First and last millisecond since 1970 of the time that `text` names, without a zone in `zone`."""
    ticks = interval(text.strip(), zone)
    if ticks is None:
        reason = "it is a date or an instant such as 2026-01-31T08:00:00+08:00"
        raise BridgeError("FB-4025", name=name, reason=reason)
    return ticks[0] // _TICKS, ticks[1] // _TICKS


def _count(text: str, most: int) -> int:
    if not text:
        return min(_DEFAULT_COUNT, most)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BridgeError("FB-4025", name="_count", reason="it is a whole number")
    return min(int(text), most)


def _entry(stored: Stored, base_url: str, subset: Subset | None) -> dict[str, Any]:
    """One version with the request that made it.

    The record does not keep the request: a first version says POST under an id of the form
    that this server gives, and PUT under any other, which a client must have chosen.
    """
    place = f"{stored.resource_type}/{stored.id}"
    if stored.deleted:
        method, url, status = "DELETE", place, "204 No Content"
    elif stored.version == 1 and _OF_THIS_SERVER.fullmatch(stored.id):
        method, url, status = "POST", stored.resource_type, "201 Created"
    elif stored.version == 1:
        method, url, status = "PUT", place, "201 Created"
    else:
        method, url, status = "PUT", place, "200 OK"
    body = stored.body if subset is None or stored.deleted else subset.apply(stored.body)
    return bundle.history_entry(
        f"{base_url}/{place}",
        None if stored.deleted else bundle.embedded(body),
        method=method,
        url=url,
        status=status,
        etag=etag(stored.version),
        last_modified=stored.last_updated,
    )


def _links(address: str, request: Request, following: str) -> dict[str, str]:
    parameters = [pair for pair in request.query if pair[0] in _REPEATED]
    links = {"self": f"{address}?{urlencode(parameters)}" if parameters else address}
    if following:
        links["next"] = f"{address}?{urlencode([*parameters, ('_cursor', following)])}"
    return links
