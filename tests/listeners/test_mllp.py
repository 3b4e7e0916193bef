"""The MLLP server as dialogues over a real socket."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from fhir_bridge import hl7v2
from fhir_bridge.ingest import Feed, Intake, parse_feed
from fhir_bridge.journal import Appended, Message
from fhir_bridge.listeners import MllpServer
from fhir_bridge.store import Store

FEED = """
title.en = "HIS"
source = "hospital"
format = "hl7v2"
charset = "gb18030"
map = "urn:none"
[listener]
kind = "mllp"
port = 0
largest_frame = 100000
"""
HEADER = "MSH|^~\\&|HIS|H1|FB|C1|20260101||ADT^A01|{control}|P|2.5"


def message(control: str = "M1", name: str = "张三") -> bytes:
    """A framed admission."""
    return hl7v2.frame(f"{HEADER.format(control=control)}\rPID|1||1||{name}\r".encode("gb18030"))


def read(peer: socket.socket, count: int = 1) -> list[hl7v2.Message]:
    """The next `count` answers."""
    framer, answers = hl7v2.Framer(), []
    peer.settimeout(60)
    while len(answers) < count:
        data = peer.recv(65536)
        if not data:
            break
        answers += [
            hl7v2.parse(part)
            for event in framer.feed(data)
            if isinstance(event, hl7v2.Frame)
            for part in hl7v2.split_batch(event.payload)
        ]
    return answers


def codes(answers: list[hl7v2.Message]) -> list[str]:
    """MSA-1 and MSA-2 of each."""
    return [" ".join(answer.get("MSA").fields[1:3]) for answer in answers]


@pytest.fixture
def serve(store: Store) -> Iterator[Callable[..., MllpServer]]:
    """Starts servers and stops them after the test."""
    started: list[MllpServer] = []

    def start(text: str = FEED, journal: Intake | None = None) -> MllpServer:
        server = MllpServer([parse_feed("his", text)], journal or Intake(store))
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


def connect(server: MllpServer) -> socket.socket:
    """A connection to the only feed."""
    return socket.create_connection(server.addresses["his"], timeout=60)


def test_a_message_is_durable_before_it_is_answered(
    store: Store, serve: Callable[..., MllpServer]
) -> None:
    """What AA speaks of is in the journal, byte for byte, with the peer as source."""
    with connect(serve()) as peer:
        peer.sendall(message())
        answers = read(peer)
        (kept,) = store.journal.pending()

    assert codes(answers) == ["AA M1"]
    assert hl7v2.frame(kept.data) == message()
    assert (kept.feed, kept.control_id, kept.source[:10]) == ("his", "M1", "127.0.0.1:")


def test_many_messages_at_once_are_answered_in_order_with_few_commits(
    store: Store, serve: Callable[..., MllpServer]
) -> None:
    """Messages that come together share a commit."""

    class Counting(Intake):
        commits = 0

        def append(self, arrivals: Sequence[Message]) -> list[Appended]:
            self.commits += 1
            return super().append(arrivals)

    journal = Counting(store)
    with connect(serve(journal=journal)) as peer:
        peer.sendall(b"".join(message(f"M{number}") for number in range(300)))
        answers = read(peer, 300)

    assert codes(answers) == [f"AA M{number}" for number in range(300)]
    assert journal.commits < 30


def test_a_journal_that_fails_is_answered_with_a_refusal(
    store: Store, serve: Callable[..., MllpServer]
) -> None:
    """The sender keeps its message: AR, and the server goes on."""

    class Failing(Intake):
        failing = True

        def append(self, arrivals: Sequence[Message]) -> list[Appended]:
            if self.failing:
                raise OSError
            return super().append(arrivals)

    journal = Failing(store)
    with connect(serve(journal=journal)) as peer:
        peer.sendall(message())
        refused = read(peer)
        journal.failing = False
        peer.sendall(message())
        taken = read(peer)

    assert codes(refused) == ["AR M1"]
    assert refused[0].get("ERR").get("f5") == "FB-6101"
    assert codes(taken) == ["AA M1"]


def test_a_refused_message_rests_in_quarantine(
    store: Store, serve: Callable[..., MllpServer]
) -> None:
    """The answer names the reason; people can see the bytes."""
    with connect(serve()) as peer:
        peer.sendall(message().replace(b"ADT^A01", b"ZZZ^Z99"))
        answers = read(peer)

    assert answers[0].get("ERR").get("f3").get("c1") == "200"
    assert [item.issues[0].code for item in store.quarantine.list("his")] == ["FB-1111"]
    assert store.journal.pending() == []


@pytest.mark.parametrize(
    ("kind", "found"),
    [(b"QBP^Q22^QBP_Q21", "FB-1111"), (b"QRY^A19", "FB-1111"), (b"SRM^S01", "FB-6003")],
)
def test_what_no_map_reads_is_refused_at_once(
    store: Store, serve: Callable[..., MllpServer], kind: bytes, found: str
) -> None:
    """A query, a request: never AA for what would only rest."""
    server = serve(FEED.replace('map = "urn:none"', 'maps."ADT" = "urn:none"\nignore = ["ORU"]'))
    with connect(server) as peer:
        peer.sendall(
            message().replace(b"ADT^A01", kind).replace(b"PID|", b"QPD|")
            if found == "FB-1111"
            else message().replace(b"ADT^A01", kind)
        )
        peer.sendall(message("M2").replace(b"ADT^A01", b"ORU^R01"))
        refused, ignored = read(peer, 2)

    assert codes([refused, ignored]) == ["AR M1", "AA M2"]
    assert refused.get("ERR").get("f3").get("c1") == "200"
    assert [item.issues[0].code for item in store.quarantine.list("his")] == [found]
    assert [entry.control_id for entry in store.journal.pending()] == ["M2"]


def test_bytes_that_do_not_fit_are_answered_to_their_sender(
    serve: Callable[..., MllpServer],
) -> None:
    """MSA-2 as received and the addresses turned round, as with AA."""
    with connect(serve(FEED.replace("gb18030", "utf-8"))) as peer:
        bad = message().replace(b"|2.5", b"|2.5||||||UNICODE UTF-8")
        peer.sendall(bad)
        peer.sendall(message("M2", "Li"))
        refused, taken = read(peer, 2)

    assert codes([refused, taken]) == ["AE M1", "AA M2"]
    assert refused.header.fields[3:7] == taken.header.fields[3:7] == ["FB", "C1", "HIS", "H1"]
    assert refused.header.fields[9] == taken.header.fields[9]


def test_a_batch_is_taken_whole(store: Store, serve: Callable[..., MllpServer]) -> None:
    """Each message is an entry of its own; the answers travel together."""
    inner = b"".join(message(control)[1:-2] for control in ("M1", "M2"))
    with connect(serve()) as peer:
        peer.sendall(hl7v2.frame(b"BHS|^~\\&|HIS\r" + inner + b"BTS|2\r"))
        answers = read(peer, 2)

    assert codes(answers) == ["AA M1", "AA M2"]
    assert [entry.control_id for entry in store.journal.pending()] == ["M1", "M2"]


def test_a_frame_beyond_the_limit_is_refused_and_the_line_closed(
    serve: Callable[..., MllpServer],
) -> None:
    """AR, then the end; others are served on."""
    server = serve()
    with connect(server) as peer, connect(server) as other:
        peer.sendall(b"\x0b" + message()[1:-2] + b"x" * 150_000)
        answers = read(peer, 2)
        other.sendall(message("M2"))

        assert codes(answers) == ["AR M1"]
        assert codes(read(other)) == ["AA M2"]


def test_a_frame_that_never_ends_and_a_silent_peer_are_closed(
    serve: Callable[..., MllpServer],
) -> None:
    """Time limits of the feed hold."""
    server = serve(FEED + "frame_seconds = 0.2\nidle_seconds = 0.4\n")
    with connect(server) as slow, connect(server) as silent:
        slow.sendall(b"\x0bMSH|")

        assert slow.recv(100) == b""
        assert silent.recv(100) == b""


def test_more_connections_than_allowed_are_closed_at_once(
    serve: Callable[..., MllpServer],
) -> None:
    """The limit is of the feed; whoever is connected stays."""
    server = serve(FEED + "connections = 1\n")
    with connect(server) as first, connect(server) as second:
        first.sendall(message())

        assert codes(read(first)) == ["AA M1"]
        assert second.recv(100) == b""


def test_a_peer_that_reads_no_answers_is_not_read_from(
    serve: Callable[..., MllpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unsent answers are bounded: the sender is held back and gets every answer in the end."""
    monkeypatch.setattr("fhir_bridge.listeners.connection.MAX_UNSENT", 10_000)
    server = serve()
    with connect(server) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stream = b"".join(message(f"M{number}") for number in range(2000))
        peer.setblocking(False)
        sent = 0
        until = time.monotonic() + 1
        while sent < len(stream) and time.monotonic() < until:
            try:
                sent += peer.send(stream[sent : sent + 4096])
            except BlockingIOError:
                break
        peer.setblocking(True)
        whole = stream[:sent].count(b"\x1c\r")

        assert len(read(peer, whole)) >= whole


def test_stop_answers_what_was_read_and_closes(
    store: Store, serve: Callable[..., MllpServer]
) -> None:
    """After stop nothing listens, and nothing that was answered is missing."""
    server = serve()
    address = server.addresses["his"]
    with connect(server) as peer:
        peer.sendall(message())
        answers = read(peer)
        server.stop()

        assert peer.recv(100) == b""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(address, timeout=1)
    assert len(store.journal.pending()) == len(answers)


def test_feeds_of_other_kinds_open_no_socket(store: Store) -> None:
    """Only feeds with an MLLP listener are served."""
    other: Feed = parse_feed("files", FEED.replace('"mllp"', '"folder"'))
    server = MllpServer([other], Intake(store))
    server.start()
    server.stop()

    assert server.addresses == {}
