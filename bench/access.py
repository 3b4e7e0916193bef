"""What access costs, in turns with the same requests of somebody who may see everything.

Usage: ``python bench/access.py [--resources 100000] [--grown 1000000] [--rounds 7] [--postgresql URL]``

One build, one record, one run: the rates of both sides alternate, by CPU time of this process (on
PostgreSQL the database's own time is not in it, so the wall clock is printed beside it).  Prints for
each kind of request its ratio and the least that is wanted; with ``--grown`` also how the requests of a
resident with 2,000 resources cost on a record grown to that size.
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # for tests.store.databases

from bench.store import resources
from fhir_bridge import clock
from fhir_bridge.access import Access, Caller, Role
from fhir_bridge.api import create_app
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.entitlement import Entitlements, Policy
from fhir_bridge.fhir import Resource, definitions
from fhir_bridge.search import Registry
from fhir_bridge.store import Store, open_store
from fhir_bridge.validation import Validator
from tests.api.world import World

_PANEL = 2_000
_OWN = 2_000


def people(panel: int) -> Iterator[Resource]:
    """A doctor whose team cares for every tenth patient, and a resident with much of their own."""
    yield {"resourceType": "Practitioner", "id": "doc"}
    member = {"member": {"reference": "Practitioner/doc"}}
    yield {"resourceType": "CareTeam", "id": "team", "status": "active", "participant": [member]}
    year = {"start": f"{clock.now().year}-01-01", "end": f"{clock.now().year}-12-31"}
    for patient in ["own", *(f"p{number * 10}" for number in range(panel))]:
        yield {
            "resourceType": "Contract", "id": f"c-{patient}", "status": "executed", "applies": year,
            "subject": [{"reference": f"Patient/{patient}"}],
            "term": [{"action": [{"performer": {"reference": "CareTeam/team"}}]}],
        }  # fmt: skip
    yield {
        "resourceType": "Patient",
        "id": "own",
        "identifier": [{"system": "urn:x", "value": "own"}],
    }
    for number in range(_OWN):
        yield {
            "resourceType": "Observation", "id": f"own-{number}", "status": "final",
            "category": [{"coding": [{"code": "laboratory"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
            "subject": {"reference": "Patient/own"}, "performer": [{"reference": "Practitioner/doc"}],
            "effectiveDateTime": f"2025-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        }  # fmt: skip


def fill(store: Store, made: Iterator[Resource], batch: int = 5_000) -> None:
    """Writes everything in batches."""
    waiting: list[Resource] = []
    for each in made:
        waiting.append(each)
        if len(waiting) == batch:
            with store.transaction() as transaction:
                transaction.put_many(waiting)
            waiting = []
    with store.transaction() as transaction:
        transaction.put_many(waiting)


class Bench:
    """A record and the two sides."""

    def __init__(self, url: str) -> None:
        profiles = Profiles.from_artifacts(Artifacts())
        self.registry = Registry(definitions(), profiles.search_parameters.values())
        self.store = open_store(url, registry=self.registry)
        self.services = _Services(self.registry, self.store)
        self.application = create_app(self.services).wsgi_app  # type: ignore[arg-type]

    def ask(self, url: str, caller: Caller | None) -> None:
        """One request as the server answers it, without sockets.

        With a caller the way from the caller to an access is in it.
        """
        path, _, query = url.partition("?")
        self.services.caller = caller
        environ = {
            **_ENVIRON, "PATH_INFO": f"/fhir/{path}", "QUERY_STRING": query, "wsgi.input": io.BytesIO(),
        }  # fmt: skip
        statuses: list[str] = []
        body = b"".join(self.application(environ, lambda status, _headers: statuses.append(status)))
        if statuses != ["200 OK"]:
            raise RuntimeError(f"{url}: {statuses} {body[:300]!r}")

    def pair(self, urls: list[str], caller: Caller, rounds: int, times: int) -> tuple[float, float]:
        """Ratio of rates by CPU time and by the wall clock: medians of rounds in turns."""
        ratios, walls = [], []
        for _ in range(rounds):
            spent = [
                _spent(lambda who=who: [self.ask(url, who) for url in urls], times)
                for who in (None, caller)
            ]
            ratios.append(spent[0][0] / spent[1][0])
            walls.append(spent[0][1] / spent[1][1])
        return statistics.median(ratios), statistics.median(walls)


class _Services(World):
    """What the edge needs; `caller` is who asks (None: somebody who may see everything)."""

    def __init__(self, registry: Registry, store: Store) -> None:
        super().__init__(store, registry, definitions(), Validator(definitions(), Profiles()))
        self.caller: Caller | None = None
        self.entitlements = Entitlements(store, Policy.load(Artifacts()))

    def access_for(self, _request: Any) -> Access:
        """Found out anew for each request."""
        if self.caller is None:
            return Access.everything()
        return self.entitlements.of(self.caller, clock.now())


_ENVIRON: dict[str, Any] = {
    "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8080",
    "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1:8080", "REMOTE_ADDR": "127.0.0.1",
    "HTTP_ACCEPT": "application/fhir+json", "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr,
}  # fmt: skip


def _spent(work: Callable[[], object], times: int) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(times):
        work()
    return time.process_time() - cpu, time.perf_counter() - wall


def kinds(panel: int) -> Iterator[tuple[str, float, Caller, list[str], int]]:
    """Each kind: its name, the least ratio, who asks, what, how often in a round."""
    chance = random.Random(1)
    doctor = Caller("d", roles=(Role("doctor", practitioner="doc"),))
    own = Caller("r", roles=(Role("resident", patient="own"),))
    some = [f"Patient/p{chance.randrange(panel) * 10}" for _ in range(200)]
    yield "read by id", 0.85, doctor, some, 3
    fifty = ",".join(f"p{number * 10}" for number in chance.sample(range(panel), 50))
    yield "page of 50 patients", 0.75, doctor, [f"Patient?_id={fifty}&_count=50"], 60
    numbers = [
        f"Patient?identifier=urn:oid:1.2.3.4|MRN{chance.randrange(panel) * 10:08d}"
        for _ in range(100)
    ]
    yield "identifier", 0.85, doctor, numbers, 3
    page = "Observation?patient=own&_count=50&_include=Observation:performer"
    yield "page of 50 with _include", 0.8, own, [page], 60
    yield "resident reads by id", 0.85, own, [f"Observation/own-{n}" for n in range(200)], 3


def main() -> None:
    """Prints a line a kind."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resources", type=int, default=100_000)
    parser.add_argument("--grown", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--postgresql", default="")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(chosen.postgresql or f"sqlite:///{folder}/record.sqlite3")
        fill(bench.store, resources(chosen.resources))
        panel = min(_PANEL, chosen.resources // 10)
        fill(bench.store, people(panel))
        for name, least, caller, urls, times in kinds(panel):
            cpu, wall = bench.pair(urls, caller, chosen.rounds, times)
            print(f"{name:28} cpu {cpu:.2f}  wall {wall:.2f}  wanted {least}")
        if chosen.grown:
            _grow(bench, chosen)


def _grow(bench: Bench, chosen: argparse.Namespace) -> None:
    """What a resident's requests cost before and after the record has grown."""
    own = Caller("r", roles=(Role("resident", patient="own"),))
    asked = [
        "Observation?_count=50",
        "Observation?patient=own&_count=50",
        "Condition?_count=50",
        "Observation/own-1",
    ]
    before = {url: _least(bench, url, own) for url in asked}
    more = (
        each for number, each in enumerate(resources(chosen.grown)) if number >= chosen.resources
    )
    fill(bench.store, more)
    for url in asked:
        print(f"{url:40} {_least(bench, url, own) / before[url]:.2f} times at {chosen.grown}")


def _least(bench: Bench, url: str, caller: Caller) -> float:
    return min(_spent(lambda: bench.ask(url, caller), 20)[0] for _ in range(5))


if __name__ == "__main__":
    main()
