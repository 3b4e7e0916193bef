"""What a refused MLLP frame costs beside one that is taken, and what it does to others.

``python bench/refused_frames.py [--frames N]`` starts the MLLP server on a fresh SQLite
journal in this process and sends, in turns, frames that are taken and frames of several
faults, each with bytes of its own.  Printed is the CPU time of the server's thread a frame,
then the pace of a sender that waits for each answer, alone and beside a flood of small bad
frames from another connection.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable

from fhir_bridge import hl7v2
from fhir_bridge.fhir import definitions
from fhir_bridge.ingest import Intake, parse_feed
from fhir_bridge.listeners import MllpServer
from fhir_bridge.search import Registry
from fhir_bridge.store import open_store

FEED = """
title.en = "HIS"
source = "hospital"
format = "hl7v2"
maps."ADT" = "urn:none"
[listener]
kind = "mllp"
port = 0
"""
MESSAGE = (
    "MSH|^~\\&|HIS|H1|FB|C1|20260101120000||{kind}|{control}|{mode}|2.5\r"
    "EVN||20260101120000\r"
    "PID|1||{control}^^^H1^MR||张三^^^^^^L||19700101|M|||地址^^上海^^200000\r"
    "PV1|1|I|内科^101^1|||||||||||||||V{control}\r"
)
FAULTS: dict[str, Callable[[str], bytes]] = {
    "no HL7 v2 (FB-1101)": lambda control: f"bad frame {control}".encode(),
    "event of no standard (FB-1111)": lambda control: message(control, "ZZZ^Z99"),
    "no map (FB-6003)": lambda control: message(control, "SIU^S12"),
    "processing id (FB-1113)": lambda control: message(control, mode="T"),
    "not its character set (FB-1104)": lambda control: (
        message(control).replace(b"|2.5\r", b"|2.5||||||ASCII\r") + b"\xff"
    ),
}
_WINDOW = 100


def message(control: str, kind: str = "ADT^A01", mode: str = "P") -> bytes:
    """An admission as a hospital sends it."""
    return MESSAGE.format(control=control, kind=kind, mode=mode).encode()


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--flood", type=int, default=20_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/r.sqlite3", registry=Registry(definitions()))
        server = MllpServer([parse_feed("his", FEED)], Intake(store))
        server.start()
        try:
            _costs(server, chosen.frames)
            _pace(server, chosen.flood)
        finally:
            server.stop()
            store.close()


def _costs(server: MllpServer, frames: int) -> None:
    clock = _clock_of("mllp")
    found: dict[str, list[float]] = {}
    kinds: dict[str, Callable[[str], bytes]] = {"taken": message, **FAULTS}
    for turn in range(5):
        for name, make in kinds.items():
            payloads = [make(f"{turn}-{len(name)}-{number}") for number in range(frames)]
            began = clock()
            _send(server, payloads)
            found.setdefault(name, []).append((clock() - began) / frames)
    good = found["taken"]
    print(f"{'frame':<34}{'us CPU':>8}{'to taken':>10}")
    for name, each in found.items():
        ratio = statistics.median(one / other for one, other in zip(each, good, strict=True))
        print(f"{name:<34}{statistics.median(each) * 1e6:>8.0f}{ratio:>10.2f}")


def _pace(server: MllpServer, flood: int) -> None:
    """Answers a second of one who waits for each, alone and beside the flood."""
    alone = _answers(server, "alone", lambda: True, 2.0)
    payloads = [f"bad {number}".encode() for number in range(flood)]
    pouring = threading.Thread(target=_send, args=(server, payloads))
    pouring.start()
    time.sleep(0.2)
    beside = _answers(server, "beside", pouring.is_alive, 30.0)
    pouring.join()
    began = time.perf_counter()
    _send(server, [f"bad again {number}".encode() for number in range(flood)])
    print(f"{'one who waits, answers/s':<34}{alone:>8.0f}{'alone':>10}")
    print(f"{'':<34}{beside:>8.0f}{'beside a flood':>16}")
    print(f"flood of {flood} with nobody beside: {time.perf_counter() - began:.1f} s")


def _answers(server: MllpServer, name: str, going: Callable[[], bool], seconds: float) -> float:
    count, began = 0, time.perf_counter()
    with socket.create_connection(server.addresses["his"]) as peer:
        while going() and time.perf_counter() - began < seconds:
            peer.sendall(hl7v2.frame(message(f"{name}{count}")))
            while not peer.recv(65536).endswith(b"\x1c\r"):
                pass
            count += 1
    return count / (time.perf_counter() - began)


def _send(server: MllpServer, payloads: list[bytes]) -> None:
    """Send in windows and read every answer."""
    with socket.create_connection(server.addresses["his"]) as peer:
        for start in range(0, len(payloads), _WINDOW):
            part = payloads[start : start + _WINDOW]
            peer.sendall(b"".join(hl7v2.frame(each) for each in part))
            left = len(part)
            while left:
                left -= peer.recv(1 << 20).count(b"\x1c")


def _clock_of(name: str) -> Callable[[], float]:
    """CPU seconds of the thread of this name."""
    (found,) = (each for each in threading.enumerate() if each.name == name)
    assert found.ident is not None
    clock = time.pthread_getcpuclockid(found.ident)
    return lambda: time.clock_gettime(clock)


if __name__ == "__main__":
    main()
