"""The access log: small lines that come back whole, from a file that a killed process leaves."""

import os
import signal
import sys
from dataclasses import replace
from subprocess import PIPE, Popen
from uuid import uuid4

import pytest

from fhir_bridge.audit import AccessLog, Agent
from fhir_bridge.audit.line import MAX_QUERY
from fhir_bridge.audit.log_file import LogFile
from tests.audit.building import AT, DOCTOR, record

RECORDS = [
    record(),
    record(agent=Agent()),
    record(agent=replace(DOCTOR, reason="昏迷\t在急诊\n", purpose="BTG")),
    record("search-type", id="", query="GET /fhir/Patient?name=%E5%BC%A0", patients=("p", "q")),
    record("vread", version="3", patients=(), unresolved=("Observation/o", f"Patient/{uuid4()}")),
    record(status=403, code="FB-4204", patients=()),
    record(id=str(uuid4()), patients=(str(uuid4()), "~x", "p"), consent=str(uuid4())),
    record("batch", resource_type="", id="", patients=()),
]


def _read(folder):
    [path] = folder.glob("*.log")
    return [found for _, found in LogFile(path).records()]


def test_what_is_written_is_what_is_read(tmp_path):
    """Every field of every kind, however odd."""
    log = AccessLog(tmp_path)
    for each in RECORDS:
        log.append(each)

    assert _read(tmp_path) == RECORDS


def test_a_read_takes_no_more_than_200_bytes(tmp_path):
    """With ids as long as ours are, and the agent of a session that is known."""
    log = AccessLog(tmp_path)
    agent = Agent(*(str(uuid4()) for _ in range(6)), purpose="TREAT", token="abcdef")
    one = record(
        agent=agent,
        id=str(uuid4()),
        patients=(str(uuid4()),),
        consent=str(uuid4()),
        request_id=str(uuid4()),
    )
    log.append(one)

    assert log.append(replace(one, at=AT + 59_000)) <= 200


def test_a_query_of_any_length_and_content_stays_one_line(tmp_path):
    """It is cut, and control characters become blanks."""
    log = AccessLog(tmp_path)
    log.append(record("search-type", query="a\tb\nc" + "x" * 9_000))
    log.append(record())
    first, second = _read(tmp_path)

    assert first.query.startswith("a b cxx")
    assert len(first.query) == MAX_QUERY + 1
    assert second == record()


def test_a_file_does_not_grow_for_ever(tmp_path):
    """After a minute another is begun, and the first may be taken away."""
    log = AccessLog(tmp_path)
    log.append(record())
    log.append(replace(record(), at=AT + 61_000))
    old, new = sorted(tmp_path.glob("*.log"))

    assert (LogFile(old).grows(), LogFile(new).grows()) == (False, True)


def test_a_line_that_is_not_whole_waits(tmp_path):
    """It is read when the rest of it is there."""
    AccessLog(tmp_path).append(record())
    [path] = tmp_path.glob("*.log")
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    file = LogFile(path)

    assert list(file.records()) == []
    path.write_bytes(whole)
    assert [found for _, found in file.records()] == [record()]


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    """Half a line is no line; the next record begins a file of its own."""
    log = AccessLog(tmp_path)
    log.append(record())
    real = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, data: real(file, data[:5]))
        with pytest.raises(OSError, match="part of a line"):
            log.append(record())
    log.append(record())

    assert len(list(tmp_path.glob("*.log"))) == 2


_WRITER = """
import sys
from pathlib import Path
from fhir_bridge.audit import AccessLog
from tests.audit.building import record
log = AccessLog(Path(sys.argv[1]))
for number in range(10**9):
    log.append(record(id=str(number)))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_what_was_answered_before_a_kill_is_in_the_log(tmp_path):
    """The process dies at once, in the middle of whatever it does."""
    with Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=PIPE, text=True) as writer:
        answered = [int(next(writer.stdout)) for _ in range(500)]
        writer.send_signal(signal.SIGKILL)
    [path] = tmp_path.glob("*.log")
    kept = {int(found.id) for _, found in LogFile(path).records()}

    assert kept >= set(answered)
    assert not LogFile(path).grows()
