"""One entry of a batch or transaction as a request, and its answer as an entry.

https://hl7.org/fhir/R4/bundle.html, https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, bundle, parse_json, parse_json_value
from fhir_bridge.interactions.conditions import etag
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.failure import failure
from fhir_bridge.interactions.interaction import Interaction
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import JSON_PATCH, XML_PATCH, Request, split_url
from fhir_bridge.interactions.routes import Route, route

__all__ = ["Entry", "answer", "bundle_entries", "located", "perform_entry", "read_entry"]

_FHIR = "application/fhir+json"
_HEADERS = {
    "ifMatch": "if-match",
    "ifNoneMatch": "if-none-match",
    "ifModifiedSince": "if-modified-since",
    "ifNoneExist": "if-none-exist",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that can be carried out: its place in the Bundle, address, request, route."""

    position: int
    full_url: str
    request: Request
    route: Route

    @property
    def where(self) -> str:
        """The entry as FHIRPath, for issues."""
        return f"Bundle.entry[{self.position}]"

    def holding(self, resource: Resource) -> Entry:
        """The same entry with another resource in it."""
        return replace(self, request=replace(self.request, body=resource))


def bundle_entries(received: Resource, context: Context) -> list[Any]:
    """The raw entries.  Raises BridgeError FB-4015 beyond the limit of the settings."""
    entries = received.get("entry", [])
    if not isinstance(entries, list):
        raise BridgeError("FB-4016", "Bundle.entry", reason="entry is a list")
    limit = context.settings.max_bundle_entries
    if len(entries) > limit:
        raise BridgeError("FB-4015", count=len(entries), limit=limit)
    return entries


def read_entry(position: int, raw: Any, parent: Request, context: Context) -> Entry:
    """The entry at `position` as a request to this server.

    Raises BridgeError FB-4016 when it says no request, and the errors of `route`.
    """
    where = f"Bundle.entry[{position}]"
    told = raw.get("request") if isinstance(raw, dict) else None
    if not isinstance(told, dict):
        reason = "request is missing; each entry says what is to be done with it"
        raise BridgeError("FB-4016", where, reason=f"{reason}, such as {_example(raw)}")
    method, url = told.get("method"), told.get("url")
    if not isinstance(method, str) or not isinstance(url, str):
        name, value = ("url", url) if isinstance(method, str) else ("method", method)
        reason = f"request.{name} is {'missing' if value is None else 'no text'}"
        raise BridgeError("FB-4016", where, reason=f"{reason}; say for instance {_example(raw)}")
    url = url.removeprefix(f"{context.base_url}/").removeprefix("/")
    path, query = split_url(url)
    headers = {
        header: str(told[name]) for name, header in _HEADERS.items() if told.get(name) is not None
    }
    if "prefer" in parent.headers:
        headers["prefer"] = parent.headers["prefer"]
    body, media = _body(raw, method, where)
    found = route(method, path, context.definitions.resource_types)
    full_url = raw.get("fullUrl")
    return Entry(
        position,
        full_url if isinstance(full_url, str) else "",
        Request(method, path, query, headers, body, media),
        found,
    )


def _example(raw: Any) -> str:
    """What an entry that holds this resource may ask for."""
    resource = raw.get("resource") if isinstance(raw, dict) else None
    told = resource if isinstance(resource, dict) else {}
    named, id_ = str(told.get("resourceType", "Patient"))[:64], str(told.get("id", ""))[:64]
    create = f'{{"method": "POST", "url": "{named}"}}'
    return f'{{"method": "PUT", "url": "{named}/{id_}"}} or {create}' if id_ else create


def perform_entry(entry: Entry, context: Context, perform: Interaction) -> Reply:
    """The answer of an entry that is carried out by itself; of a HEAD it has no body."""
    reply = perform(entry.request, entry.route, context)
    return replace(reply, body=b"") if entry.request.method == "HEAD" else reply


def _body(raw: dict[str, Any], method: str, where: str) -> tuple[Any, str]:
    """The resource of an entry; a JSON or XML Patch travels inside a Binary."""
    resource = raw.get("resource")
    if (
        method == "PATCH"
        and isinstance(resource, dict)
        and resource.get("resourceType") == "Binary"
    ):
        try:
            data = base64.b64decode(str(resource.get("data", "")), validate=True)
        except binascii.Error:
            raise BridgeError("FB-4016", where, reason="data is not base64") from None
        return _patch(data, str(resource.get("contentType", JSON_PATCH)), where)
    return resource, _FHIR


def _patch(data: bytes, content_type: str, where: str) -> tuple[Any, str]:
    media = content_type.partition(";")[0].strip().lower()
    if media in (JSON_PATCH, "application/json"):
        return parse_json_value(data), JSON_PATCH
    if media == XML_PATCH:
        return data, XML_PATCH
    if media == _FHIR:
        return parse_json(data), _FHIR
    allowed = f"{JSON_PATCH}, {XML_PATCH}, {_FHIR}"
    raise BridgeError("FB-4007", where, media=content_type[:120], allowed=allowed)


def answer(reply: Reply, context: Context) -> dict[str, Any]:
    """`reply` as an entry of the response Bundle."""
    phrase = HTTPStatus(reply.status).phrase
    speaks = reply.status >= 400 or reply.body == reply.outcome
    return bundle.response_entry(
        f"{reply.status} {phrase}",
        location=f"{context.base_url}/{reply.location}" if reply.location else "",
        etag=etag(reply.version) if reply.version else "",
        last_modified=reply.last_modified,
        resource=bundle.embedded(reply.body) if reply.body and not speaks else None,
        outcome=bundle.embedded(reply.outcome) if reply.outcome else None,
    )


def located(error: BridgeError, where: str) -> BridgeError:
    """`error` with its places seen from the Bundle.

    ``Patient.name`` in entry 2 becomes ``Bundle.entry[2].resource.name``.
    """
    return failure(
        [replace(issue, where=_from_bundle(issue.where, where)) for issue in error.issues]
    )


def _from_bundle(place: str, where: str) -> str:
    match = _IN_RESOURCE.match(place)
    if place.startswith(where) or match is None:
        return where if match is None else place
    return f"{where}.resource{place[match.end() :]}"


_IN_RESOURCE = re.compile(r"[A-Z][A-Za-z]+(?=\.|$)")
