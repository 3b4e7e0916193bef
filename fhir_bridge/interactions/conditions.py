"""Headers that make a request conditional: If-Match, If-None-Match, If-Modified-Since.

https://hl7.org/fhir/R4/http.html#concurrency, https://hl7.org/fhir/R4/http.html#cread,
https://www.rfc-editor.org/rfc/rfc9110#section-13
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from fhir_bridge.errors import BridgeError
from fhir_bridge.store import Stored

__all__ = ["etag", "http_date", "is_unchanged", "must_be_new", "require_holding", "wanted_version"]

_ENTITY_TAG = re.compile(r'(?:W/)?"[^",\s]*"')
_TAG = re.compile(r'(?:W/)?"?([0-9]{1,18})"?')


def etag(version: int) -> str:
    """The weak entity tag of a version: ``W/"3"``."""
    return f'W/"{version}"'


def http_date(instant: str) -> str:
    """A FHIR instant as an HTTP date.

    >>> http_date("2026-01-02T03:04:05.678Z")
    'Fri, 02 Jan 2026 03:04:05 GMT'
    """
    return format_datetime(datetime.fromisoformat(instant).astimezone(UTC), usegmt=True)


def wanted_version(headers: Mapping[str, str]) -> int | None:
    """The version that ``If-Match`` asks for; None without the header.

    A tag that names no version of ours can match nothing: it answers -1.  Raises
    BridgeError FB-4024 for what is no entity tag, and for a list of them.
    """
    text = headers.get("if-match", "").strip()
    if not text or text == "*":
        return None
    match = _TAG.fullmatch(text)
    if match:
        return int(match.group(1))
    if not _ENTITY_TAG.fullmatch(text):
        raise BridgeError("FB-4024", header="If-Match")
    return -1


def is_unchanged(headers: Mapping[str, str], version: int, last_updated: str) -> bool:
    """Whether a conditional read finds that the client already has this version.

    ``If-None-Match`` wins over ``If-Modified-Since`` (RFC 9110 §13.2.2); a date that cannot
    be read is ignored (§13.1.3).
    """
    if headers.get("if-none-match", "").strip():
        return _matches_tag(headers, version)
    date = headers.get("if-modified-since", "").strip()
    if not date:
        return False
    try:
        since = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return False
    if since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    return datetime.fromisoformat(last_updated).replace(microsecond=0) <= since


def must_be_new(headers: Mapping[str, str]) -> bool:
    """Whether ``If-None-Match: *`` asks that a change creates (RFC 9110 §13.1.2)."""
    return headers.get("if-none-match", "").strip() == "*"


def require_holding(headers: Mapping[str, str], place: str, present: Stored | None) -> None:
    """Refuse a change of `place` whose conditions the `present` version does not meet (FB-4031).

    ``If-Match`` needs something that is there, ``If-None-Match`` must not name it; that it
    still is the version which ``If-Match`` names is seen when it is written.
    """
    is_there = present is not None and not present.deleted
    if headers.get("if-match", "").strip() and not is_there:
        raise BridgeError("FB-4031", header="If-Match", place=place)
    if present is not None and is_there and _matches_tag(headers, present.version):
        raise BridgeError("FB-4031", header="If-None-Match", place=place)


def _matches_tag(headers: Mapping[str, str], version: int) -> bool:
    """Whether ``If-None-Match`` names the version, or any."""
    tags = headers.get("if-none-match", "").strip()
    found = (_TAG.fullmatch(tag.strip()) for tag in tags.split(","))
    return tags == "*" or any(match and int(match.group(1)) == version for match in found)
