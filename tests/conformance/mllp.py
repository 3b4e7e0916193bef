"""The public MLLP suite: framing, answers, malformed messages, character sets, on a real socket.

Each case gets a listener of its own over a real journal in an embedded database.  Beside
what a case expects, every positive answer is checked: addresses turned round, MSA-2 equal
to MSH-10, MSH-9 = ACK^event^ACK, an MSH-10 of its own; and memory stays bounded.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import resource
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fhir_bridge import hl7v2
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from fhir_bridge.ingest import Intake, parse_feed
from fhir_bridge.journal import Appended, Message
from fhir_bridge.listeners import MllpServer
from fhir_bridge.search import Registry
from fhir_bridge.store import open_store
from tests.conformance.result import Result

FEED = """
title.en = "Conformance"
source = "hospital"
format = "hl7v2"
map = "urn:none"
[listener]
kind = "mllp"
port = 0
largest_frame = 4194304
frame_seconds = 10
"""
QUIET_SECONDS = 0.4
PATIENCE_SECONDS = 5.0
MOST_GROWTH = 64 * 1024 * 1024  # bytes of memory that one case may add
_CODE = re.compile(r"\b[AC][AER]\b")


class WatchedJournal(Intake):
    """The real journal's door, with a note of what was handed on."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.handed_on: list[bytes] = []
        self.repeated = 0

    def append(self, arrivals: Sequence[Message]) -> list[Appended]:
        """As the real one."""
        appended = super().append(arrivals)
        for arrival, answer in zip(arrivals, appended, strict=True):
            self.handed_on.append(arrival.data)
            self.repeated += answer.repeated
        return appended


def run(tree: Path) -> Iterator[Result]:
    """Results of all cases of `tree`."""
    lines = (tree / "cases.ndjson").read_text(encoding="utf-8").splitlines()
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(json.loads(line) for line in lines if line):
            yield _run_case(case, Path(folder) / f"{number}.sqlite3")
    for path in sorted((tree / "frames").glob("*.bin")):
        yield _run_frame(path)


def _run_case(case: dict[str, Any], database: Path) -> Result:
    store = open_store(f"sqlite:///{database}", registry=Registry(definitions()))
    journal = WatchedJournal(store)
    server = MllpServer([parse_feed("conformance", FEED)], journal)
    server.start()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with socket.create_connection(server.addresses["conformance"]) as peer:
            answers, still_open = _talk(peer, case)
        handed_on = list(journal.handed_on)
        alive = _still_serves(server.addresses["conformance"])
    finally:
        server.stop()
        store.close()
    growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    notes = [
        *_judge_answers(case, answers),
        *_judge_connection(case, still_open),
        *_judge_frames(case, handed_on),
        *_judge_text(case, handed_on),
        *_judge_repeat(case, journal),
    ]
    if not alive:
        notes.append("the listener no longer answers")
    if growth > MOST_GROWTH and case["id"] == "frame-oversize":
        notes.append(f"memory grew by {growth >> 20} MiB")
    return Result(case["id"], "failed" if notes else "passed", "; ".join(notes))


def _run_frame(path: Path) -> Result:
    """A reference frame is cut and made again byte for byte."""
    data = path.read_bytes()
    found = hl7v2.Framer().feed(data)
    same = len(found) == 1 and isinstance(found[0], hl7v2.Frame)
    same = same and hl7v2.frame(found[0].payload) == data  # type: ignore[union-attr]
    return Result(path.name, "passed" if same else "failed", "" if same else "not one frame")


def _talk(peer: socket.socket, case: dict[str, Any]) -> tuple[list[hl7v2.Message], bool]:
    """Send what the case says; the answers, and whether the peer kept the line open."""
    framer, answers = hl7v2.Framer(), []
    peer.settimeout(PATIENCE_SECONDS)
    closed = False
    with contextlib.suppress(ConnectionError, TimeoutError):
        for step in _steps(case):
            if isinstance(step, bytes):
                peer.sendall(step)
            elif step is None:
                return answers, False
            else:
                received, closed = _listen(peer, framer, step, 0)
                answers += received
    if not closed:
        wanted = 0 if "none" in case.get("expect_ack", "none") else 1
        with contextlib.suppress(ConnectionError):
            received, closed = _listen(peer, framer, QUIET_SECONDS, wanted - len(answers))
            answers += received
    return answers, not closed


def _steps(case: dict[str, Any]) -> Iterator[bytes | float | None]:
    generate = case.get("generate")
    if generate:
        yield base64.b64decode(generate.get("prefix_b64", ""))
        repeated = base64.b64decode(generate["repeat_b64"])
        for _ in range(generate["times"]):
            yield repeated
        yield base64.b64decode(generate.get("suffix_b64", ""))
    for step in case.get("send", ()):
        if "b64" in step:
            yield base64.b64decode(step["b64"])
        elif "pause_ms" in step:
            yield step["pause_ms"] / 1000
        elif step.get("close"):
            yield None


