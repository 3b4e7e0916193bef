"""The numbers that index rows are made of.

A resource has a 63-bit key of ``Type/id``.  An indexed value has the
number of its search parameter (upper 15 bits) and the low 48 bits of the key of its text,
so that all values of one parameter lie side by side, and a reference's value is the low
part of the key of the resource it points to (which makes a chain a plain join).

Promises: the same text gives the same number in every process and release.  Two values of
one parameter fall together with a chance of 2**-48; rows are compared by text where a body
is read by id.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

__all__ = [
    "VALUE_BITS",
    "VALUE_MASK",
    "context_key",
    "exact_key",
    "hashed",
    "joined_texts",
    "posting",
    "range_key",
    "resource_key",
    "text_key",
    "value_range",
]

VALUE_BITS = 48
VALUE_MASK = (1 << VALUE_BITS) - 1


def hashed(text: str) -> int:
    """63 bits of BLAKE2b over the UTF-8 of `text` (lone surrogates allowed)."""
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big") >> 1


text_key = lru_cache(maxsize=1 << 16)(hashed)
"""The same with a memo: for texts that come again."""


def resource_key(resource_type: str, id_: str) -> int:
    """The key of the resource ``resource_type/id_``."""
    return text_key(f"{resource_type}/{id_}")


def posting(number: int, text: str) -> int:
    """The posting of `text` under the parameter with `number`."""
    return (number << VALUE_BITS) | (text_key(text) & VALUE_MASK)


def range_key(key: int) -> int:
    """The key beside `key` under which quantities stand that are ranges and not points."""
    return key | (1 << 62)


def exact_key(key: int, text: str) -> int:
    """The key beside `key` under which the one number `text` stands."""
    return text_key(f"{key} {text}") & ((1 << 62) - 1)


def context_key(number: int, texts: Iterable[str]) -> int:
    """The key under which values stand that share an element of a composite with `texts`."""
    return posting(number, joined_texts(texts))


def joined_texts(texts: Iterable[str]) -> str:
    """Several index texts as one."""
    return "\x06".join(texts)


def value_range(number: int) -> tuple[int, int]:
    """The first and last posting that a parameter can have."""
    return number << VALUE_BITS, (number << VALUE_BITS) | VALUE_MASK
