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

from fhir_bridge.api.media_types import FHIR_JSON, FHIR_XML, FORM, content_media
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import parse_json, parse_json_value, parse_xml
from fhir_bridge.interactions import JSON_PATCH, XML_PATCH, Request, require_text

__all__ = ["read_request"]

_HEADERS = {
    f"HTTP_{name.upper().replace('-', '_')}": name
    for name in ("if-match", "if-none-match", "if-modified-since", "if-none-exist", "prefer")
}
_MAX_PAIRS = 1000


def read_request(http: HttpRequest, rest: str, max_bytes: int) -> Request:
    """The request below the base; `rest` is the decoded path after it.

    Raises BridgeError FB-4007 (media type), FB-4014 (too large), FB-4025 (query) and the
    errors of parsing.
    """
    path = tuple(segment for segment in rest.split("/") if segment)
    query = _pairs(http.query_string, "query")
    environ = http.environ
    headers = {name: environ[key] for key, name in _HEADERS.items() if key in environ}
    if http.method not in ("POST", "PUT", "PATCH"):
        return Request(http.method, path, query, headers)
    data = _data(http, max_bytes)
    media = content_media(http.content_type or "")
    if media == FORM:
        return Request(http.method, path, query + _pairs(data, "form"), headers, None, media)
    return Request(http.method, path, query, headers, _body(data, media, path), media)


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
    unpack = zlib.decompressobj(47 if "gzip" in encoding else 15)
    try:
        unpacked = unpack.decompress(data, limit + 1)
    except zlib.error:
        raise BridgeError("FB-4007", media="damaged gzip", allowed="gzip, deflate") from None
    if len(unpacked) > limit:
        raise BridgeError("FB-4014", limit=limit)
    return unpacked


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
