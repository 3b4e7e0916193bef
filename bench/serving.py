"""Production servers beside each other: the same application, the same requests.

``python bench/serving.py [--seconds 3] [--servers waitress,cheroot,gunicorn]`` starts each server
in a process of its own over a record of 2,000 patients, asks for reads by id and for
identifier searches over 1, 8 and 64 kept-alive connections, and prints requests/s, requests
per CPU-second of the server, and the 50th and 99th percentile of the time to answer.

``python bench/serving.py --workers 1,2 [--rounds 3] [--database URL]`` compares numbers of worker
processes instead: all are started, and asked one after another in each round, so that other
load of the machine meets all of them alike; the median round is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
PATIENTS = 2000
TICKS = os.sysconf("SC_CLK_TCK")


def application() -> object:
    """The API over the record that the bench has filled; called inside the server process."""
    sys.path.insert(0, str(ROOT))
    from tests.api.world import open_world

    return open_world(os.environ["BENCH_DATABASE"]).client().application


def site(url: str, measures: Any) -> Any:
    """What a worker process serves."""
    sys.path.insert(0, str(ROOT))
    from fhir_bridge.api import WorkerApp, create_app
    from tests.api.world import open_world

    world = open_world(url)
    return WorkerApp(create_app(world, measures=measures), world.store.close)


def _filled(url: str) -> str:
    """The URL of a record with patients."""
    sys.path.insert(0, str(ROOT))
    from tests.api.world import open_world

    world = open_world(url)
    with world.store.transaction() as opened:
        opened.put_many(map(_patient, range(PATIENTS)))
    world.store.close()
    return url


def _patient(number: int) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": [{"system": "urn:h", "value": str(number)}],
        "name": [{"family": "李", "given": [f"明{number}"]}],
        "gender": "male",
        "birthDate": "1980-01-01",
        "address": [{"line": ["Somewhere 1"], "city": "Hangzhou", "postalCode": "310000"}],
    }


def _command(server: str, port: int) -> list[str]:
    made = "import sys; sys.path.insert(0, 'bench'); from serving import application; app = application()"
    if server == "gunicorn":
        return [
            sys.executable, "-m", "gunicorn", "-w", "1", "--threads", "8", "--chdir", "bench",
            "-b", f"127.0.0.1:{port}", "--log-level", "error", "serving:application()",
        ]  # fmt: skip
    if server.startswith("workers-"):
        count = server.removeprefix("workers-")
        begin = (
            "import os, sys, time; sys.path.insert(0, 'bench'); from serving import site; "
            "from fhir_bridge.api import Workers, bind, serve; url = os.environ['BENCH_DATABASE']; "
            f"listener = bind('127.0.0.1', {port}); "
        )
        if count == "1":
            alone = "serve(site(url, None).app, '', 0, 8, listener=listener).wait()"
            return [sys.executable, "-c", begin + alone]
        several = (
            f"Workers(site, url, listener, count={count}, threads=8).start(); time.sleep(9999)"
        )
        return [sys.executable, "-c", begin + several]
    started = {
        "waitress": f"from fhir_bridge.api import serve; serve(app, '127.0.0.1', {port}, 8).wait()",
        "cheroot": "from cheroot.wsgi import Server; "
        f"Server(('127.0.0.1', {port}), app, numthreads=8).start()",
    }[server]
    return [sys.executable, "-c", f"{made}; {started}"]


def _request(kind: str, number: int) -> bytes:
    """An HTTP request: a read, an identifier search, or an update that changes something."""
    host = "HTTP/1.1\r\nHost: localhost\r\n"
    if kind == "read":
        return f"GET /fhir/Patient/p{number} {host}\r\n".encode()
    if kind == "identifier":
        return f"GET /fhir/Patient?identifier=urn:h%7C{number} {host}\r\n".encode()
    changed = {**_patient(number), "birthDate": f"19{time.perf_counter_ns() % 90 + 10}-01-01"}
    body = json.dumps(changed).encode()
    head = f"Content-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n\r\n"
    return f"PUT /fhir/Patient/p{number} {host}{head}".encode() + body


async def _drive(port: int, connections: int, seconds: float, kind: str) -> list[float]:
    """Times to answer of all requests that `connections` sent one after another."""
    times: list[float] = []
    stop = time.perf_counter() + seconds

    async def one(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        number = first
        while time.perf_counter() < stop:
            number = (number + 7) % PATIENTS
            message = _request(kind, number)
            began = time.perf_counter()
            writer.write(message)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if not head.startswith(b"http/1.1 200"):
                raise SystemExit(f"not served: {head[:100]!r}")
            length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
            times.append(time.perf_counter() - began)
            if b"connection: close" in head:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    await asyncio.gather(*(one(number * 31) for number in range(connections)))
    return times


def _cpu_seconds(pid: int) -> float:
    """CPU of a process and its children."""
    total = 0.0
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for each in [pid, *map(int, children)]:
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _started(server: str, url: str) -> tuple[subprocess.Popen[bytes], int]:
    """The server's process and its port, warm."""
    port = _free_port()
    process = subprocess.Popen(
        _command(server, port), cwd=ROOT, env={**os.environ, "BENCH_DATABASE": url}
    )
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    asyncio.run(_drive(port, 16, 2.0, "read"))
    return process, port


