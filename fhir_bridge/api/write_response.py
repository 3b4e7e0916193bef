"""A reply value to HTTP: format, headers, compression.

https://hl7.org/fhir/R4/http.html#general, https://hl7.org/fhir/R4/http.html#ops

JSON goes out as the stored bytes, untouched; XML and pretty printing are rendered from them.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from dataclasses import dataclass

from flask import Response

from fhir_bridge.api.media_types import Format, accepted_format
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import parse_json, render_json, render_xml
from fhir_bridge.interactions import Reply, Request, etag, http_date

__all__ = ["DEFAULT", "Wanted", "rendered", "wanted", "write_response"]

_DISPLAYED = frozenset(
    ["application/pdf", "image/gif", "image/jpeg", "image/png", "image/webp", "text/plain"]
)
"""Contents that a browser may show; any other one, which might be active, it saves."""

_MIN_COMPRESSED = 1400
"""Below the size of one network packet, compression gains nothing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the client wants the answer.  `native` says: a Binary as its own content."""

    format: Format
    pretty: bool = False
    native: bool = False


_ALWAYS = (
    ("Cache-Control", "private, no-cache"),
    ("Vary", "Accept, Accept-Encoding"),
    ("X-Content-Type-Options", "nosniff"),
)

DEFAULT = Wanted(accepted_format(""))


def wanted(request: Request, accept: str) -> Wanted:
    """What ``Accept``, ``_format`` and ``_pretty`` ask for (FB-4006 when it cannot be)."""
    asked = dict(request.query)
    pretty = asked.get("_pretty", "") == "true"
    try:
        return Wanted(accepted_format(accept, asked.get("_format", "")), pretty)
    except BridgeError:
        is_binary = request.path[:1] == ("Binary",) and len(request.path) in (2, 4)
        if is_binary and request.method in ("GET", "HEAD") and "_format" not in asked:
            return Wanted(accepted_format(""), pretty, native=True)
        raise


def write_response(
    reply: Reply, shape: Wanted, base_url: str, accept_encoding: str, request_id: str
) -> Response:
    """The HTTP response of `reply`; `request_id` is told as X-Request-Id."""
    content_type = reply.media or shape.format.content_type
    body = reply.body
    if shape.native and reply.status == 200:
        content_type, body = _native(body)
    elif body and not reply.media:
        body = rendered(body, shape)
    headers = [*_ALWAYS, ("X-Request-Id", request_id)]
    if shape.native and reply.status == 200:
        headers += _as_content(content_type)
    if reply.version:
        headers.append(("ETag", etag(reply.version)))
    if reply.last_modified:
        headers.append(("Last-Modified", http_date(reply.last_modified)))
    if reply.location:
        headers.append(("Location", f"{base_url}/{reply.location}"))
    if reply.content:
        headers.append(("Content-Location", f"{base_url}/{reply.content}"))
    if len(body) >= _MIN_COMPRESSED and _takes_gzip(accept_encoding):
        body = _gzip(body)
        headers.append(("Content-Encoding", "gzip"))
    headers += reply.headers.items()
    if body:
        return Response(body, reply.status, headers, content_type=content_type)
    response = Response(body, reply.status, headers)
    del response.headers["Content-Type"]
    return response


def rendered(body: bytes, shape: Wanted) -> bytes:
    """FHIR JSON in the format that is wanted."""
    if shape.format.is_xml:
        return render_xml(parse_json(body), pretty=shape.pretty)
    return render_json(parse_json(body), pretty=True) if shape.pretty else body


def _native(body: bytes) -> tuple[str, bytes]:
    """The content of a Binary (https://hl7.org/fhir/R4/binary.html#rest)."""
    binary = parse_json(body)
    try:
        data = base64.b64decode(binary.get("data", ""))
    except binascii.Error:
        data = b""
    # What a sender calls a page is not shown as one: it would run in our origin.
    content_type = str(binary.get("contentType", ""))
    is_plain = content_type.isascii() and content_type.isprintable() and "html" not in content_type
    return (content_type if is_plain else "application/octet-stream"), data


def _as_content(content_type: str) -> list[tuple[str, str]]:
    """What keeps a Binary from running in our origin when a browser opens it."""
    media = content_type.partition(";")[0].strip().lower()
    headers = [("Content-Security-Policy", "sandbox; default-src 'none'")]
    if media not in _DISPLAYED:
        headers.append(("Content-Disposition", "attachment"))
    return headers


def _takes_gzip(accept_encoding: str) -> bool:
    """Whether gzip is named and not with a quality of nothing (RFC 9110 §12.5.3)."""
    for part in accept_encoding.lower().split(",") if accept_encoding else ():
        coding, _, quality = part.partition(";")
        if coding.strip() in ("gzip", "x-gzip"):
            return not re.fullmatch(r"\s*q=0(\.0*)?\s*", quality)
    return False


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()
