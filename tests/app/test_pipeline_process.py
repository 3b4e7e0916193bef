"""The pipeline in a process of its own: it may die at any moment, and the service goes on."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from fhir_bridge.app import Product, build
from fhir_bridge.config import Settings
from fhir_bridge.demo.hospital_messages import registrations
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.ingest import pipeline_issues
from fhir_bridge.store import maintenance
from tests.store.databases import scratch_schema


def _message(control: str, number: str = "P1", name: str = "张三") -> bytes:
    return (
        f"MSH|^~\\&|HIS|H1|FB|C1|20260101120000||ADT^A01|{control}|P|2.5|||||||UNICODE UTF-8\r"
        f"EVN|A01|20260101120000\rPID|1||{number}^^^H1^MR||{name}||19700101|M\r"
        f"PV1|1|I|||||||||||||||||{number}\r"
    ).encode()


def _send(product: Product, *messages: bytes) -> int:
    """Send over MLLP and wait for the answers; how many were AA."""
    with socket.create_connection(product.mllp.addresses["hospital-his"], 60) as connection:
        connection.sendall(b"".join(b"\x0b" + each + b"\x1c\r" for each in messages))
        answers = b""
        while answers.count(b"\x1c\r") < len(messages):
            answers += connection.recv(65536)
    return answers.count(b"MSA|AA|")


def _until(condition: Callable[[], object], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)


def _health(product: Product) -> dict:
    settings = product.services.settings
    with urllib.request.urlopen(f"http://{settings.host}:{settings.port}/health") as answer:
        return json.load(answer)


def _runs(pid: int) -> bool:
    """Whether a process runs (one that ended and was not waited for does not)."""
    with suppress(OSError):
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        return text.rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.fixture
def start(settings: Settings) -> Iterator[Callable[..., Product]]:
    """Starts products whose `transform` is first looked at by a function, and stops them."""
    with ExitStack() as stopping:

        def started(look: Callable[[bytes], None] = lambda _: None, **chosen: object) -> Product:
            services = build(replace(settings, **chosen))  # type: ignore[arg-type]
            transformer = services.pipeline._transformer
            transform = transformer.transform

            def looking(record, feed):
                look(record.data)
                return transform(record, feed)

            transformer.transform = looking  # type: ignore[method-assign]
            product = Product(services, pipeline_workers=1)
            stopping.callback(product.stop)
            product.start()
            _until(lambda: product._pipeline.pid)
            return product

        yield started


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The setting of the database."""
    url = os.environ.get("FHIR_BRIDGE_TEST_POSTGRESQL")
    if request.param == "sqlite":
        yield ""
    elif not url:
        pytest.skip("no PostgreSQL (set FHIR_BRIDGE_TEST_POSTGRESQL)")
    else:
        with scratch_schema(url) as scratch:
            yield scratch


def test_a_worker_killed_again_and_again_loses_and_doubles_nothing(
    start: Callable[..., Product], database: str
) -> None:
    """Three times in the stream: each message is done, once, and health says what happened."""
    product = start(database=database)
    messages = [each.data for each in registrations(80, 1)]
    store, killed = product.services.store, set()
    assert _send(product, *messages) > 0.9 * len(messages)
    for _ in range(3):
        _until(lambda: product._pipeline.pid and product._pipeline.pid not in killed)
        time.sleep(0.15)
        if store.journal.has_pending():
            killed.add(product._pipeline.pid)
            os.kill(product._pipeline.pid, signal.SIGKILL)
    told = {}
    _until(lambda: told.update(_health(product)) or "FB-6023" in str(told))
    product.wait_until_idle(0.4)

    done = Counter(each.status for each in store.journal.latest(limit=10_000))
    resting = sum(each.message_id is not None for each in store.quarantine.list(limit=1000))
    counts = store.counts_by_type()
    assert len(killed) > 1
    assert told["status"] == "ok"
    assert (done["pending"], done["quarantined"]) == (0, resting)
    assert counts["Provenance"] == done["done"]
    assert maintenance.check(store).issues == ()


