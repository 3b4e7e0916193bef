"""Bad frames by the thousand and peers that only sit there: others are served as before."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

import pytest

from fhir_bridge import hl7v2
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.ingest import Intake, parse_feed
from fhir_bridge.journal import Message, Refusal
from fhir_bridge.listeners import MllpServer
from fhir_bridge.store import Store
from tests.listeners.test_mllp import FEED, codes, connect, message, read, serve

__all__ = ["serve"]


def bad(control: str) -> bytes:
    """A frame that is refused: an event of no standard."""
    return message(control).replace(b"ADT^A01", b"ZZZ^Z99")


def connect_from(server: MllpServer, host: str) -> socket.socket:
    """A connection from another address of this machine."""
    return socket.create_connection(server.addresses["his"], 60, source_address=(host, 0))


def test_equal_refusals_rest_as_a_few_examples_and_a_count(
    store: Store, serve: Callable[..., MllpServer]
) -> None:
    """Ten with their bytes, all of them counted, each answered; another code is another group."""
    server = serve()
    with connect(server) as peer:
        peer.sendall(b"".join(bad(f"M{number}") for number in range(40)))
        answers = read(peer, 40)
        peer.sendall(message("M99").replace(b"|P|2.5", b"|D|2.5"))
        answers += read(peer, 1)
    server.stop()

    items = store.quarantine.list(limit=100)
    first = items[-1]
    assert codes(answers)[:2] == ["AR M0", "AR M1"]
    assert len(answers) == 41
    assert [hl7v2.frame(item.data) for item in items[1:]] == [
        bad(f"M{n}") for n in range(9, -1, -1)
    ]
    assert (first.count, sum(item.count for item in items)) == (31, 41)
    assert first.last_seen >= first.received
    assert store.quarantine.counts_by_feed() == {"his": {"FB-1111": 40, "FB-1113": 1}}


def test_the_refusals_of_a_round_share_a_commit(
    store: Store, serve: Callable[..., MllpServer]
) -> None:
    """And what cannot be kept is answered with its own reason all the same."""

    class Counting(Intake):
        calls = 0

        def refuse_all(self, refusals: object) -> None:
            self.calls += 1
            raise OSError

    journal = Counting(store)
    with connect(serve(journal=journal)) as peer:
        peer.sendall(b"".join(bad(f"M{number}") for number in range(40)))
        answers = read(peer, 40)

    assert codes(answers) == [f"AR M{number}" for number in range(40)]
    assert journal.calls < 20


def test_an_example_that_could_not_be_kept_is_kept_when_it_comes_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failing database forgets nothing that it never had."""
    journal = Intake(store)
    refusal = Refusal(Message("his", b"x"), [Issue("FB-1101")], "1.2.3.4")
    with monkeypatch.context() as failing:
        failing.setattr(store.quarantine, "add_all", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            journal.refuse_all([refusal])
    journal.refuse_all([refusal, refusal])
    journal.count_refusals(now=True)

    (item,) = store.quarantine.list()
    assert (item.data, item.count) == (b"x", 2)


def test_a_group_whose_first_item_was_removed_begins_anew(store: Store) -> None:
    """Counts never vanish on an item that an operator has taken out."""
    journal = Intake(store)
    refusal = Refusal(Message("his", b"x"), [Issue("FB-1101")], "1.2.3.4")
    journal.refuse_all([refusal])
    store.quarantine.remove(store.quarantine.list()[0].item_id)
    journal.refuse_all([refusal])
    journal.count_refusals(now=True)
    journal.refuse_all([refusal])

    assert [item.count for item in store.quarantine.list()] == [1]


def test_answers_keep_the_order_of_good_and_bad_frames(serve: Callable[..., MllpServer]) -> None:
    """As they came, although what is taken and what is refused are kept apart."""
    frames = [(bad if number % 3 else message)(f"M{number}") for number in range(30)]
    with connect(serve()) as peer:
        peer.sendall(b"".join(frames))
        answers = read(peer, 30)

    assert codes(answers) == [f"{'AR' if n % 3 else 'AA'} M{n}" for n in range(30)]


def test_a_good_sender_keeps_its_pace_beside_a_flood_of_bad_frames(
    serve: Callable[..., MllpServer],
) -> None:
    """While it sends, a flood gets the smaller part of the time."""
    server, flooded = serve(), 6000
    answered = 0

    def pour() -> None:
        nonlocal answered
        with contextlib.suppress(OSError), connect(server) as peer:
            sending = threading.Thread(
                target=peer.sendall, args=(hl7v2.frame(b"bad") * flooded,), daemon=True
            )
            sending.start()
            while answered < flooded:
                answered += peer.recv(1 << 16).count(b"\x1c")
            sending.join()

    with connect(server) as peer:
        peer.sendall(message("M0"))
        read(peer)
        pouring = threading.Thread(target=pour)
        pouring.start()
        for number in range(1, 60):
            peer.sendall(message(f"M{number}"))
            assert codes(read(peer)) == [f"AA M{number}"]
        beside = answered
    pouring.join(60)

    assert beside < flooded / 2
    assert answered == flooded


def test_idle_peers_of_one_address_do_not_shut_out_another(
    serve: Callable[..., MllpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest idle one of the address that has most gives way."""
    monkeypatch.setattr("fhir_bridge.listeners.connection.IDLE_SECONDS", 0.05)
    server = serve(FEED + "connections = 8\nconnections_per_address = 7\n")
    with contextlib.ExitStack() as open_peers:
        idle = [open_peers.enter_context(connect(server)) for _ in range(7)]
        own = open_peers.enter_context(connect_from(server, "127.0.0.2"))
        time.sleep(0.1)
        newcomer = open_peers.enter_context(connect_from(server, "127.0.0.3"))
        newcomer.sendall(message("M1"))

        assert codes(read(newcomer)) == ["AA M1"]
        assert idle[0].recv(100) == b""
        own.sendall(message("M2"))
        assert codes(read(own)) == ["AA M2"]


def test_an_address_beyond_its_limit_makes_room_among_its_own(
    serve: Callable[..., MllpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a frame that comes to a stop is idle too; one that was just used is not."""
    monkeypatch.setattr("fhir_bridge.listeners.connection.IDLE_SECONDS", 0.05)
    monkeypatch.setattr("fhir_bridge.listeners.connection.STALLED_SECONDS", 0.05)
    server = serve(FEED + "connections_per_address = 2\n")
    with connect_from(server, "127.0.0.2") as other, connect(server) as stalled:
        stalled.sendall(b"\x0bMSH|")
        time.sleep(0.1)
        with connect(server) as second, connect(server) as third:
            third.sendall(message("M1"))

            assert codes(read(third)) == ["AA M1"]
            assert stalled.recv(100) == b""
            second.sendall(message("M2"))
            assert codes(read(second)) == ["AA M2"]
            other.sendall(message("M3"))
            assert codes(read(other)) == ["AA M3"]


def _send_on(peer: socket.socket) -> None:
    while True:
        peer.sendall(message() * 50)


def test_a_peer_that_never_reads_its_answers_is_closed(
    serve: Callable[..., MllpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hold memory and a place for ever."""
    monkeypatch.setattr("fhir_bridge.listeners.connection.MAX_UNSENT", 10_000)
    server = serve(FEED + "answer_seconds = 0.3\n")
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(server.addresses["his"])
        peer.sendall(message("M0"))
        read(peer)
        (inside,) = server._connections
        inside.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        peer.settimeout(10)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            _send_on(peer)


def test_strays_and_restarts_by_the_thousand_are_a_few_lines_of_log(
    serve: Callable[..., MllpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a peer can cause with a byte is logged once a second, with a count."""
    lines: list[tuple[str, int]] = []
    monkeypatch.setattr(
        "fhir_bridge.listeners.notes.log.event",
        lambda name, **fields: lines.append((name, fields.get("count", 1))),
    )
    server = serve()
    with connect(server) as peer:
        peer.sendall(b"\x0b" * 3000 + b"MSH|nothing\x1c\r")
        read(peer)
        until = time.monotonic() + 5
        while sum(count for name, count in lines if name == "mllp_torn") < 2999:
            assert time.monotonic() < until
            time.sleep(0.05)

    assert len(lines) < 20


def test_the_limits_of_a_feed_take_numbers() -> None:
    """Another kind of value is refused when the feed is read."""
    with pytest.raises(BridgeError, match="answer_seconds"):
        parse_feed("his", FEED + 'answer_seconds = "soon"\n')
