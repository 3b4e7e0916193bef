"""The answer of an interaction as a value, before any media type is chosen.

https://hl7.org/fhir/R4/http.html#ops
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource, operation_outcome, render_json
from fhir_bridge.store import Stored

__all__ = ["Reply", "done", "of_resource", "of_stored", "unchanged"]


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, FHIR JSON and the facts behind the headers.

    `body` is FHIR JSON exactly as it is served (empty: no body).  `version` becomes the
    ETag, `last_modified` (a FHIR instant) the Last-Modified header.  `location` is
    relative to the base.  `outcome` is an OperationOutcome in JSON that speaks about the
    request, for ``response.outcome`` of a Bundle entry.  `media` and `headers` are for the
    few answers that are not FHIR.  `content` is where the version that is answered stays,
    relative to the base.
    """

    status: int
    body: bytes = b""
    version: int = 0
    last_modified: str = ""
    location: str = ""
    outcome: bytes = b""
    media: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content: str = ""


def of_resource(resource: Resource, status: int = 200) -> Reply:
    """A reply that carries `resource`, which has no version of its own."""
    return Reply(status, render_json(resource))


def of_stored(stored: Stored, status: int = 200) -> Reply:
    """A reply that carries the stored bytes as they are."""
    place = f"{stored.resource_type}/{stored.id}/_history/{stored.version}"
    return Reply(status, stored.body, stored.version, stored.last_updated, content=place)


def unchanged(stored: Stored) -> Reply:
    """304: the client has this version."""
    return replace(of_stored(stored, 304), body=b"")


def done(what: str) -> bytes:
    """An OperationOutcome that says what was done."""
    return render_json(operation_outcome([Issue("FB-4030", "information", details={"what": what})]))