def test_a_message_that_kills_the_worker_is_set_aside_and_the_service_goes_on(
    start: Callable[..., Product],
) -> None:
    """Who sends meanwhile is answered; what stood behind it is recorded."""

    def poisonous(data: bytes) -> None:
        if b"POISON" in data:
            os.kill(os.getpid(), signal.SIGKILL)

    product = start(poisonous)
    store = product.services.store
    assert 3 == _send(product, _message("M1"), _message("M2", "P2", "POISON"), _message("M3", "P3"))
    _until(lambda: pipeline_issues(store))
    assert 1 == _send(product, _message("M4", "P4"))
    product.wait_until_idle(0.4)

    (item,) = store.quarantine.list()
    assert (item.control_id, item.issues[0].code) == ("M2", "FB-6021")
    assert store.counts_by_type()["Patient"] == 3
    (found,) = (issue for issue in pipeline_issues(store) if issue.code == "FB-6023")
    assert found.details == {"reason": "SIGKILL", "count": "2"}


def test_a_message_that_takes_all_the_memory_is_set_aside(start: Callable[..., Product]) -> None:
    """The limit is the worker's, not the service's."""
    (line,) = (
        each
        for each in Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        if each.startswith("VmData")
    )
    held: list[bytearray] = []

    def hungry(data: bytes) -> None:
        if b"HUNGRY" in data:
            held.append(bytearray(700 << 20))

    product = start(hungry, pipeline_memory=int(line.split()[1]) // 1024 + 500)
    _send(product, _message("M1"), _message("M2", "P2", "HUNGRY"), _message("M3", "P3"))
    product.wait_until_idle(0.4)

    store = product.services.store
    assert [item.issues[0].code for item in store.quarantine.list()] == ["FB-6021"]
    assert store.counts_by_type()["Patient"] == 2
    (found,) = (issue for issue in pipeline_issues(store) if issue.code == "FB-6023")
    assert found.details["reason"] == "out of memory"


def test_a_message_that_never_ends_can_be_skipped(
    start: Callable[..., Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator sees it and puts it aside; the worker leaves it at once."""
    monkeypatch.setattr("fhir_bridge.ingest.keeper._LONG_SECONDS", 0.2)

    def endless(data: bytes) -> None:
        while b"ENDLESS" in data:
            time.sleep(1)

    product = start(endless)
    store = product.services.store
    _send(product, _message("M1"), _message("M2", "P2", "ENDLESS"), _message("M3", "P3"))
    _until(store.at_work.messages)
    stuck = next(each for each in store.journal.pending() if each.control_id == "M2")
    store.quarantine.set_aside(stuck.message_id, Issue("FB-6022", "error"))
    product.wait_until_idle(0.4)

    assert [item.issues[0].code for item in store.quarantine.list()] == ["FB-6022"]
    assert store.counts_by_type()["Patient"] == 2


def test_without_its_keeper_the_work_goes_on_in_the_service(start: Callable[..., Product]) -> None:
    """Nobody is left behind, nothing waits."""
    product = start()
    worker = product._pipeline.pid
    os.kill(product._pipeline._keeper, signal.SIGKILL)
    _until(lambda: not _runs(worker))
    _send(product, _message("M1"))
    product.wait_until_idle(0.4)

    assert product.services.store.counts_by_type()["Patient"] == 1


def test_stopping_ends_worker_and_keeper(start: Callable[..., Product]) -> None:
    """In order and soon; the next start finds nothing to count."""
    product = start()
    processes = product._pipeline.pid, product._pipeline._keeper
    _send(product, _message("M1"))
    product.wait_until_idle(0.4)
    began = time.monotonic()
    product._pipeline.stop()

    assert time.monotonic() - began < 5
    assert not any(map(_runs, processes))
    with pytest.raises(ProcessLookupError):
        os.kill(processes[1], 0)


def test_storage_that_fails_the_worker_only_is_told_by_the_service(
    start: Callable[..., Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service tries a write of its own and tells what that meets."""
    product = start()
    store = product.services.store
    product._pipeline._told[3] = 1
    monkeypatch.setattr(
        store.settings, "write", lambda *_: (_ for _ in ()).throw(BridgeError("FB-5013"))
    )
    _until(lambda: "FB-5013" in str(_health(product)))
