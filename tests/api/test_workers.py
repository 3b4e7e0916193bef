"""Several processes on one port: the command itself, real sockets, real signals."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge.app import worker_count
from fhir_bridge.config import load_settings
from tests.api.test_resources import PATIENT
from tests.journeys.site import Site
from tests.store.databases import scratch_schema

COUNT = 2


def workers_of(process: subprocess.Popen[bytes]) -> set[int]:
    """The worker processes that `process` started and that still run."""
    tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
    children = [int(pid) for task in tasks for pid in task.read_text().split()]
    return {pid for pid in children if is_worker(pid)}


def is_worker(pid: int) -> bool:
    """Whether there is such a process and it is a worker (and not dead, waiting to be read)."""
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def until(condition: Callable[[], Any], seconds: float = 180.0) -> None:
    """Look again and again until `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def ask(
    port: int, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, bytes]:
    """One request on a connection of its own, so that any worker may take it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    data = None if body is None else json.dumps(body).encode()
    connection.request(method, path, data, {"Content-Type": "application/fhir+json", **headers})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site of its own."""
    made = Site(tmp_path)
    yield made
    made.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'record.sqlite3'}"
        return
    url = os.environ.get("FHIR_BRIDGE_TEST_POSTGRESQL")
    if not url:
        pytest.skip("FHIR_BRIDGE_TEST_POSTGRESQL names no server")
    with scratch_schema(url) as scoped:
        yield scoped


def serve(site: Site, log: Path, *options: object) -> subprocess.Popen[bytes]:
    """The service with two workers, when both run and one answers."""
    arguments = ("serve", "--data", site.data, "--port", site.port, "--workers", COUNT, *options)
    process: subprocess.Popen[bytes] = site.start(*arguments, log=log)
    site.until(lambda: site.status("metadata") == 200, process)
    assert COUNT == len(workers_of(process))
    return process


@pytest.mark.parametrize(
    ("database", "workers", "count"),
    [
        ("", "auto", 1),
        ("sqlite:////srv/record.sqlite3", "auto", 1),
        ("postgresql+psycopg://host/name", "auto", min(8, len(os.sched_getaffinity(0)))),
        ("postgresql+psycopg://host/name", "1", 1),
        ("", "3", 3),
    ],
)
def test_the_number_of_workers_suits_machine_and_database(
    database: str, workers: str, count: int
) -> None:
    """As set; else one on SQLite and one for each core on PostgreSQL."""
    chosen = {"FHIR_BRIDGE_DATABASE": database, "FHIR_BRIDGE_WORKERS": workers}
    assert count == worker_count(load_settings(chosen))


def test_workers_share_the_port_the_record_and_the_counts(
    site: Site, database: str, tmp_path: Path
) -> None:
    """No update is lost, every page link holds and every request is counted, whoever answers."""
    process = serve(site, tmp_path / "log", "--database", database)
    assert 201 == ask(site.port, "PUT", "/fhir/Patient/li", PATIENT | {"id": "li"})[0]

    def add(number: int) -> None:
        """Read, add a tag, write with If-Match, until it succeeds."""
        for _ in range(200):
            present = json.loads(ask(site.port, "GET", "/fhir/Patient/li")[1])
            tags = [*present["meta"].get("tag", []), {"code": f"t{number}"}]
            body = {**present, "meta": {"tag": tags}}
            match = {"If-Match": f'W/"{present["meta"]["versionId"]}"'}
            if ask(site.port, "PUT", "/fhir/Patient/li", body, **match)[0] == 200:
                return
        raise AssertionError("no turn")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(16)))
    tags = json.loads(ask(site.port, "GET", "/fhir/Patient/li")[1])["meta"]["tag"]
    assert {f"t{number}" for number in range(16)} == {each["code"] for each in tags}

    link, seen = f"{site.base}/Patient/li/_history?_count=1", []
    while link:
        page = json.loads(ask(site.port, "GET", link.partition(str(site.port))[2])[1])
        seen += [each["resource"]["meta"]["versionId"] for each in page["entry"]]
        link = next((each["url"] for each in page["link"] if each["relation"] == "next"), "")
    assert [str(version) for version in range(17, 0, -1)] == seen

    for _ in range(20):
        ask(site.port, "GET", "/fhir/Practitioner?_id=none")
    lines = ask(site.port, "GET", "/metrics")[1].decode().splitlines()
    assert 'fhir_bridge_requests_total{interaction="search-type",status="2xx"} 20' in lines

    workers = workers_of(process)
    process.send_signal(signal.SIGTERM)
    assert 0 == process.wait(30)
    assert not any(map(is_worker, workers))
    with pytest.raises(ConnectionRefusedError):
        ask(site.port, "GET", "/health")


def test_a_worker_that_dies_is_started_again(site: Site, tmp_path: Path) -> None:
    """Killed: new connections are answered all the time, the log says so, a new one comes."""
    process = serve(site, tmp_path / "log")
    killed = min(workers_of(process))
    os.kill(killed, signal.SIGKILL)
    until(lambda: killed not in workers_of(process))
    assert {200} == {ask(site.port, "GET", "/health")[0] for _ in range(20)}
    until(lambda: len(workers_of(process)) == COUNT)
    line = next(each for each in (tmp_path / "log").read_text().splitlines() if "ended" in each)
    assert ("worker_ended", killed, -9) == tuple(
        json.loads(line)[name] for name in ("event", "pid", "code")
    )


def test_no_worker_outlives_a_killed_service(site: Site, tmp_path: Path) -> None:
    """Kill -9 of the first process: the workers go and the port is free."""
    process = serve(site, tmp_path / "log")
    workers = workers_of(process)
    process.kill()
    process.wait()
    until(lambda: not any(map(is_worker, workers)), 20)
    with pytest.raises(ConnectionRefusedError):
        ask(site.port, "GET", "/health")
