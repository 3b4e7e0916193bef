"""FHIR JSON: text to values and back, without losing anything.

https://hl7.org/fhir/R4/json.html

Promises: key order is kept; a decimal renders with the text it came with (``1.10`` stays
``1.10``, ``1e2`` stays ``1e2``: precision is meaning, see datatypes.html#decimal); a
property written twice, ``NaN``, bytes that are not UTF-8 and nesting beyond `MAX_DEPTH`
are refused, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import Any

import msgspec

from fhir_bridge.errors import BridgeError

__all__ = [
    "MAX_DEPTH",
    "Resource",
    "parse_json",
    "parse_json_lines",
    "parse_json_value",
    "read_back",
    "render_json",
    "written_decimal",
]

Resource = dict[str, Any]
"""A FHIR resource (or any FHIR object) as plain JSON values."""

MAX_DEPTH = 100
"""Levels of objects and arrays; the deepest published R4 example has 16."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SPACED_COLON = re.compile(rb'"\s+:')
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


class _WrittenDecimal(Decimal):
    """A decimal whose text is not the one Python would write (``1e2``, ``1.0E-3``)."""

    __slots__ = ("text",)
    text: str

    def __reduce__(self) -> tuple[Any, ...]:
        return written_decimal, (self.text,)

    def __deepcopy__(self, memo: Any) -> _WrittenDecimal:
        return self

    def __copy__(self) -> _WrittenDecimal:
        return self


def written_decimal(text: str) -> Decimal:
    """The decimal of `text`, which renders as exactly that text again.

    >>> render_json({"value": written_decimal("1e2")})
    b'{"value":1e2}'
    """
    value = Decimal(text)
    if str(value) == text:
        return value
    written = _WrittenDecimal(value)
    written.text = text
    return written


def parse_json(data: bytes | str) -> Resource:
    """The JSON object in `data`.

    Raises BridgeError FB-1001 (not well-formed, a property twice, not an object; names the
    byte where known) or FB-1002 (nested deeper than `MAX_DEPTH`).
    """
    value = parse_json_value(data)
    if not isinstance(value, dict):
        raise BridgeError("FB-1001", reason="the document is not a JSON object")
    return value


def parse_json_value(data: bytes | str) -> Any:
    """Any JSON value in `data` (a JSON Patch is an array); errors as `parse_json`."""
    text = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data)
    text = text.removeprefix(_BYTE_ORDER_MARK)
    try:
        value = _decoder.decode(text)
    except RecursionError:
        raise BridgeError("FB-1002", limit=MAX_DEPTH) from None
    except msgspec.DecodeError as error:
        raise BridgeError("FB-1001", reason=_reason(error)) from None
    except UnicodeDecodeError:
        raise BridgeError("FB-1001", reason="the bytes are not UTF-8") from None
    except (InvalidOperation, ValueError, OverflowError):
        raise BridgeError("FB-1001", reason="a number is beyond every limit") from None
    _require_unique_properties(text, _count_properties(value, 0))
    return value


def read_back(data: bytes) -> Any:
    """The value that `render_json` made `data` of: what we wrote is not judged again."""
    return _decoder.decode(data)


def parse_json_lines(data: bytes | str) -> Iterator[Resource]:
    """Each object of newline-delimited JSON; blank lines are skipped.

    Raises as `parse_json`, with ``line N`` as place, when the bad line is reached.
    """
    text = data.encode() if isinstance(data, str) else data
    for number, line in enumerate(BytesIO(text), 1):  # split() would hold all lines at once
        if line.strip():
            try:
                yield parse_json(line)
            except BridgeError as error:
                known = error.issues[0].details
                raise BridgeError(
                    error.code,
                    f"line {number}",
                    reason=known.get("reason", ""),
                    limit=known.get("limit", ""),
                ) from None


def render_json(resource: Any, *, pretty: bool = False) -> bytes:
    """`resource` as UTF-8 JSON, compact or indented by two blanks."""
    text = _encoder.encode(resource)
    return msgspec.json.format(text, indent=2) if pretty else text


def _written(value: Any) -> Any:
    if isinstance(value, _WrittenDecimal):
        return msgspec.Raw(value.text.encode())
    raise TypeError(f"{type(value).__name__} has no JSON form")


_decoder = msgspec.json.Decoder(float_hook=written_decimal)
_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_written)


def _reason(error: msgspec.DecodeError) -> str:
    text = str(error).removeprefix("JSON is malformed: ")
    return re.sub(r"\(byte (\d+)\)$", r"at byte \1", text)


def _count_properties(value: Any, depth: int) -> int:
    """How many properties `value` holds at all levels; bounds the depth on the way."""
    if depth >= MAX_DEPTH and isinstance(value, dict | list):
        raise BridgeError("FB-1002", limit=MAX_DEPTH)
    count = 0
    if type(value) is dict:
        count = len(value)
        for item in value.values():
            if type(item) is dict or type(item) is list:
                count += _count_properties(item, depth + 1)
    elif type(value) is list:
        for item in value:
            if type(item) is dict or type(item) is list:
                count += _count_properties(item, depth + 1)
    return count


def _require_unique_properties(text: bytes, kept: int) -> None:
    """Refuse text that wrote more properties than its objects kept.

    The count of ``":`` is exact unless a string holds that pair or a blank stands before a
    colon; only then the strings are cut out and the colons that remain are counted.
    """
    if text.count(b'":') == kept and not _SPACED_COLON.search(text):
        return
    if _STRING.sub(b"", text).count(b":") == kept:
        return
    raise BridgeError("FB-1001", reason="a property is written twice in one object")
