"""Speed and size of the record: writes, reads, searches, counts, export, on one database.

Usage: ``python bench/store.py [--resources 100000] [--batch 20000] [--postgresql URL] [--profile]``

Made from seeded patients, encounters and laboratory observations (one patient in ten
resources).  Prints one line a measurement: rate per second of one client, the target, and the
CPU seconds this process spent; the database's own time on PostgreSQL is not in the latter.
The bulk load prints a line for each tenth (at least 10,000), so that a long run shows how the
cost of a resource grows, with what was written to disk and the memory of this process.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import random
import resource as system
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # for tests.store.databases

from fhir_bridge.access import Access
from fhir_bridge.fhir import definitions, parse_json, render_json
from fhir_bridge.search import Registry, parse_search, plan
from fhir_bridge.store import Store, open_store

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
_GIVEN = "明芳伟秀英敏静丽强磊军洋勇艳杰娟涛超霞平刚桂"
_CODES = [f"{number}-{number % 10}" for number in range(1000, 1060)]
_WORDS = ("Glucose", "Sodium", "Potassium", "Creatinine", "Haemoglobin", "Urea")


def resources(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Patients, each with one encounter and eight observations."""
    chance = random.Random(seed)
    patient = ""
    for number in range(count):
        kind = number % 10
        if kind == 0:
            patient = f"p{number}"
            yield _patient(patient, number, chance)
        elif kind == 1:
            yield _encounter(number, patient, chance)
        else:
            yield _observation(number, patient, chance)


def _patient(id_: str, number: int, chance: random.Random) -> dict[str, Any]:
    family = chance.choice(_SURNAMES)
    given = chance.choice(_GIVEN) + chance.choice(_GIVEN)
    return {
        "resourceType": "Patient",
        "id": id_,
        "identifier": [
            {"system": "urn:oid:2.16.156.10011.1.3", "value": f"{110101190001010000 + number}"},
            {"system": "urn:oid:1.2.3.4", "value": f"MRN{number:08d}"},
        ],
        "active": True,
        "name": [{"use": "official", "text": family + given, "family": family, "given": [given]}],
        "telecom": [{"system": "phone", "value": f"13{number:09d}"}],
        "gender": chance.choice(["male", "female"]),
        "birthDate": f"{chance.randint(1930, 2020)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
        "address": [{"text": f"和平路{number % 977}号", "city": "天津", "district": "和平区"}],
    }


def _encounter(number: int, patient: str, chance: random.Random) -> dict[str, Any]:
    day = f"2024-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
    return {
        "resourceType": "Encounter",
        "id": f"e{number}",
        "identifier": [{"system": "urn:oid:1.2.3.5", "value": f"V{number:08d}"}],
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/{patient}"},
        "period": {"start": f"{day}T08:00:00+08:00", "end": f"{day}T09:00:00+08:00"},
    }


def _observation(number: int, patient: str, chance: random.Random) -> dict[str, Any]:
    code = chance.choice(_CODES)
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "identifier": [{"system": "urn:oid:1.2.3.6", "value": f"L{number:08d}"}],
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "laboratory",
                    }
                ]
            }
        ],
        "code": {
            "coding": [
                {"system": "http://loinc.org", "code": code, "display": chance.choice(_WORDS)}
            ]
        },
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": f"2024-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
        f"T{chance.randint(0, 23):02d}:{chance.randint(0, 59):02d}:00+08:00",
        "valueQuantity": {
            "value": chance.randint(10, 999) / 10,
            "unit": "mmol/L",
            "system": "http://unitsofmeasure.org",
            "code": "mmol/L",
        },
        "interpretation": [{"coding": [{"system": "urn:interpretation", "code": "N"}]}],
    }


