"""kill -9 at any moment: what was acknowledged is recorded, and recorded once."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_bridge import hl7v2
from tests.ingest.conftest import adt, make_site

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def _killed_at_the_end(database: Path) -> Iterator[int]:
    """A receiving side in its own process; its port.  It never ends but by SIGKILL."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.listeners.crash_site", str(database)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            os.kill(process.pid, signal.SIGKILL)


def _send(port: int, numbers: list[int], seconds: float) -> set[int]:
    """Send in a stream for at most `seconds`; the numbers that were answered AA."""
    acknowledged: set[int] = set()
    framer = hl7v2.Framer()
    until = time.monotonic() + seconds
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as peer:
        for start in range(0, len(numbers), 20):
            part = numbers[start : start + 20]
            peer.sendall(b"".join(hl7v2.frame(_message(number)) for number in part))
            left = len(part)
            while left:
                peer.settimeout(max(0.01, until - time.monotonic()))
                for event in framer.feed(peer.recv(65536)):
                    answer = hl7v2.parse(event.payload)  # type: ignore[union-attr]
                    assert answer.get("MSA").get("f1") == "AA"
                    acknowledged.add(int(str(answer.get("MSA").get("f2"))[1:]))
                    left -= 1
    return acknowledged


def _message(number: int) -> bytes:
    return adt(f"P{number % 40}", visit=f"V{number}", control=f"M{number}").encode()


@pytest.mark.parametrize("seconds", [0.15, 0.4, 0.9])
def test_killed_in_the_stream_nothing_acknowledged_is_lost_or_doubled(
    tmp_path: Path, seconds: float
) -> None:
    """Kill, start again, send everything again: each visit is one Encounter of one version."""
    database, numbers = tmp_path / "record.sqlite3", list(range(600))
    with _killed_at_the_end(database) as port:
        acknowledged = _send(port, numbers, seconds)
    site = make_site(database)
    kept = {int(each.control_id[1:]) for each in site.store.journal.latest(limit=10_000)}
    site.store.close()

    with _killed_at_the_end(database) as port:
        again = _send(port, numbers, 300)

    site = make_site(database)
    site.pipeline.drain()
    encounters = site.resources("Encounter")
    site.store.close()
    assert acknowledged <= kept
    assert again == set(numbers)
    assert sorted(each["identifier"][0]["value"] for each in encounters) == sorted(
        f"V{number}" for number in numbers
    )
    assert {each["meta"]["versionId"] for each in encounters} == {"1"}
    assert len({each["subject"]["reference"] for each in encounters}) == 40
