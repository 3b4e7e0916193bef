"""search: of a type, of a compartment, of everything; by GET and by POST.

https://hl7.org/fhir/R4/http.html#search, https://hl7.org/fhir/R4/search.html,
https://hl7.org/fhir/R4/http.html#vsearch (compartments)

The page is spliced from stored bytes; a body is parsed only when ``_summary`` or
``_elements`` asks for a part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import bundle, operation_outcome, render_json
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.replaced import may_miss, with_survivors
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import FORM, Request
from fhir_bridge.interactions.routes import ID, Route
from fhir_bridge.interactions.subset import Subset, parse_subset
from fhir_bridge.search import Plan, Search, parse_search, plan
from fhir_bridge.store import Page, Stored

__all__ = ["search"]

_CURSOR = "_cursor"
_NOT_SEARCH = frozenset({"_format", "_pretty", _CURSOR})


def search(request: Request, route: Route, context: Context) -> Reply:
    """A searchset Bundle: one page with links to itself and the next."""
    if request.body is not None:  # a search that is not a form would be taken for none
        raise BridgeError("FB-4007", media=request.media[:120], allowed=FORM)
    pairs = [pair for pair in request.query if pair[0] not in _NOT_SEARCH]
    cursor = dict(request.query).get(_CURSOR, "")
    lenient = request.prefer.lenient
    parsed, page = _search_page(route, pairs, lenient, cursor, context)
    if not cursor and (not page.matches or may_miss(route, pairs, context)):
        followed = with_survivors(route, pairs, context)
        if followed is not None:
            route = followed[0]
            parsed, page = _search_page(*followed, lenient, cursor, context)
    subset = parse_subset(
        parsed.directives.summary, ",".join(parsed.directives.elements), route.resource_type
    )
    entries = list(_entries(page, subset, context.base_url))
    issues = [*parsed.ignored, *page.issues]
    if issues:
        outcome = operation_outcome(issues)
        entries.append(bundle.search_entry("", outcome, "outcome"))
    place = "/".join(part for part in (route.compartment, route.id, route.resource_type) if part)
    links = _links(f"{context.base_url}/{place}".rstrip("/"), parsed.accepted, cursor, page.next)
    total = page.total
    if total is None and not cursor and not page.next:
        total = len(page.matches)  # the first page is the last: nothing needs counting
    return Reply(200, render_json(bundle.searchset(entries, total=total, links=links)))


def _search_page(
    route: Route, pairs: Sequence[tuple[str, str]], lenient: bool, cursor: str, context: Context
) -> tuple[Search, Page]:
    """The checked search, and one page of it."""
    parsed = _parse(route, pairs, lenient, context)
    compartment = (route.compartment, route.id) if route.compartment else None
    planned = plan(parsed, context.registry, compartment=compartment)
    return parsed, context.find(_narrowed(planned, route, context), cursor)


def _narrowed(planned: Plan, route: Route, context: Context) -> Plan:
    """Of a whole compartment, the types that it holds: few of seventy."""
    if route.compartment != "Patient" or len(planned.types) < 2 or context.transaction is not None:
        return planned
    held = context.store.types_in_compartment(route.id)
    return replace(planned, types=tuple(each for each in planned.types if each[0] in held))


def _parse(
    route: Route, pairs: Sequence[tuple[str, str]], lenient: bool, context: Context
) -> Search:
    """The checked search, its page no larger than the settings allow."""
    if route.compartment:
        if route.compartment not in context.definitions.compartments:
            raise BridgeError("FB-4005", place=f"{route.compartment}/{route.id}/…")
        if not ID.fullmatch(route.id):
            raise BridgeError("FB-4026", id=route.id[:80])
    named = route.resource_type not in ("", "*")
    parsed = parse_search(
        route.resource_type if named else None, pairs, context.registry, lenient=lenient
    )
    directives = replace(
        parsed.directives, count=min(parsed.directives.count, context.settings.max_page)
    )
    if directives.count == 0 or directives.summary == "count":
        directives = replace(directives, count=0, total="accurate")
    return replace(parsed, directives=directives)


def _entries(page: Page, subset: Subset | None, base_url: str) -> Iterator[dict[str, Any]]:
    for stored in page.matches:
        yield _entry(stored, "match", subset, base_url)
    for stored in page.includes:
        yield _entry(stored, "include", subset, base_url)


def _entry(
    stored: Stored, mode: bundle.Mode, subset: Subset | None, base_url: str
) -> dict[str, Any]:
    body = subset.apply(stored.body) if subset else stored.body
    full_url = f"{base_url}/{stored.resource_type}/{stored.id}"
    return bundle.search_entry(full_url, bundle.embedded(body), mode)


def _links(
    address: str, accepted: Sequence[tuple[str, str]], cursor: str, following: str
) -> dict[str, str]:
    """``self`` says what was really searched; ``next`` carries the place to go on."""

    def link(token: str) -> str:
        query = urlencode([*accepted, *([(_CURSOR, token)] if token else [])])
        return f"{address}?{query}" if query else address

    links = {"self": link(cursor)}
    if cursor:
        links["first"] = link("")
    if following:
        links["next"] = link(following)
    return links
