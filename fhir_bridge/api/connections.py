"""How many HTTP connections there may be, from whom, and how long each may take.

Slow or idle peers of one address must not shut out the others, nor the health check of the
machine itself.  A newcomer is let in where a connection can be closed that waits for a request:
beyond the limit of an address one of its own, beyond the limit of all one of the address that has
most, and always the one that has waited longest.  A peer whose head does not come to its end, or
that takes nothing of its answer, is closed.

All of it runs in the loop of waitress (https://docs.pylonsproject.org/projects/waitress/), which
has no such options: it knows one limit for all and one time for idleness.
"""

from __future__ import annotations

import socket
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from waitress.channel import HTTPChannel  # type: ignore[import-untyped]

from fhir_bridge import log

__all__ = ["Connections", "Limits"]

_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Limits:
    """Most connections of the process and of an address; the longest head, answer and silence."""

    connections: int = 1000
    per_address: int = 250
    head_seconds: float = 20
    answer_seconds: float = 60
    idle_seconds: float = 60


class Connections:
    """The connections of one server; `channel` is what a new one becomes."""

    def __init__(self, server: Any, limits: Limits, channel: type[HTTPChannel]) -> None:
        self._server = server
        self._limits = limits
        self._channel = channel
        self._closed: Counter[str] = Counter()  # since the last line of log, by the reason

    def admit(self, server: Any, peer: socket.socket, address: Any, adj: Any, map: Any) -> None:  # noqa: A002 - as waitress calls it
        """Serve `peer`, or close it where nobody gives way; waitress calls it as a channel's class."""
        if self._make_room(str(address[0]), time.time()):
            self._channel(server, peer, address, adj, map=map)
        else:
            self._closed["full"] += 1
            peer.close()

    def sweep(self, now: float) -> None:
        """Close whoever takes too long; waitress calls it once a second."""
        for channel in list(self._server.active_channels.values()):
            reason = self._overdue(channel, now)
            if reason:
                self._closed[reason] += 1
                channel.handle_close()
        for reason, count in sorted(self._closed.items()):
            log.event("http_closed", kind=reason, count=count)
        self._closed.clear()

    def _overdue(self, channel: Any, now: float) -> str:
        """Why a connection is to be closed; "" when it is not."""
        limits, still = self._limits, now - channel.last_activity
        if channel.total_outbufs_len:
            return "answer" if still > limits.answer_seconds else ""
        if channel.requests:
            return ""
        request = channel.request
        if request is not None and not request.headers_finished:
            return "head" if now - request.begun > limits.head_seconds else ""
        return "idle" if still > limits.idle_seconds else ""

    def _make_room(self, host: str, now: float) -> bool:
        """Whether one more may come from `host`, after one was closed where that is needed."""
        channels = list(self._server.active_channels.values())
        counts = Counter(str(channel.addr[0]) for channel in channels)
        if counts[host] >= self._limits.per_address:
            channels = [channel for channel in channels if str(channel.addr[0]) == host]
        elif len(channels) < self._limits.connections:
            return True
        order = {channel: _waits_since(channel, now) for channel in channels}
        waiting = [channel for channel in channels if order[channel] != (_NEVER, _NEVER)]
        if not waiting:
            return False
        found = min(waiting, key=lambda each: (-counts[str(each.addr[0])], *order[each]))
        self._closed["gave way"] += 1
        found.handle_close()
        return True


def _waits_since(channel: Any, now: float) -> tuple[float, float]:
    """When a connection began to wait for a request: those whose body is on its way come last."""
    if channel.requests or channel.total_outbufs_len:
        return _NEVER, _NEVER
    request = channel.request
    if request is None:
        return 0, channel.last_activity
    if not request.headers_finished:
        return 0, request.begun
    return 1, min(channel.last_activity, now)
