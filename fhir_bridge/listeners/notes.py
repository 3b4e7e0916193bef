"""Log lines that a peer could cause by the thousand, as one line with a count."""

from __future__ import annotations

from collections import Counter

from fhir_bridge import log

__all__ = ["Notes"]

_SECONDS = 1.0


class Notes:
    """What is to be logged; the first of a kind at once, more within a second together."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str, str], float] = {}
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def add(self, event: str, feed: str, code: str, now: float) -> None:
        """Note that `event` happened at monotonic time `now`."""
        kind = event, feed, code
        if kind in self._since:
            self._counts[kind] += 1
            return
        self._since[kind] = now
        log.event(event, feed=feed, code=code)

    def write(self, now: float) -> None:
        """Log what has gathered for a second."""
        for kind, since in list(self._since.items()):
            if now - since < _SECONDS:
                continue
            count = self._counts.pop(kind, 0)
            if not count:
                del self._since[kind]
                continue
            self._since[kind] = now
            event, feed, code = kind
            log.event(event, feed=feed, code=code, count=count)
