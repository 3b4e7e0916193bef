"""Bundles: the envelopes of searches, histories and transactions.

https://hl7.org/fhir/R4/bundle.html, https://hl7.org/fhir/R4/http.html

A body that is already stored as bytes goes in through `embedded` and is passed through
as it is, without being parsed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from fhir_bridge.fhir.json_format import Resource

__all__ = [
    "batch_response",
    "embedded",
    "history",
    "history_entry",
    "response_entry",
    "search_entry",
    "searchset",
    "transaction_response",
]

Entry = dict[str, Any]
Mode = Literal["match", "include", "outcome"]


def embedded(body: bytes) -> Any:
    """Rendered JSON as a value that `render_json` copies unchanged into its place."""
    return msgspec.Raw(body)


def search_entry(full_url: str, resource: Any, mode: Mode = "match", score: Any = None) -> Entry:
    """One hit; `resource` is a Resource or `embedded` bytes."""
    search: dict[str, Any] = {"mode": mode}
    if score is not None:
        search["score"] = score
    entry: Entry = {"fullUrl": full_url} if full_url else {}
    return {**entry, "resource": resource, "search": search}


def searchset(
    entries: Iterable[Entry], *, total: int | None = None, links: Mapping[str, str] | None = None
) -> Resource:
    """A page of a search; `links` by relation (self, first, next …)."""
    return _bundle("searchset", entries, total=total, links=links)


def history_entry(
    full_url: str,
    resource: Any,
    *,
    method: str,
    url: str,
    status: str,
    etag: str = "",
    last_modified: str = "",
) -> Entry:
    """One version; `resource` is None for a deletion."""
    entry: Entry = {"fullUrl": full_url}
    if resource is not None:
        entry["resource"] = resource
    entry["request"] = {"method": method, "url": url}
    entry["response"] = _response(status, "", etag, last_modified)
    return entry


def history(
    entries: Iterable[Entry], *, total: int | None = None, links: Mapping[str, str] | None = None
) -> Resource:
    """A page of a history, newest first as given."""
    return _bundle("history", entries, total=total, links=links)


def response_entry(
    status: str,
    *,
    location: str = "",
    etag: str = "",
    last_modified: str = "",
    resource: Any = None,
    outcome: Resource | None = None,
) -> Entry:
    """The answer to one request, for example ``status="201 Created"``."""
    response = _response(status, location, etag, last_modified)
    if outcome is not None:
        response["outcome"] = outcome
    entry: Entry = {} if resource is None else {"resource": resource}
    return {**entry, "response": response}


def transaction_response(entries: Iterable[Entry]) -> Resource:
    """The answers of a transaction in the order of its requests."""
    return _bundle("transaction-response", entries)


def batch_response(entries: Iterable[Entry]) -> Resource:
    """The answers of a batch in the order of its requests."""
    return _bundle("batch-response", entries)


def _bundle(
    kind: str,
    entries: Iterable[Entry],
    *,
    total: int | None = None,
    links: Mapping[str, str] | None = None,
) -> Resource:
    """A Bundle of `kind`; empty parts are left out, as FHIR JSON demands."""
    bundle: Resource = {"resourceType": "Bundle", "type": kind}
    if total is not None:
        bundle["total"] = total
    if links:
        bundle["link"] = [{"relation": name, "url": url} for name, url in links.items()]
    listed = list(entries)
    if listed:
        bundle["entry"] = listed
    return bundle


def _response(status: str, location: str, etag: str, last_modified: str) -> dict[str, Any]:
    parts = {"status": status, "location": location, "etag": etag, "lastModified": last_modified}
    return {name: value for name, value in parts.items() if value}
