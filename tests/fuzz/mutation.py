"""New inputs out of good ones: bytes changed, words put in, pieces of two inputs joined.

Knows no grammar but its words and where lines, fields and marks end, so that cuts and copies
fall where the format has its joints.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

__all__ = ["Mutator"]

_JOINT = re.compile(rb"[\r\n|^&~,;(){}\[\]<>/=\"' .:?]")
_ODD = (
    *(
        b"",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\x1b$B",
        b"\xa1\xa1",
        b"%00",
        b"\\",
    ),
    *(b"0", b"-1", b"1e400", b"9" * 30, b"0.0000000001", b"NaN", b"2024-02-30", b"99991231235959"),
    *(
        "\u202e".encode(),
        "中".encode() * 20,
        "é".encode("latin-1"),
        b"A" * 3000,
        b'"' * 40,
        b" " * 400,
    ),
)
_STEPS = (1, 1, 1, 1, 2, 2, 3, 6)


class Mutator:
    """Gives the same inputs for the same seed."""

    def __init__(self, seeds: Sequence[bytes], words: Sequence[bytes], seed: int) -> None:
        self._random = random.Random(seed)
        self._seeds = [seed[:64_000] for seed in seeds]
        self._words = [*words, *_ODD]
        self._ways: tuple[Callable[[bytes], bytes], ...] = (
            self._flip, self._put, self._put, self._cut, self._double, self._join, self._swap,
            self._change, self._change, self._shorten,
        )  # fmt: skip

    def next(self) -> bytes:
        """The next input."""
        return self.changed(self._random.choice(self._seeds))

    def changed(self, data: bytes) -> bytes:
        """`data` after a few changes."""
        for _ in range(self._random.choice(_STEPS)):
            data = self._random.choice(self._ways)(data)
        return data[:64_000]

    def _place(self, data: bytes) -> int:
        """A place in the data, most often at a joint."""
        place = self._random.randint(0, len(data))
        if self._random.random() < 0.7:
            joint = _JOINT.search(data, place)
            return joint.end() if joint else place
        return place

    def _piece(self, data: bytes) -> tuple[int, int]:
        """A piece from joint to joint, mostly a short one."""
        start = self._place(data)
        length = self._random.choice((1, 4, 16, 64, 400))
        joint = _JOINT.search(data, min(len(data), start + length))
        return start, joint.start() if joint else len(data)

    def _flip(self, data: bytes) -> bytes:
        if not data:
            return b"\x00"
        place = self._random.randrange(len(data))
        return data[:place] + bytes([self._random.randrange(256)]) + data[place + 1 :]

    def _put(self, data: bytes) -> bytes:
        place = self._place(data)
        return data[:place] + self._random.choice(self._words) + data[place:]

    def _change(self, data: bytes) -> bytes:
        start, end = self._piece(data)
        return data[:start] + self._random.choice(self._words) + data[end:]

    def _cut(self, data: bytes) -> bytes:
        start, end = self._piece(data)
        return data[:start] + data[end:]

    def _double(self, data: bytes) -> bytes:
        start, end = self._piece(data)
        times = self._random.choice((2, 2, 3, 30))
        return data[:start] + data[start:end] * times + data[end:]

    def _swap(self, data: bytes) -> bytes:
        start, end = self._piece(data)
        place = self._place(data)
        return data[:place] + data[start:end] + data[place:]

    def _join(self, data: bytes) -> bytes:
        other = self._random.choice(self._seeds)
        start, end = self._piece(other)
        place = self._place(data)
        return data[:place] + other[start:end] + data[place:]

    def _shorten(self, data: bytes) -> bytes:
        return data[: self._place(data)] if self._random.random() < 0.3 else data
