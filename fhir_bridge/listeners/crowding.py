"""Who gives way when there are too many connections.

A newcomer is let in where an idle connection can be closed for it: beyond the limit of an
address one of its own, beyond the limit of the feed one of the address that has most, and
always the one that was idle longest.  Peers of one address cannot shut out those of another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fhir_bridge.ingest import Listener

from .connection import Connection

__all__ = ["has_room", "who_gives_way"]


def has_room(connections: Iterable[Connection], host: str, listener: Listener) -> bool:
    """Whether one more connection from `host` is within the limits."""
    hosts = [connection.host for connection in connections]
    return (
        len(hosts) < listener.connections and hosts.count(host) < listener.connections_per_address
    )


def who_gives_way(
    connections: Iterable[Connection], host: str, listener: Listener, now: float
) -> Connection | None:
    """The connection to close for a newcomer from `host`; None when none is idle."""
    counts = Counter(connection.host for connection in connections)
    idle = [connection for connection in connections if connection.is_idle(now)]
    if counts[host] >= listener.connections_per_address:
        idle = [connection for connection in idle if connection.host == host]
    return min(idle, key=lambda each: (-counts[each.host], each.touched), default=None)
