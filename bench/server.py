"""Any FHIR R4 server by its base URL: ingest, reads, searches, a page, a count, history.

``python bench/server.py [--url http://127.0.0.1:8090/fhir] [--patients 300] [--seconds 3]``
sends seeded transactions (a Patient, an Encounter and eight Observations each), then asks
each kind of question for some seconds over kept-alive connections, and prints requests/s,
the 50th and 99th percentile, and answers that were not as expected.  Peers are measured
beside us by the same command.  Without ``--url`` our own server is started on loopback with
a fresh SQLite record (or ``--database``).  ``--pid`` names the processes of a local server,
database included, so that requests per CPU-second are printed too.  Each run uses an
identifier and code system of its own, so that a record may hold other things.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import requests

ROOT = Path(__file__).parents[1]
ENTRIES = 10
CODES = [f"{number}-{number % 10}" for number in range(1000, 1020)]
_SURNAMES, _GIVEN = "王李张刘陈杨黄赵吴周", "明芳伟秀英敏静丽强磊"
_SERVE = """
import sys
from pathlib import Path
from fhir_bridge.api import bind, serve
from fhir_bridge.app import build, web_application
from fhir_bridge.config import load_settings

folder, port, database = sys.argv[1:]
settings = load_settings({}, data=Path(folder), port=int(port), database=database, log_level="ERROR")
listener = bind(settings.host, settings.port)
serve(web_application(build(settings)), settings.host, settings.port, 8, listener=listener).wait()
"""

Ask = Callable[[requests.Session, random.Random], str]
"""One request; answers what was wrong with the answer, or ""."""


@dataclass
class Workload:
    """What is sent, and what is known of it afterwards."""

    base: str
    label: str
    headers: dict[str, str]
    seed: int
    patients: list[str] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)

    def bundle(self, number: int) -> bytes:
        """The transaction of patient `number`; the same for the same seed and label."""
        chance = random.Random(self.seed * 1_000_003 + number)
        urn = [f"urn:uuid:{UUID(int=chance.getrandbits(128), version=4)}" for _ in range(ENTRIES)]
        made = [self._patient(number, chance), self._encounter(urn[0], chance)]
        made += [self._observation(urn[0], chance) for _ in range(ENTRIES - len(made))]
        entries = [
            {
                "fullUrl": each,
                "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for each, resource in zip(urn, made, strict=True)
        ]
        return json.dumps(
            {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        ).encode()

    def _patient(self, number: int, chance: random.Random) -> dict[str, Any]:
        family, given = chance.choice(_SURNAMES), "".join(chance.choices(_GIVEN, k=2))
        return {
            "resourceType": "Patient",
            "identifier": [{"system": f"urn:bench:{self.label}", "value": f"P{number:07d}"}],
            "active": True,
            "name": [{"text": family + given, "family": family, "given": [given]}],
            "gender": chance.choice(["male", "female"]),
            "birthDate": f"{chance.randint(1930, 2020)}-{chance.randint(1, 12):02d}-11",
        }

    def _encounter(self, patient: str, chance: random.Random) -> dict[str, Any]:
        day = f"2024-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
        return {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                "code": "AMB",
            },
            "subject": {"reference": patient},
            "period": {"start": f"{day}T08:00:00+08:00", "end": f"{day}T09:00:00+08:00"},
        }

    def _observation(self, patient: str, chance: random.Random) -> dict[str, Any]:
        code = chance.choice(CODES)
        day = f"2024-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
        return {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": f"urn:bench:{self.label}", "code": code}]},
            "subject": {"reference": patient},
            "effectiveDateTime": f"{day}T{chance.randint(0, 23):02d}:15:00+08:00",
            "valueQuantity": {
                "value": chance.randint(10, 999) / 10,
                "unit": "mmol/L",
                "system": "http://unitsofmeasure.org",
                "code": "mmol/L",
            },
        }

    def send(self, session: requests.Session, number: int) -> str:
        """Sends one transaction and remembers the id of its Patient."""
        body = self.bundle(number)
        answer = session.post(
            self.base, data=body, timeout=60,
            headers={"Content-Type": "application/fhir+json", **self.headers},
        )  # fmt: skip
        if answer.status_code != 200:
            return f"{answer.status_code}: {answer.text[:300]}"
        location = answer.json()["entry"][0]["response"]["location"]
        self.patients.append(location.split("Patient/")[1].split("/")[0])
        self.codes.update(
            entry["resource"]["code"]["coding"][0]["code"]
            for entry in json.loads(body)["entry"]
            if entry["resource"]["resourceType"] == "Observation"
        )
        return ""

    def get(self, session: requests.Session, path: str, **query: str) -> Any:
        """The JSON of an answer; an error becomes {"error": …}."""
        answer = session.get(f"{self.base}/{path}", params=query, headers=self.headers, timeout=60)
        if answer.status_code != 200:
            return {"error": f"{answer.status_code}: {answer.text[:300]}"}
        return answer.json()

    def questions(self) -> dict[str, Ask]:
        """Every kind of question by name."""
        return {
            "read by id": self._read,
            "search by identifier": self._by_identifier,
            "page of 50 with _include": self._page,
            "count of a code": self._count,
            "history of a resource": self._history,
        }

    def _read(self, session: requests.Session, chance: random.Random) -> str:
        id_ = chance.choice(self.patients)
        found = self.get(session, f"Patient/{id_}")
        return "" if found.get("id") == id_ else f"not Patient/{id_}: {found}"[:300]

    def _by_identifier(self, session: requests.Session, chance: random.Random) -> str:
        value = f"P{chance.randrange(len(self.patients)):07d}"
        found = self.get(session, "Patient", identifier=f"urn:bench:{self.label}|{value}")
        matches = len(found.get("entry") or ())
        return "" if matches == 1 else f"{matches} matches, 1 expected: {found}"[:300]

    def _page(self, session: requests.Session, chance: random.Random) -> str:
        code = chance.choice(CODES)
        found = self.get(
            session, "Observation", code=f"urn:bench:{self.label}|{code}", _count="50",
            _include="Observation:subject", _sort="-date",
        )  # fmt: skip
        kinds = Counter(each["resource"]["resourceType"] for each in found.get("entry") or ())
        expected = min(50, self.codes[code])
        right = kinds["Observation"] == expected and bool(kinds["Patient"]) == bool(expected)
        return "" if right else f"{dict(kinds)}, {expected} expected: {found}"[:300]

    def _count(self, session: requests.Session, chance: random.Random) -> str:
        code = chance.choice(CODES)
        found = self.get(
            session, "Observation", code=f"urn:bench:{self.label}|{code}", _summary="count"
        )
        total, expected = found.get("total"), self.codes[code]
        return "" if total == expected else f"total {total}, {expected} expected: {found}"[:300]

    def _history(self, session: requests.Session, chance: random.Random) -> str:
        found = self.get(session, f"Patient/{chance.choice(self.patients)}/_history")
        return "" if len(found.get("entry") or ()) == 1 else f"not one version: {found}"[:300]


class Meter:
    """Runs one measurement and prints its line; remembers whether anything was wrong."""

    def __init__(self, connections: int, pids: list[int]) -> None:
        self._connections = connections
        self._pids = pids
        self.wrong = 0

    def measure(self, name: str, work: Callable[[requests.Session, int], Iterator[str]]) -> None:
        """`work` yields once a request, on each connection with its number."""
        lock, times, faults = threading.Lock(), list[float](), list[str]()

        def drive(number: int) -> None:
            with requests.Session() as session:
                began = time.perf_counter()
                for fault in work(session, number):
                    ended = time.perf_counter()
                    with lock:
                        times.append(ended - began)
                        if fault:
                            faults.append(fault)
                    began = time.perf_counter()

        used, began = _cpu_seconds(self._pids), time.perf_counter()
        with ThreadPoolExecutor(self._connections) as pool:
            list(pool.map(drive, range(self._connections)))
        spent, used = time.perf_counter() - began, _cpu_seconds(self._pids) - used
        self.wrong += len(faults)
        ordered = sorted(times)
        middle, late = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99))
        per_cpu = f"{len(times) / used:9,.0f} per CPU-second" if used else ""
        print(
            f"{name:30}{len(times) / spent:9,.0f}/s{per_cpu}  p50 {middle:7.2f} ms"
            f"  p99 {late:7.2f} ms  wrong {len(faults)} of {len(times)}",
            flush=True,
        )
        for fault in faults[:1]:
            print(f"  first: {fault}")


def _cpu_seconds(pids: list[int]) -> float:
    """User and system time that the processes have used (Linux)."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def own_server(database: str) -> Iterator[tuple[str, int]]:
    """Base URL and process of our own server, in one process, on a free port of loopback."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, folder, str(port), database], cwd=ROOT
        )
        base = f"http://127.0.0.1:{port}/fhir"
        try:
            _await(base, process)
            yield base, process.pid
        finally:
            process.terminate()
            process.wait(20)


def _await(base: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            if requests.get(f"{base}/metadata", timeout=30).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def run(workload: Workload, meter: Meter, patients: int, seconds: float) -> None:
    """Ingests, then asks each kind of question for `seconds`."""
    numbers, lock = iter(range(patients)), threading.Lock()

    def ingest(session: requests.Session, _: int) -> Iterator[str]:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            yield workload.send(session, number)

    meter.measure(f"transactions of {ENTRIES}", ingest)
    if not workload.patients:
        raise SystemExit("no transaction was taken")
    for name, ask in workload.questions().items():

        def asking(session: requests.Session, number: int, ask: Ask = ask) -> Iterator[str]:
            chance, until = random.Random(number), time.perf_counter() + seconds
            while time.perf_counter() < until:
                yield ask(session, chance)

        meter.measure(name, asking)


def main() -> None:
    """Measure one server; exit 1 when an answer was not as expected."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--url", help="FHIR base URL; default: our own server is started")
    parser.add_argument("--database", default="", help="database URL of our own server")
    parser.add_argument("--patients", type=int, default=300, help="transactions to send")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each kind of question")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--header", action="append", default=[], help="Name: value")
    parser.add_argument("--pid", type=int, action="append", default=[])
    chosen = parser.parse_args()
    headers = {"Accept": "application/fhir+json"}
    headers |= {
        each.split(":", 1)[0].strip(): each.split(":", 1)[1].strip() for each in chosen.header
    }
    meter = Meter(chosen.connections, list(chosen.pid))
    patients = min(chosen.patients, 100_000)

    def measure(base: str) -> None:
        workload = Workload(base.rstrip("/"), os.urandom(4).hex(), headers, chosen.seed)
        run(workload, meter, patients, min(chosen.seconds, 600.0))

    if chosen.url:
        measure(chosen.url)
    else:
        with own_server(chosen.database) as (base, pid):
            meter = Meter(chosen.connections, [pid])
            measure(base)
    if meter.wrong:
        raise SystemExit(f"{meter.wrong} answers were not as expected")


if __name__ == "__main__":
    main()
