"""HTTP to a request value.

https://hl7.org/fhir/R4/http.html#general, https://www.rfc-editor.org/rfc/rfc9110

Promises: never more than the limit is held in memory, packed or unpacked; a body is parsed
once, as what its media type says.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any
from urllib.parse import parse_qsl

from flask import Request as HttpRequest
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from fhir_bridge.api.media_types import FHIR_JSON, FHIR_XML, content_media
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import parse_json, parse_json_value, parse_xml
from fhir_bridge.interactions import FORM, JSON_PATCH, XML_PATCH, Request, require_text

__all__ = ["read_request", "segments"]

_HEADERS = {
    f"HTTP_{name.upper().replace('-', '_')}": name
    for name in ("if-match", "if-none-match", "if-modified-since", "if-none-exist", "prefer")
}
_PATCHES = (JSON_PATCH, XML_PATCH, FHIR_JSON, FHIR_XML)
_MAX_PAIRS = 1000
_MAX_MEMBERS = 10_000
_FIRST_PIECE, _MAX_PIECE = 512, 1 << 16


def read_request(http: HttpRequest, rest: str, max_bytes: int) -> Request:
    """The request below the base; `rest` is the decoded path after it.

    Raises BridgeError FB-4007 (media type), FB-4014 (too large), FB-4025 (query) and the
    errors of parsing.
    """
    path = segments(rest)
    query = _pairs(http.query_string, "query")
    environ = http.environ
    headers = {name: environ[key] for key, name in _HEADERS.items() if key in environ}
    if http.method not in ("POST", "PUT", "PATCH"):
        return Request(http.method, path, query, headers)
    data = _data(http, max_bytes)
    media = content_media(http.content_type or "")
    if media == FORM:
        return Request(http.method, path, query + _pairs(data, "form"), headers, None, media)
    body = _patch(data, media) if http.method == "PATCH" else _body(data, media, path)
    return Request(http.method, path, query, headers, body, media)


def segments(rest: str) -> tuple[str, ...]:
    """The parts of a path; a slash at its end adds none."""
    return tuple(segment for segment in rest.split("/") if segment)


def _body(data: bytes, media: str, path: tuple[str, ...]) -> Any:
    if not data.strip():
        return None
    if media == FHIR_JSON:
        return parse_json(data)
    if media == FHIR_XML:
        return parse_xml(data)
    if media == JSON_PATCH:
        return parse_json_value(data)
    if media == XML_PATCH:
        return data
    if path[:1] == ("Binary",):
        # https://hl7.org/fhir/R4/binary.html#rest: any other content is the Binary itself.
        return {
            "resourceType": "Binary",
            **({"id": path[1]} if len(path) > 1 else {}),
            "contentType": media,
            "data": base64.b64encode(data).decode("ascii"),
        }
    # A body without a media type is not guessed at: a page of the web can send one here.
    raise BridgeError("FB-4007", media=media[:120] or "(none)", allowed=f"{FHIR_JSON}, {FHIR_XML}")


def _patch(data: bytes, media: str) -> Any:
    """What a PATCH holds, read as its media type says (FB-4007 for one of no patch language)."""
    if media not in _PATCHES:
        raise BridgeError("FB-4007", media=media[:120] or "(none)", allowed=", ".join(_PATCHES))
    if not data.strip():
        return None
    if media == XML_PATCH:
        return data
    return parse_xml(data) if media == FHIR_XML else parse_json_value(data)


def _data(http: HttpRequest, limit: int) -> bytes:
    http.max_content_length = limit
    try:
        data = http.get_data(cache=False)
    except RequestEntityTooLarge:
        raise BridgeError("FB-4014", limit=limit) from None
    except ClientDisconnected:
        raise BridgeError("FB-4013", expected="all of it; the connection ended early") from None
    encoding = http.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        return data
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise BridgeError("FB-4007", media=f"encoding {encoding}"[:120], allowed="gzip, deflate")
    try:
        return _unpacked(data, 31 if "gzip" in encoding else _deflate_bits(data), limit)
    except zlib.error:
        raise BridgeError("FB-4007", media=f"damaged {encoding}", allowed="gzip, deflate") from None


def _unpacked(data: bytes, bits: int, limit: int) -> bytes:
    """All members of a packed body (RFC 1952 §2.2); zlib.error when it is damaged or cut off.

    The cost is linear: what follows a member is copied in pieces, small ones after its start.
    """
    pieces: list[bytes] = []
    size = place = members = 0
    while place < len(data):
        members += 1
        if members > _MAX_MEMBERS:
            media = f"gzip of more than {_MAX_MEMBERS} members"
            raise BridgeError("FB-4007", media=media, allowed="gzip, deflate")
        unpack, step = zlib.decompressobj(bits), _FIRST_PIECE
        while not unpack.eof:
            piece = data[place : place + step]
            if not piece:
                raise zlib.error("the end is missing")
            place += len(piece)
            while piece and not unpack.eof:
                pieces.append(unpack.decompress(piece, limit + 1 - size))
                size += len(pieces[-1])
                if size > limit:
                    raise BridgeError("FB-4014", limit=limit)
                piece = unpack.unconsumed_tail
            step = min(step * 2, _MAX_PIECE)
        place -= len(unpack.unused_data)
    return b"".join(pieces)


def _deflate_bits(data: bytes) -> int:
    """With the header of zlib, as RFC 9110 §8.4.1.2 asks, or without it as some clients send."""
    has_header = len(data) > 1 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    return 15 if has_header else -15


def _pairs(text: bytes, place: str) -> tuple[tuple[str, str], ...]:
    """The pairs of a query string or form, in their order."""
    if not text:
        return ()
    try:
        return require_text(
            parse_qsl(
                text.decode("utf-8"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MAX_PAIRS,
            )
        )
    except UnicodeDecodeError:
        raise BridgeError("FB-4025", name=place, reason="it is not UTF-8") from None
    except ValueError:
        reason = f"it has more than {_MAX_PAIRS} parameters"
        raise BridgeError("FB-4025", name=place, reason=reason) from None