def _taken(source: Iterator[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The next resources, as if they had been read from a request."""
    return [parse_json(render_json(each)) for each in islice(source, count)]


class Bench:
    """One database under measurement."""

    def __init__(self, store: Store, count: int, batch: int) -> None:
        self.store = store
        self.count = count
        self.batch = batch
        self.everything = Access.everything()

    def run(self) -> None:
        """All measurements, in the order in which they need each other."""
        small = min(self.count // 5, 20_000)
        source = resources(self.count)
        written = _taken(source, small)
        self.index(written[:5_000])
        self.report("transactions of 10", 1_300, small, lambda: self.transactions(written))
        self.load(source, small)
        self.store.storage.database.vacuum()
        size = self.store.storage.database.size() / self.count
        print(f"{'bytes a resource, index included':44} {size:12,.0f}   target <= 2,000")
        self.report("read by id", 1_500, 5_000, self.reads)
        self.report(
            "unchanged resend, 10,000 at once", 0, 10_000, lambda: self.bulk(written[:10_000])
        )
        self.searches("identifier", 800, 2_000, lambda n: f"identifier=urn:oid:1.2.3.6|L{n:08d}")
        self.searches(
            "patient, sorted by date",
            0,
            1_000,
            lambda n: f"subject=Patient/p{n // 10 * 10}&_sort=-date",
        )
        self.searches(
            "patient and code, sorted by date", 0, 1_000,
            lambda n: f"subject=Patient/p{n // 10 * 10}&code={_CODES[n % 60]}&_sort=-date",
        )  # fmt: skip
        self.searches(
            "code and date",
            0,
            300,
            lambda n: f"code={_CODES[n % 60]}&date=2024-0{n % 9 + 1}&_sort=-date",
        )
        self.searches(
            "chain by name", 0, 100, lambda n: f"subject.name=wangming&code={_CODES[n % 60]}"
        )
        self.searches(
            "value above",
            0,
            100,
            lambda n: f"code={_CODES[n % 60]}&value-quantity=gt95|http://unitsofmeasure.org|mmol/L",
        )
        self.searches(
            "page of 50 with _include",
            150,
            500,
            lambda n: f"code={_CODES[n % 60]}&_count=50&_include=Observation:subject&_sort=-date",
        )
        self.searches(
            "name by pinyin",
            0,
            200,
            lambda n: f"name={['wang', 'li', 'zhang', 'liu'][n % 4]}",
            "Patient",
        )
        self.count_of("status=final")
        self.count_of("code=1001-1")
        self.report("export of bodies", 100_000, self.count, self.export)

    def index(self, written: list[dict[str, Any]]) -> None:
        """Index extraction alone."""
        for each in written[:100]:
            self.store.indexer.rows(each)
        began = time.perf_counter()
        rows = [self.store.indexer.rows(each) for each in written]
        spent = (time.perf_counter() - began) / len(written) * 1e6
        postings = sum(len(each.postings) for each in rows) / len(rows)
        print(
            f"{'index extraction, µs a resource':44} {spent:12,.1f}   target <= 100 ({postings:.1f} postings)"
        )

    def transactions(self, written: list[dict[str, Any]]) -> None:
        """Ten resources a transaction, each durable before the next begins."""
        for start in range(0, len(written), 10):
            with self.store.transaction() as tx:
                tx.put_many(written[start : start + 10])

    def load(self, source: Iterator[dict[str, Any]], done: int) -> None:
        """All that is left of `source`, in large batches; a line for each tenth."""
        step = max(self.count // 10, 10_000)
        while done < self.count:
            spent = cpu = 0.0
            disk, began_at = _written_to_disk(), done
            while done < self.count and done < began_at + step:
                batch = _taken(source, min(self.batch, began_at + step - done))
                at, used = time.perf_counter(), time.process_time()
                self.bulk(batch)
                spent, cpu = spent + time.perf_counter() - at, cpu + time.process_time() - used
                done += len(batch)
            loaded = done - began_at
            print(
                f"{f'bulk, batches of {self.batch:,}, up to {done:,}':44} {loaded / spent:12,.0f}/s"
                f" {'target >= 5,000':20} ({cpu / loaded * 1e6:,.0f} CPU µs each,"
                f"{self._written_since(disk, loaded)}"
                f" {_memory():,} MB resident at most)",
                flush=True,
            )

    def _written_since(self, disk: int, loaded: int) -> str:
        """What this process wrote; a PostgreSQL server writes for itself."""
        if self.store.storage.database.dialect != "sqlite":
            return ""
        return f" {(_written_to_disk() - disk) / loaded / 1024:.1f} KB to disk each,"

    def bulk(self, written: list[dict[str, Any]]) -> None:
        """Large batches, one transaction each."""
        for start in range(0, len(written), self.batch):
            with self.store.transaction() as tx:
                tx.put_many(written[start : start + self.batch])

    def reads(self) -> None:
        """Random resources by id."""
        chance = random.Random(2)
        for _ in range(5_000):
            number = chance.randrange(self.count) // 10 * 10
            if not self.store.read("Patient", f"p{number}", self.everything):
                raise SystemExit("a resource is missing")

    def searches(
        self,
        name: str,
        target: int,
        times: int,
        query: Callable[[int], str],
        of: str = "Observation",
    ) -> None:
        """One kind of search with changing values."""
        chance = random.Random(3)
        found = 0

        def work() -> None:
            nonlocal found
            for _ in range(times):
                number = chance.randrange(self.count) // 10 * 10 + 2
                pairs = [tuple(each.split("=", 1)) for each in query(number).split("&")]
                question = plan(parse_search(of, pairs, self.store.registry), self.store.registry)  # type: ignore[arg-type]
                found += len(self.store.find(question, self.everything).matches)

        self.report(f"search: {name}", target, times, work)
        print(f"{'':44} {found / times:12,.1f}   matches a page")

    def count_of(self, query: str) -> None:
        """The total of a search, in milliseconds."""
        pairs = [tuple(each.split("=", 1)) for each in query.split("&")]
        question = plan(
            parse_search("Observation", [*pairs, ("_summary", "count")], self.store.registry),  # type: ignore[list-item]
            self.store.registry,
        )
        self.store.find(question, self.everything)
        began = time.perf_counter()
        total = self.store.find(question, self.everything).total
        spent = (time.perf_counter() - began) * 1000
        print(f"{f'count of {query}: {total:,} hits, ms':44} {spent:12,.1f}   target < 100")

    def export(self) -> None:
        """Every body, streamed."""
        seen = sum(
            1 for kind in ("Patient", "Encounter", "Observation") for _ in self.store.bodies(kind)
        )
        if seen != self.count:
            raise SystemExit(f"{seen} of {self.count} exported")

    def report(self, name: str, target: int, times: int, work: Callable[[], None]) -> None:
        """Runs and prints one line."""
        cpu, began = time.process_time(), time.perf_counter()
        work()
        spent, cpu = time.perf_counter() - began, time.process_time() - cpu
        goal = f"target >= {target:,}" if target else ""
        print(
            f"{name:44} {times / spent:12,.0f}/s {goal:20} ({cpu / times * 1e6:,.0f} CPU µs each)",
            flush=True,
        )


def _memory() -> int:
    """The most memory this process has had, in megabytes."""
    return system.getrusage(system.RUSAGE_SELF).ru_maxrss >> 10


def _written_to_disk() -> int:
    """Bytes that this process gave to the disk so far; 0 where the system does not say."""
    counters = Path("/proc/self/io")
    if not counters.exists():
        return 0
    return int(counters.read_text().partition("\nwrite_bytes: ")[2].partition("\n")[0])


def main() -> None:
    """Measure SQLite, or PostgreSQL when a URL is given."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--resources", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=20_000, help="resources a bulk transaction")
    parser.add_argument("--postgresql", help="URL of a database where a schema may be made")
    parser.add_argument(
        "--profile", action="store_true", help="where the time of this process goes"
    )
    chosen = parser.parse_args()
    registry = Registry(definitions())
    profile = cProfile.Profile() if chosen.profile else None
    if profile:
        profile.enable()
    if chosen.postgresql:
        from tests.store.databases import scratch_schema

        with scratch_schema(chosen.postgresql) as url:
            Bench(open_store(url, registry=registry), chosen.resources, chosen.batch).run()
    else:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'record.sqlite3'}"
            Bench(open_store(url, registry=registry), chosen.resources, chosen.batch).run()
    if profile:
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
