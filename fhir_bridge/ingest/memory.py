"""What each source said last of persons and shared things, so that a repeat costs no query.

:meth:`Memory.keep` makes lasting what a transaction taught, :meth:`Memory.forget` drops it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Memo", "Memory", "short_digest"]

_MAX_MEMOS = 100_000

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Memo(Generic[Value]):
    """Words that were said, by their digest: when (a stamp), and what they taught."""

    digest: bytes
    at: int
    value: Value


class Memory(Generic[Value]):
    """The newest words under each key; older ones that arrive late are not remembered."""

    def __init__(self) -> None:
        self._memo: OrderedDict[bytes, Memo[Value]] = OrderedDict()
        self._fresh: dict[bytes, Memo[Value]] = {}

    def recall(self, key: bytes, digest: bytes) -> Memo[Value] | None:
        """What is known under `key`, if the newest that was said there had this digest."""
        found = self._fresh.get(key) or self._memo.get(key)
        return found if found is not None and found.digest == digest else None

    def time(self, key: bytes) -> int | None:
        """When the newest words under `key` were said."""
        found = self._fresh.get(key) or self._memo.get(key)
        return None if found is None else found.at

    def learn(self, key: bytes, digest: bytes, value: Value, at: int) -> None:
        """Remembers, until the transaction ends; what is older than what is known is not."""
        newest = self._fresh.get(key) or self._memo.get(key)
        if newest is None or at >= newest.at:
            self._fresh[key] = Memo(digest, at, value)

    def keep(self) -> None:
        """The transaction is committed: what it taught lasts."""
        self._memo.update(self._fresh)
        self._fresh.clear()
        while len(self._memo) > _MAX_MEMOS:
            self._memo.popitem(last=False)

    def forget(self, *, everything: bool = False) -> None:
        """A record or the transaction was taken back (or identities were changed by hand).

        What was learned beside it may stand: then what was known before it is not the newest.
        """
        for key in self._fresh:
            self._memo.pop(key, None)
        self._fresh.clear()
        if everything:
            self._memo.clear()


def short_digest(data: bytes) -> bytes:
    """Short and quick: for what is remembered in memory only."""
    return hashlib.blake2b(data, digest_size=16).digest()