def _compared(
    servers: list[str], url: str, seconds: float, rounds: int, kinds: list[str]
) -> Iterator[str]:
    """The servers run side by side and are asked in turn."""
    running = {server: _started(server, url) for server in servers}
    try:
        for kind in kinds:
            for connections in (1, 8, 64):
                found: dict[str, list[tuple[float, float, float]]] = {each: [] for each in servers}
                for _ in range(rounds):
                    for server, (process, port) in running.items():
                        before = _cpu_seconds(process.pid)
                        times = sorted(asyncio.run(_drive(port, connections, seconds, kind)))
                        used = _cpu_seconds(process.pid) - before
                        ninety_ninth = times[int(len(times) * 0.99)] * 1000
                        found[server].append(
                            (len(times) / seconds, len(times) / used, ninety_ninth)
                        )
                for server, each in found.items():
                    rate, per_cpu, slowest = (median(column) for column in zip(*each, strict=True))
                    yield (
                        f"{server:9} {kind:10} {connections:3} connections  {rate:6.0f}/s"
                        f"  {per_cpu:6.0f} per CPU-second  p99 {slowest:6.2f} ms"
                    )
    finally:
        for process, _ in running.values():
            process.terminate()
        for process, _ in running.values():
            process.wait(10)


def _measured(server: str, url: str, seconds: float) -> Iterator[str]:
    process, port = _started(server, url)
    try:
        for kind in ("read", "identifier"):
            for connections in (1, 8, 64):
                before = _cpu_seconds(process.pid)
                times = sorted(asyncio.run(_drive(port, connections, seconds, kind)))
                used = _cpu_seconds(process.pid) - before
                yield (
                    f"{server:9} {kind:10} {connections:3} connections  {len(times) / seconds:6.0f}/s"
                    f"  {len(times) / used:6.0f} per CPU-second"
                    f"  p50 {times[len(times) // 2] * 1000:6.2f} ms"
                    f"  p99 {times[int(len(times) * 0.99)] * 1000:6.2f} ms"
                )
    finally:
        process.terminate()
        process.wait(10)


def main() -> None:
    """Measure the servers named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--servers", default="waitress,cheroot,gunicorn")
    parser.add_argument("--workers", default="", help="numbers of worker processes to compare")
    parser.add_argument("--kinds", default="read,identifier,update")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", default="", help="an empty database; default: SQLite")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = _filled(chosen.database or f"sqlite:///{folder}/record.sqlite3")
        if chosen.workers:
            servers = [f"workers-{count}" for count in chosen.workers.split(",")]
            kinds = chosen.kinds.split(",")
            for line in _compared(servers, url, chosen.seconds, chosen.rounds, kinds):
                print(line, flush=True)
            return
        for server in chosen.servers.split(","):
            for line in _measured(server, url, chosen.seconds):
                print(line, flush=True)


if __name__ == "__main__":
    main()
