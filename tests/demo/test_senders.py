"""How the source systems emit: MLLP, files, an HTTP interface."""

import json
import socket
import urllib.error
import urllib.request
from pathlib import Path
from threading import Thread

import pytest

from fhir_bridge.demo.contract_api import ContractApi
from fhir_bridge.demo.contract_system import agreement_rows
from fhir_bridge.demo.file_drop import drop, drop_table
from fhir_bridge.demo.hospital_messages import registrations
from fhir_bridge.demo.mllp_sender import Acknowledgements, send
from fhir_bridge.demo.signing import agreements


class Peer:
    """Answers every frame with AA; hangs up after `hang_up_after` frames, once."""

    def __init__(self, hang_up_after: int = 0) -> None:
        self.received: list[bytes] = []
        self._hang_up_after = hang_up_after
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = self._socket.getsockname()
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        held = b""
        while block := connection.recv(65536):
            held += block
            *frames, held = held.split(b"\x1c\r")
            for frame in frames:
                self.received.append(frame.removeprefix(b"\x0b"))
                if self._hang_up_after and len(self.received) == self._hang_up_after:
                    self._hang_up_after = 0
                    return
                connection.sendall(b"\x0bMSH|^~\\&|\rMSA|AA|x\r\x1c\r")

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


@pytest.fixture
def messages():
    """Some registrations."""
    return list(registrations(200, 1))


def test_all_messages_arrive_in_order_and_every_answer_is_waited_for(messages):
    """A window of messages may be under way; nothing is lost at the end."""
    peer = Peer()
    report = send(peer.address, messages, Acknowledgements(None), window=8)
    peer.close()
    assert peer.received == [message.data for message in messages]
    assert (report.sent, report.accepted, report.reconnects) == (len(messages), len(messages), 0)


def test_what_was_not_answered_is_sent_again_after_a_broken_connection(messages):
    """At least once: the receiver sees repeats, never a gap."""
    peer = Peer(hang_up_after=20)
    report = send(peer.address, messages, Acknowledgements(None), window=8)
    peer.close()
    assert list(dict.fromkeys(peer.received)) == [message.data for message in messages]
    assert len(peer.received) > len(messages)
    assert report.accepted == len(messages)
    assert report.reconnects == 1


def test_a_second_run_skips_what_the_file_says_is_settled_unless_told_to_resend(
    messages, tmp_path: Path
):
    """The file of acknowledgements is the sender's memory."""
    path = tmp_path / "acknowledged.tsv"
    peer = Peer()
    first = Acknowledgements(path)
    send(peer.address, messages[:30], first)
    first.close()
    second = Acknowledgements(path)
    again = send(peer.address, messages, second)
    second.close()
    with Acknowledgements(path) as everything:
        third = send(peer.address, messages, everything, resend=True)
    peer.close()
    assert (again.skipped, again.sent) == (30, len(messages) - 30)
    assert third.sent == len(messages)
    lines = path.read_bytes().splitlines()
    assert lines[0].split(b"\t")[1:] == [messages[0].control_id.encode(), b"AA"]


def test_a_peer_that_never_listens_is_an_error_after_the_patience_is_over(messages):
    """A demo must not hang for ever."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = closed.getsockname()
    with pytest.raises(ConnectionError, match="nobody answers"):
        send(address, messages, Acknowledgements(None), patience=0.1)


def test_a_dropped_file_appears_only_when_it_is_whole(tmp_path: Path):
    """A watcher never sees half a file."""
    folder = tmp_path / "in"
    seen = []

    def files():
        for name in ("a.xml", "b.xml"):
            seen.append(sorted(p.name for p in folder.iterdir()))
            yield name, b"<x/>"

    assert drop(folder, files()) == 2
    assert seen == [[], ["a.xml"]]
    assert sorted(p.name for p in folder.iterdir()) == ["a.xml", "b.xml"]


def test_a_table_is_written_in_its_charset_and_an_empty_one_leaves_no_file(tmp_path: Path):
    """GB18030 for the public-health system."""
    assert drop_table(tmp_path, "t.csv", [{"姓名": "李四"}, {"姓名": "王五"}], codec="gb18030") == 2
    assert (tmp_path / "t.csv").read_text("gb18030") == "姓名\n李四\n王五\n"
    assert drop_table(tmp_path, "none.csv", []) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


def _get(url: str, token: str = "secret") -> dict:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_the_contract_interface_serves_all_agreements_in_pages_that_cut_none():
    """Following `next` gives each row once, in order."""
    api = ContractApi(lambda: agreement_rows(500, 1, online=True), "secret")
    api.start()
    try:
        found, page = [], "0"
        while page is not None:
            answer = _get(f"{api.url}?limit=7&page={page}")
            assert len({row["协议编号"] for row in answer["rows"]}) <= 7
            found += answer["rows"]
            page = answer["next"]
        assert found == [dict(row) for row in agreement_rows(500, 1, online=True)]
        assert (
            _get(f"{api.url}?limit=7&page=0")["rows"]
            == found[: len(_get(api.url + "?limit=7")["rows"])]
        )
        with pytest.raises(urllib.error.HTTPError, match="401"):
            _get(api.url, "wrong")
        with pytest.raises(urllib.error.HTTPError, match="400"):
            _get(api.url + "?page=x")
    finally:
        api.stop()
    online = [a for a in agreements(500, 1) if a.channel != "paper"]
    assert {row["协议编号"] for row in found} == {a.number for a in online}
