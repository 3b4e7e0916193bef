"""The value domains of the primitive types.

https://hl7.org/fhir/R4/datatypes.html#primitive

The regular expressions are those of the definitions; what they cannot say is added here:
a day that the calendar has, 32 bits of an integer, whole groups of base64, the forms of
``urn:uuid:`` and ``urn:oid:``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from fhir_bridge.fhir import TypeDefinition
from fhir_bridge.validation.strictness import LENIENT, Strictness

__all__ = ["PrimitiveTest", "is_example", "primitive_test"]

PrimitiveTest = Callable[[Any], bool]
"""True when a JSON value is of the primitive type."""

_ADDRESSES = frozenset({"uri", "url", "canonical"})
_TEXTS = frozenset({"string", "markdown"})
_EXAMPLE = re.compile(
    r"https?://(?:[^/?#]+\.)?(?:example\.(?:com|net|org)|[^/?#]+\.example|acme\.(?:com|org))(?:[:/?#]|\Z)",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"</?[A-Za-z]")
MAX_STRING = 1024 * 1024
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_BLANK = re.compile(r"\s+")
_UUID = re.compile(r"urn:uuid:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_OID = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+")
_INTEGERS = {
    "integer": range(-(2**31), 2**31),
    "unsignedInt": range(2**31),
    "positiveInt": range(1, 2**31),
}


def primitive_test(shape: TypeDefinition, strictness: Strictness = LENIENT) -> PrimitiveTest:
    """The test of primitive type `shape`."""
    test = _test_of(shape)
    if shape.name in _ADDRESSES and not strictness.examples:
        return lambda value: test(value) and not is_example(value)
    if shape.name in _TEXTS and not strictness.markup:
        return lambda value: test(value) and _MARKUP.search(value) is None
    return test


def is_example(address: str) -> bool:
    """Whether an address is of a domain that is kept for examples (RFC 2606)."""
    return _EXAMPLE.match(address) is not None


def _test_of(shape: TypeDefinition) -> PrimitiveTest:
    name = shape.name
    if name == "boolean":
        return _is_boolean
    if name == "decimal":
        return _is_decimal
    if name in _INTEGERS:
        return _integer_test(_INTEGERS[name])
    if name == "base64Binary":
        return _is_base64
    if name in ("string", "markdown", "xhtml"):
        return _is_text
    if name in _ADDRESSES:
        return _is_uri
    matches = re.compile(shape.regex).fullmatch
    if name in ("date", "dateTime", "instant"):
        return lambda value: type(value) is str and matches(value) is not None and _is_day(value)
    return lambda value: type(value) is str and matches(value) is not None


def _is_boolean(value: Any) -> bool:
    return value is True or value is False


def _is_decimal(value: Any) -> bool:
    return isinstance(value, int | Decimal | float) and not isinstance(value, bool)


def _integer_test(limits: range) -> PrimitiveTest:
    return lambda value: type(value) is int and value in limits


def _is_base64(value: Any) -> bool:
    if type(value) is not str or not value:
        return False
    return _BASE64.fullmatch(_BLANK.sub("", value)) is not None


def _is_text(value: Any) -> bool:
    if not isinstance(value, str) or not value or len(value) > MAX_STRING:
        return False
    if value.isprintable():  # nearly all are, and then there is no control character
        return not value.isspace()
    return _CONTROL.search(value) is None and not value.isspace()


def _is_uri(value: Any) -> bool:
    if not isinstance(value, str) or not value or _SPACE.search(value):
        return False
    if value.startswith("urn:uuid:"):
        return _UUID.fullmatch(value) is not None
    return not value.startswith("urn:oid:") or _OID.fullmatch(value) is not None


_SPACE = re.compile(r"[\s\x00-\x1f]")


def _is_day(value: str) -> bool:
    """Whether the calendar has the day that `value`, a date of right form, names."""
    if len(value) < 10 or value[8:10] <= "28":
        return True
    try:
        date(int(value[:4]), int(value[5:7]), int(value[8:10]))
    except ValueError:
        return False
    return True
