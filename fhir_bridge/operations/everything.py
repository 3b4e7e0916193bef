"""Patient/$everything: the record of one patient.

https://hl7.org/fhir/R4/patient-operation-everything.html

The patient, every resource of the patient's compartment, and what these refer to:
practitioners, organizations, medications, and attachments that are Binary resources.
``start`` and ``end`` limit the resources that have a date of care, ``_since`` those that
changed, ``_type`` the types, what is referred to among them.  Without ``_count`` all pages
come in one Bundle, up to a bound; with it, page by page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import bundle, render_json
from fhir_bridge.identity import living
from fhir_bridge.operations.operation import Answer, Call, Operation, Parameter
from fhir_bridge.search import Plan, Search, parse_search, plan
from fhir_bridge.store import Page, Stored

__all__ = ["OPERATIONS"]

_MAX_ENTRIES = 20_000
"""Resources in one Bundle; a larger record is answered page by page."""

_FOLLOWED = ("_include", "*")
_ATTACHED = re.compile(rb'"url" ?: ?"(?:([^"]{1,200})/)?Binary/([A-Za-z0-9\-.]{1,64})["/]')
_BATCH = 200
_BESIDE = frozenset({"AuditEvent"})
"""Who looked at the record is not of the record: it comes when ``_type`` asks for it."""


def _everything(call: Call) -> Answer:
    call.read("Patient", call.id)
    types, count, cursor = _types(call), call.text("_count"), call.text("_cursor")
    found = _Entries(call, types)
    if not cursor:
        found.add(_own(call, types))
    # Of a Patient that became part of another, the record is the other's.
    person = living(call.transaction or call.store, call.id)
    asked = _plan(replace(call, id=person), types, count)
    page = call.find(asked, cursor) if asked.types else Page()
    found.add(page)
    while page.next and not count and len(found.entries) < _MAX_ENTRIES:
        call.require_time()
        page = call.find(asked, page.next)
        found.add(page)
    total = found.matches if not cursor and not page.next else None
    links = _links(call, page.next)
    return Answer(body=render_json(bundle.searchset(found.entries, total=total, links=links)))


class _Entries:
    """The entries of the answer, each resource once."""

    def __init__(self, call: Call, types: frozenset[str]) -> None:
        self.entries: list[dict[str, Any]] = []
        self.matches = 0
        self._call = call
        self._types = types
        self._seen: set[tuple[str, str]] = set()

    def add(self, page: Page) -> None:
        """A page's matches, then what they refer to, of the types that are asked for."""
        before = len(self.entries)
        self._add(page.matches, "match")
        self.matches += len(self.entries) - before
        self._add(page.includes, "include")
        self._add(_attached(self._call, page.matches), "include")

    def _add(self, resources: Sequence[Stored], mode: bundle.Mode) -> None:
        for stored in resources:
            identity = (stored.resource_type, stored.id)
            is_wanted = not self._types or stored.resource_type in self._types
            if is_wanted and identity not in self._seen:
                self._seen.add(identity)
                full_url = f"{self._call.base_url}/{'/'.join(identity)}"
                body = bundle.embedded(stored.body)
                self.entries.append(bundle.search_entry(full_url, body, mode))


def _types(call: Call) -> frozenset[str]:
    """The types that ``_type`` names; none: all."""
    named = frozenset(
        name.strip() for text in call.values("_type") for name in str(text).split(",") if name
    )
    unknown = sorted(named - call.definitions.resource_types)
    if unknown:
        raise BridgeError("FB-4025", name="_type", reason=f"there is no type {unknown[0][:64]}")
    return named


def _own(call: Call, types: frozenset[str]) -> Page:
    """The patient, unless unchanged since ``_since``, and what the patient refers to."""
    if _is_within(call, types) and "Patient" not in types:
        return Page()
    pairs = [("_id", call.id), _FOLLOWED, *_limits(call, "Patient")]
    return call.find(plan(parse_search("Patient", pairs, call.registry), call.registry))


def _plan(call: Call, types: frozenset[str], count: str) -> Plan:
    """The search of the compartment: one plan over the types of which it holds any.

    What it is known by follows from the call alone, so that a link stays good when a
    resource of another type comes in between.
    """
    registry = call.registry
    size = ("_count", count or str(call.max_page))
    # The limits are checked here also where the compartment holds nothing.
    for resource_type in ("Patient", "Observation"):
        parse_search(resource_type, _limits(call, resource_type), registry)
    found: list[tuple[str, Any]] = []
    for resource_type in _searched(call, types):
        found += parse_search(resource_type, _limits(call, resource_type), registry).types
    directives = parse_search("Patient", [size, _FOLLOWED], registry).directives
    whole = Search(tuple(found), replace(directives, count=min(directives.count, call.max_page)))
    limits = [call.id, sorted(types), *map(call.text, ("_since", "start", "end"))]
    known_by = blake2b(repr(("$everything", limits)).encode(), digest_size=12).hexdigest()
    return replace(plan(whole, registry, compartment=("Patient", call.id)), fingerprint=known_by)


def _searched(call: Call, types: frozenset[str]) -> list[str]:
    """The types to look through: all that there are when one outside is asked for.

    A Practitioner is found by what refers to it.
    """
    if call.transaction is None:
        held = call.store.types_in_compartment(call.id)
    else:  # what the transaction wrote so far is seen by itself alone
        known = call.definitions.resource_types
        held = frozenset(each for each in known if call.registry.compartment(each))
    return sorted(held & types if _is_within(call, types) else held - _BESIDE)


def _is_within(call: Call, types: frozenset[str]) -> bool:
    """Whether types are named, and each can be in the compartment itself."""
    return bool(types) and all(call.registry.compartment(each) for each in types)


def _limits(call: Call, resource_type: str) -> list[tuple[str, str]]:
    """Search parameters for ``_since``, ``start`` and ``end``."""
    found = []
    since = call.text("_since")
    if since:
        found.append(("_lastUpdated", f"ge{since}"))
    date = call.registry.main_date(resource_type)
    for name, prefix in (("start", "ge"), ("end", "le")):
        text = call.text(name)
        if text and date:
            found.append((date, f"{prefix}{text}"))
    return found


def _attached(call: Call, resources: Sequence[Stored]) -> list[Stored]:
    """The Binary resources of this server that attachments of `resources` lead to."""
    wanted = {
        link[2].decode()
        for stored in resources
        if b"Binary/" in stored.body
        for link in _ATTACHED.finditer(stored.body)
        if link[1] in (None, call.base_url.encode())
    }
    found: list[Stored] = []
    listed = sorted(wanted)
    for first in range(0, len(listed), _BATCH):
        some = listed[first : first + _BATCH]
        pairs = [("_id", ",".join(some)), ("_count", str(len(some)))]
        found += call.find(
            plan(parse_search("Binary", pairs, call.registry), call.registry)
        ).matches
    return found


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
