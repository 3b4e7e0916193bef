"""Slow and idle HTTP peers: they give way, and the others are served."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import socket
import time
import zlib
from collections.abc import Callable, Iterator

import pytest

from fhir_bridge.api import Limits, Server, create_app, serve
from fhir_bridge.api.read_request import _unpacked
from fhir_bridge.errors import BridgeError
from tests.api.world import World

HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def serving(world: World) -> Iterator[Callable[..., Server]]:
    """Starts servers with limits and closes them."""
    with contextlib.ExitStack() as closing:

        def started(**limits: float) -> Server:
            made = Limits(**limits)  # type: ignore[arg-type]
            server = serve(create_app(world), "127.0.0.1", 0, 2, limits=made)
            closing.callback(server.close)
            return server

        yield started


def _connect(server: Server, host: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((server.host, server.port), 10, source_address=(host, 0))


def _ask(peer: socket.socket) -> int:
    """The status of the health check over an open connection."""
    peer.sendall(HEAD + b"\r\n")
    answer = http.client.HTTPResponse(peer)
    answer.begin()
    answer.read()
    return answer.status


def _is_closed(peer: socket.socket) -> bool:
    peer.settimeout(10)
    try:
        return peer.recv(100) == b""
    except ConnectionResetError:
        return True


def test_a_thousand_slow_heads_shut_out_neither_another_address_nor_their_own(
    serving: Callable[..., Server],
) -> None:
    """The oldest of them give way; the machine's own health check is answered at once."""
    server = serving(connections=60, per_address=50)
    with contextlib.ExitStack() as peers:
        other = peers.enter_context(_connect(server, "127.0.0.2"))
        assert _ask(other) == 200
        slow = [peers.enter_context(_connect(server)) for _ in range(300)]
        for each in slow:
            with contextlib.suppress(OSError):
                each.sendall(b"GET /health HT")
        began = time.monotonic()
        assert _ask(peers.enter_context(_connect(server))) == 200
        assert _ask(peers.enter_context(_connect(server, "127.0.0.3"))) == 200

        assert time.monotonic() - began < 2
        assert _ask(other) == 200
        assert _is_closed(slow[0])


def test_when_all_are_full_the_address_with_most_gives_way(serving: Callable[..., Server]) -> None:
    """Not the lonely one that was idle longest."""
    server = serving(connections=5, per_address=4)
    with contextlib.ExitStack() as peers:
        lonely = peers.enter_context(_connect(server, "127.0.0.2"))
        assert _ask(lonely) == 200
        crowd = [peers.enter_context(_connect(server)) for _ in range(4)]
        assert [_ask(each) for each in crowd] == [200] * 4
        newcomer = peers.enter_context(_connect(server, "127.0.0.3"))

        assert _ask(newcomer) == 200
        assert _ask(lonely) == 200
        assert _is_closed(crowd[0])


def test_a_head_that_never_ends_is_closed_however_many_bytes_come(
    serving: Callable[..., Server],
) -> None:
    """A byte from time to time makes no difference; a body may take its time."""
    server = serving(head_seconds=1)
    body = b"PUT /fhir/Patient/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
    with _connect(server) as slow, _connect(server) as sending:
        slow.sendall(HEAD)
        sending.sendall(body)
        began = time.monotonic()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            _drip(slow, 10)
        assert time.monotonic() - began < 5
        sending.sendall(b" " * 100)
        answer = http.client.HTTPResponse(sending)
        answer.begin()
        assert answer.status >= 400


def _drip(peer: socket.socket, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        peer.sendall(b"X")
        time.sleep(0.1)


def test_a_client_that_takes_nothing_of_its_answer_is_closed_and_frees_its_thread(
    serving: Callable[..., Server],
) -> None:
    """Two of them would hold both threads of the server."""
    server = serving(answer_seconds=1)
    with contextlib.ExitStack() as peers:
        for _ in range(2):
            peer = peers.enter_context(socket.socket())
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.connect((server.host, server.port))
            for _ in range(60):
                peer.sendall(b"GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.5)
        assert len(_answering(server)) == 2
        until = time.monotonic() + 10
        while _answering(server):
            assert time.monotonic() < until
            time.sleep(0.05)
        with _connect(server) as peer:
            assert _ask(peer) == 200


def _answering(server: Server) -> list[object]:
    channels = list(server._server.active_channels.values())
    return [each for each in channels if each.total_outbufs_len]


def test_many_members_of_a_packed_body_cost_by_their_bytes() -> None:
    """All are unpacked, in their order; ten thousand are the most."""
    text = [b"%d " % number for number in range(10_000)]
    packed = b"".join(map(gzip.compress, text))
    large = gzip.compress(b"x" * 300_000) + gzip.compress(b"y")

    assert _unpacked(packed, 31, 1 << 20) == b"".join(text)
    assert _unpacked(large, 31, 1 << 20) == b"x" * 300_000 + b"y"
    with pytest.raises(BridgeError, match="FB-4007"):
        _unpacked(packed + gzip.compress(b""), 31, 1 << 20)
    with pytest.raises(BridgeError, match="FB-4014"):
        _unpacked(large, 31, 300_000)
    for damaged in (packed[:-1], large + b"\x1f", large[:200]):
        with pytest.raises(zlib.error):
            _unpacked(damaged, 31, 1 << 20)


def test_twice_the_members_cost_about_twice() -> None:
    """Not four times."""

    def seconds(members: int) -> float:
        packed = gzip.compress(b"") * members
        began = time.thread_time()
        _unpacked(packed, 31, 100)
        return time.thread_time() - began

    assert min(seconds(8000) for _ in range(3)) < 3 * min(seconds(4000) for _ in range(3))
