"""Rows that come as JSON: an array of objects, a page that holds one, or one per line.

The last is JSON Lines (https://jsonlines.org).  Number text is kept (``1.10`` stays
``1.10``); an array of objects inside a row stays rows under its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from fhir_bridge.errors import BridgeError
from fhir_bridge.tables.delimited import MAX_CELL

__all__ = ["MAX_BYTES", "json_records"]

MAX_BYTES = 64 * 1024 * 1024
_UNDER = ("rows", "data", "records", "list", "items", "result")


def json_records(data: bytes) -> Iterator[dict[str, Any]]:
    """The objects of `data` in order.

    Raises BridgeError FB-1003 (too large), FB-1304 (a text that is too long for a cell) or
    FB-1305 (not JSON rows; names the line).
    """
    for number, record in enumerate(_records(data), 1):
        _bound(record, number)
        yield record


def _bound(value: Any, number: int) -> None:
    if isinstance(value, str):
        if len(value) > MAX_CELL:
            raise BridgeError("FB-1304", f"row {number}", limit=MAX_CELL)
    elif isinstance(value, dict):
        for inner in value.values():
            _bound(inner, number)
    elif isinstance(value, list):
        for inner in value:
            _bound(inner, number)


def _records(data: bytes) -> Iterator[dict[str, Any]]:
    if len(data) > MAX_BYTES:
        raise BridgeError("FB-1003", limit=MAX_BYTES)
    text = data.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        document = _decode(text)
    except msgspec.DecodeError as error:
        if text.startswith(b"{") and b"\n" in text:
            yield from _lines(text)
            return
        raise BridgeError("FB-1305", reason=_reason(error)) from None
    yield from _objects(document)


def _objects(document: Any) -> Iterator[dict[str, Any]]:
    rows = document
    while isinstance(rows, dict):
        inner = next(
            (rows[name] for name in _UNDER if isinstance(rows.get(name), list | dict)), None
        )
        if inner is None:
            yield rows
            return
        rows = inner
    if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
        raise BridgeError("FB-1305", reason="the JSON text holds no array of objects")
    yield from rows


def _lines(text: bytes) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = _decode(line)
        except msgspec.DecodeError as error:
            raise BridgeError("FB-1305", f"line {number}", reason=_reason(error)) from None
        if not isinstance(row, dict):
            raise BridgeError("FB-1305", f"line {number}", reason="the line holds no object")
        yield row


def _decode(text: bytes) -> Any:
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise BridgeError("FB-1002", limit=1000) from None
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} of a text is not UTF-8"
        raise BridgeError("FB-1305", reason=reason) from None


def _reason(error: msgspec.DecodeError) -> str:
    return str(error).split(" - ", maxsplit=1)[0].rstrip(".")


_DECODER = msgspec.json.Decoder(float_hook=Decimal)
