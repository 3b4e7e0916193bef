"""What the first process tells the others of its listeners: a page of memory that they share.

https://docs.python.org/3/library/multiprocessing.html#multiprocessing.sharedctypes.RawArray

One process writes, several read, none waits.  A text carries its own checksum: whoever reads
while it is written looks again.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fhir_bridge.errors import Issue

__all__ = ["Board", "Conditions", "ReadConditions"]

Conditions = Mapping[str, Sequence[Issue]]
"""What is wrong now with each feed that receives by itself; under "" what concerns all."""

ReadConditions = Callable[[], Conditions]

_MAX_BYTES = 256 * 1024
_HEAD = 12
_MAX_TRIES = 50
_MAX_SILENT_SECONDS = 30.0


class Board:
    """A board in memory that `allocate` (``RawArray`` of a start method) makes."""

    def __init__(self, allocate: Callable[[str, int], Any]) -> None:
        self._memory = allocate("c", _MAX_BYTES)

    def write(self, conditions: Conditions) -> None:
        """Tell `conditions`; what has no room on the board is told as FB-9005 alone."""
        text = _written(conditions)
        if len(text) > _MAX_BYTES - _HEAD:
            text = _written({"": [Issue("FB-9005")]})
        head = len(text).to_bytes(8, "big") + zlib.crc32(text).to_bytes(4, "big")
        self._memory[: _HEAD + len(text)] = head + text

    def read(self) -> Conditions:
        """What was told last; FB-9005 when that is long ago: the first process hangs."""
        for _ in range(_MAX_TRIES):
            head = self._memory[:_HEAD]
            length = int.from_bytes(head[:8], "big")
            text = self._memory[_HEAD : _HEAD + min(length, _MAX_BYTES)]
            if text and zlib.crc32(text) == int.from_bytes(head[8:], "big"):
                told = json.loads(text)
                if time.time() - told["at"] > _MAX_SILENT_SECONDS:
                    break
                return dict(_read(told["conditions"]))
            time.sleep(0.001)
        return {"": [Issue("FB-9005")]}


def _written(conditions: Conditions) -> bytes:
    told = {
        name: [[each.code, each.severity, each.where, dict(each.details)] for each in issues]
        for name, issues in conditions.items()
    }
    return json.dumps({"at": time.time(), "conditions": told}).encode()


def _read(told: Mapping[str, Sequence[Sequence[Any]]]) -> Iterator[tuple[str, list[Issue]]]:
    for name, issues in told.items():
        yield name, [Issue(*each) for each in issues]
