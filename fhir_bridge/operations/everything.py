"""Patient/$everything: the record of one patient.

https://hl7.org/fhir/R4/patient-operation-everything.html

The patient, every resource of the patient's compartment, and what these refer to
(practitioners, organizations, medications).  ``start`` and ``end`` limit the resources that
have a date of care, ``_since`` those that changed, ``_type`` the types.  Without ``_count``
all pages come in one Bundle, up to a bound; with it, page by page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import bundle, render_json
from fhir_bridge.operations.operation import Answer, Call, Operation, Parameter
from fhir_bridge.search import Plan, Search, parse_search, plan
from fhir_bridge.store import Page, Stored

__all__ = ["OPERATIONS"]

_MOST = 20_000
"""Resources in one Bundle; a larger record is answered page by page."""

_FOLLOWED = ("_include", "*")


def _everything(call: Call) -> Answer:
    patient = call.read("Patient", call.id)
    types, count, cursor = _types(call), call.text("_count"), call.text("_cursor")
    asked = _plan(call, types, count)
    seen: set[tuple[str, str]] = set()
    entries: list[dict[str, Any]] = []
    if not cursor and (not types or "Patient" in types) and _is_recent(patient, call):
        entries += _entries([patient], "match", seen, call.base_url)
    page = call.find(asked, cursor) if asked.types else Page()
    entries += _of_page(page, types, seen, call.base_url)
    while page.next and not count and len(entries) < _MOST:
        call.require_time()
        page = call.find(asked, page.next)
        entries += _of_page(page, types, seen, call.base_url)
    links = _links(call, page.next)
    return Answer(body=render_json(bundle.searchset(entries, links=links)))


def _types(call: Call) -> frozenset[str]:
    """The types that ``_type`` names; none: all."""
    named = frozenset(
        name.strip() for text in call.values("_type") for name in str(text).split(",") if name
    )
    unknown = sorted(named - call.definitions.resource_types)
    if unknown:
        raise BridgeError("FB-4025", name="_type", reason=f"there is no type {unknown[0][:64]}")
    return named


def _plan(call: Call, types: frozenset[str], count: str) -> Plan:
    """The search of the whole compartment as one plan over all its types."""
    registry = call.registry
    found: list[tuple[str, Any]] = []
    directives: Search | None = None
    size = count or str(call.max_page)
    for resource_type in sorted(call.definitions.resource_types):
        if (types and resource_type not in types) or not registry.compartment(resource_type):
            continue
        pairs = [*_limits(call, resource_type), ("_count", size), _FOLLOWED]
        search = parse_search(resource_type, pairs, registry)
        directives = directives or search
        found += search.types
    if directives is None:
        directives = parse_search("Patient", [("_count", size)], registry)
    most = min(directives.directives.count, call.max_page)
    whole = Search(tuple(found), replace(directives.directives, count=most))
    return plan(whole, registry, compartment=("Patient", call.id))


def _limits(call: Call, resource_type: str) -> Iterator[tuple[str, str]]:
    """Search parameters for ``_since``, ``start`` and ``end``."""
    since = call.text("_since")
    if since:
        yield "_lastUpdated", f"ge{since}"
    date = call.registry.main_date(resource_type)
    for name, prefix in (("start", "ge"), ("end", "le")):
        text = call.text(name)
        if text and date:
            yield date, f"{prefix}{text}"


def _is_recent(patient: Stored, call: Call) -> bool:
    """Whether the patient's own resource changed since ``_since``."""
    since = call.text("_since")
    if not since:
        return True
    pairs = [("_id", patient.id), ("_lastUpdated", f"ge{since}")]
    return bool(
        call.find(plan(parse_search("Patient", pairs, call.registry), call.registry)).matches
    )


def _of_page(
    page: Page, types: frozenset[str], seen: set[tuple[str, str]], base_url: str
) -> Iterator[dict[str, Any]]:
    yield from _entries(page.matches, "match", seen, base_url)
    if not types:
        yield from _entries(page.includes, "include", seen, base_url)


def _entries(
    found: list[Stored], mode: bundle.Mode, seen: set[tuple[str, str]], base_url: str
) -> Iterator[dict[str, Any]]:
    """Each resource once."""
    for stored in found:
        identity = (stored.resource_type, stored.id)
        if identity not in seen:
            seen.add(identity)
            full_url = f"{base_url}/{stored.resource_type}/{stored.id}"
            yield bundle.search_entry(full_url, bundle.embedded(stored.body), mode)


def _links(call: Call, following: str) -> dict[str, str]:
    address = f"{call.base_url}/Patient/{call.id}/$everything"
    asked = [(name, str(value)) for name, value in call.parameters if name != "_cursor"]
    links = {"self": f"{address}?{urlencode(asked)}" if asked else address}
    if following:
        links["next"] = f"{address}?{urlencode([*asked, ('_cursor', following)])}"
    return links


OPERATIONS = (
    Operation(
        "everything",
        "http://hl7.org/fhir/OperationDefinition/Patient-everything",
        frozenset({"instance"}),
        _everything,
        types=frozenset({"Patient"}),
        parameters=(
            Parameter("start", "date"),
            Parameter("end", "date"),
            Parameter("_since", "instant"),
            Parameter("_type", "code", max="*"),
            Parameter("_count", "integer"),
            Parameter("return", "Bundle", 1, use="out"),
        ),
    ),
)
