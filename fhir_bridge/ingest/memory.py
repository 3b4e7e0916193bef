"""What each source said last of persons and shared things, so that a repeat costs no query.

:meth:`Memory.keep` makes lasting what a transaction taught, :meth:`Memory.forget` drops it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Generic, TypeVar

__all__ = ["Memory", "short_digest"]

_REMEMBERED = 100_000

Known = TypeVar("Known")


class Memory(Generic[Known]):
    """What was taught under a key, with the digest of the words that taught it."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, tuple[bytes, Known]] = OrderedDict()
        self._fresh: dict[bytes, tuple[bytes, Known]] = {}

    def recall(self, key: bytes, digest: bytes) -> Known | None:
        """What is known under `key`, if the last that was said there had this digest."""
        found = self._fresh.get(key) or self._known.get(key)
        return found[1] if found is not None and found[0] == digest else None

    def learn(self, key: bytes, digest: bytes, known: Known) -> None:
        """Remembers, until the transaction ends."""
        self._fresh[key] = (digest, known)

    def keep(self) -> None:
        """The transaction is committed: what it taught lasts."""
        self._known.update(self._fresh)
        self._fresh.clear()
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def forget(self, *, everything: bool = False) -> None:
        """The transaction was rolled back (or identities were changed by hand)."""
        self._fresh.clear()
        if everything:
            self._known.clear()


def short_digest(data: bytes) -> bytes:
    """Short and quick: for what is remembered in memory only."""
    return hashlib.blake2b(data, digest_size=16).digest()