def _listen(
    peer: socket.socket, framer: hl7v2.Framer, seconds: float, wanted: int
) -> tuple[list[hl7v2.Message], bool]:
    """Answers within `seconds` of quiet (patience for the first `wanted`), and whether it closed."""
    answers: list[hl7v2.Message] = []
    until = time.monotonic() + (PATIENCE_SECONDS if wanted > 0 else seconds)
    while (left := until - time.monotonic()) > 0:
        peer.settimeout(left)
        try:
            data = peer.recv(65536)
        except TimeoutError:
            break
        except ConnectionError:
            return answers, True
        if not data:
            return answers, True
        for event in framer.feed(data):
            if isinstance(event, hl7v2.Frame):
                answers += [hl7v2.parse(part) for part in hl7v2.split_batch(event.payload)]
        if len(answers) >= wanted:
            until = min(until, time.monotonic() + seconds)
    return answers, False


def _still_serves(address: tuple[str, int]) -> bool:
    """A good message on a new connection is still answered AA."""
    message = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|ALIVE|P|2.5\rPID|1||1\r"
    with socket.create_connection(address) as peer:
        peer.sendall(hl7v2.frame(message))
        answers, _ = _listen(peer, hl7v2.Framer(), QUIET_SECONDS, 1)
    return [_code(answer) for answer in answers] == ["AA"]


def _code(answer: hl7v2.Message) -> str:
    return str(answer.get("MSA").get("f1"))


def _judge_answers(case: dict[str, Any], answers: list[hl7v2.Message]) -> Iterator[str]:
    expected, codes = case.get("expect_ack"), [_code(answer) for answer in answers]
    inbound = _inbound(case)
    yield from (note for answer in answers for note in _judge_answer(answer, inbound))
    condition = re.search(r"ERR-3 = (\d+)", case.get("expect", ""))
    if condition:
        errors = [answer.get("ERR").get("f3") for answer in answers if answer.get("ERR")]
        if not errors or errors[0].get("c1") != condition[1]:
            yield f"ERR-3 is not {condition[1]}"
    if expected is None or expected == "any":
        return
    if "at least once" in expected:
        right = "AA" in codes
    elif "as the last answer" in expected:
        right = bool(codes) and codes[-1] == "AA"
    elif "," in expected:
        right = codes == [code.strip() for code in expected.split(",")]
    else:
        allowed = set(_CODE.findall(expected))
        if "NAK" in expected:
            allowed |= {"AE", "AR", "CE", "CR"}
        right = bool(codes) and set(codes) <= allowed
        if not codes:
            right = "none" in expected
    if not right:
        yield f"expected {expected}, got {','.join(codes) or 'none'}"


def _inbound(case: dict[str, Any]) -> hl7v2.Message | None:
    """The first message the case sends, where it can be read at all."""
    sent = b"".join(step for step in _steps(case) if isinstance(step, bytes))[:1_000_000]
    for event in hl7v2.Framer().feed(sent):
        if isinstance(event, hl7v2.Frame):
            with contextlib.suppress(BridgeError):
                return hl7v2.parse(hl7v2.split_batch(event.payload)[0])
    return None


def _judge_answer(answer: hl7v2.Message, inbound: hl7v2.Message | None) -> Iterator[str]:
    """What holds for every answer to a message that can be read."""
    if inbound is None or _code(answer) not in {"AA", "CA"}:
        return
    asked, given = inbound.header.fields, answer.header.fields
    if given[3:5] != asked[5:7] or given[5:7] != asked[3:5]:
        yield "addresses are not turned round"
    if answer.get("MSA").fields[2] != inbound.control_id:
        yield "MSA-2 is not MSH-10"
    if not answer.control_id:
        yield "the answer has no MSH-10"
    if answer.message_type != ("ACK", inbound.message_type[1], "ACK"):
        yield "MSH-9 of the answer is not ACK^event^ACK"


def _judge_connection(case: dict[str, Any], still_open: bool) -> Iterator[str]:
    expected = case.get("connection_after", "open|closed").split("|")
    if ("open" if still_open else "closed") not in expected:
        yield f"the connection is {'open' if still_open else 'closed'}"


def _judge_frames(case: dict[str, Any], handed_on: list[bytes]) -> Iterator[str]:
    expected = [base64.b64decode(each) for each in case.get("expect_frames_b64", ())]
    if expected and handed_on != expected:
        yield f"{len(handed_on)} payloads were handed on instead of {len(expected)}, or they differ"


def _judge_text(case: dict[str, Any], handed_on: list[bytes]) -> Iterator[str]:
    """Names that a case expects to be read."""
    found = re.search(r"name read as (\S+) ([^\s;]+)|^(\S+) (\S+?)(?:, or AE.*)?$", case["expect"])
    if not found or not case["id"].startswith("enc-") or not handed_on:
        return
    family, given = [part for part in found.groups() if part]
    name = hl7v2.parse(handed_on[0]).get("PID").get("f5")
    if (name, name.get("c2")) != (family, given):
        yield f"the name is read as {name} {name.get('c2')}"


def _judge_repeat(case: dict[str, Any], journal: WatchedJournal) -> Iterator[str]:
    if case["id"] == "ack-duplicate-control-id" and journal.repeated != 1:
        yield "the second delivery was not known as a repeat"
