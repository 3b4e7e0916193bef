"""``python -m tests.soak [--minutes 30]``: good traffic beside a stated dose of trouble.

First the service does what it can alone (a minute, and what it takes to record the rest); then
it gets half of that alone (four minutes); then half of that beside the dose.  Acknowledgements
and reads have to keep nine tenths of their rate and twice their 99th percentile, and memory is
flat once it is warm.  A table says what became of each bound; the exit code says whether all
were held.  The machine should have nothing else to do.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from fhir_bridge.listeners.inbox import MAX_FILE_BYTES
from tests.journeys.site import Site
from tests.soak.dose import Dose
from tests.soak.traffic import Answers, Hospital, reader
from tests.soak.watching import Watch

SENDERS = READERS = 4
TOO_LARGE = MAX_FILE_BYTES + 1
_HEAD = (
    f"{'':<22}  {'acknowledged':>11}  median     p99    wrong  {'read':>11}  median     p99    wrong"
    "    recorded"
)


_CAPACITY, _ALONE = 60, 240
"""Seconds of the phases before the dose."""
_DRAIN = 1_800
"""Seconds that what was acknowledged may take to be recorded, at most."""


@dataclass(frozen=True)
class Bound:
    """One line of the verdict."""

    name: str
    asked: str
    found: str
    is_held: bool


@dataclass
class Phase:
    """What good traffic got in one phase of `seconds`; `recorded` is messages a second."""

    name: str
    seconds: float
    acknowledged: Answers
    read: Answers
    recorded: float = 0.0

    def answers(self, name: str) -> Answers:
        """Those of one kind of traffic."""
        return self.read if name == "read" else self.acknowledged

    def rate(self, name: str) -> float:
        """Answers a second of one kind of traffic."""
        return len(self.answers(name).delays) / self.seconds

    def row(self) -> str:
        """One line of the report."""
        cells = [f"{self.name:<22}", self._cells(self.acknowledged), self._cells(self.read)]
        return "  ".join([*cells, f"{self.recorded:>8.1f}/s"])

    def _cells(self, answers: Answers) -> str:
        return (
            f"{len(answers.delays) / self.seconds:>9.1f}/s"
            f"{answers.percentile(0.5) * 1000:>8.1f}{answers.percentile(0.99) * 1000:>9.1f} ms"
            f"{len(answers.wrong):>6}"
        )


async def phase(
    name: str, site: Site, ids: list[str], rates: tuple[float, float], seconds: float, seed: int
) -> Phase:
    """Good traffic of both kinds for `seconds`; rates of 0: as much as goes."""
    acknowledged, read = Answers(), Answers()
    before, began = site.worked_on(), time.monotonic()
    await asyncio.gather(
        *(
            Hospital(site.mllp_port, seed + n, acknowledged).run(rates[0] / SENDERS, seconds)
            for n in range(SENDERS)
        ),
        *(reader(site.port, ids, rates[1] / READERS, seconds, read) for _ in range(READERS)),
    )
    recorded = (site.worked_on() - before) / (time.monotonic() - began)
    played = Phase(name, seconds, acknowledged, read, recorded)
    print(played.row(), flush=True)
    return played


async def soak(
    site: Site, service: Popen[bytes], minutes: float, warm_minutes: float
) -> list[Bound]:
    """Run the phases; what became of each bound."""
    ids = [each["id"] for each in site.everything("Patient?_count=200")][:200]
    seconds = minutes * 60
    most = await phase("all that goes, alone", site, ids, (0, 0), min(_CAPACITY, seconds), 100)
    site.until_idle(service, _DRAIN)
    # What is acknowledged faster than it is recorded only waits: the slower of both is what goes.
    rates = (min(most.rate("acknowledged"), most.recorded) / 2, most.rate("read") / 2)
    print(f"half of it: {rates[0]:.1f} messages/s, {rates[1]:.1f} reads/s", flush=True)
    alone = await phase("half, alone", site, ids, rates, min(_ALONE, seconds), 200)
    site.until_idle(service, _DRAIN)
    inbox = site.data / "inbox" / "public-health-files"
    dose = Dose(site.mllp_port, site.port, inbox, TOO_LARGE, ids[0])
    watch = Watch(service.pid, site.port)
    dose.start()
    watching = asyncio.create_task(watch.run(seconds))
    beside = await phase("half, beside the dose", site, ids, rates, seconds, 300)
    await watching
    await dose.stop()
    print("wrong:", *(Counter((*it.acknowledged.wrong, *it.read.wrong)) for it in (alone, beside)))
    print("dose:", dict(sorted(dose.counts.items())))
    memory = [size / 2**20 for _, size in watch.memory]
    print("health:", watch.health, f"memory: {memory[0]:.0f} to {memory[-1]:.0f} MB")
    return [*_kept(alone, beside), *_flat(watch.growth(warm_minutes * 60))]


def _kept(alone: Phase, beside: Phase) -> Iterator[Bound]:
    for name in ("acknowledged", "read"):
        share = beside.rate(name) / alone.rate(name)
        yield Bound(f"{name}: rate to that alone", ">= 0.90", f"{share:.3f}", share >= 0.9)
        slower = beside.answers(name).percentile(0.99) / alone.answers(name).percentile(0.99)
        yield Bound(
            f"{name}: 99th percentile to that alone", "<= 2.00", f"{slower:.2f}", slower <= 2
        )
        wrong = len(beside.answers(name).wrong)
        yield Bound(f"{name}: wrong answers", "0", str(wrong), wrong == 0)
    share = beside.recorded / alone.recorded
    yield Bound("recorded: rate to that alone", ">= 0.90", f"{share:.3f}", share >= 0.9)


def _flat(growth: float) -> Iterator[Bound]:
    is_flat = 0.95 <= growth <= 1.05
    yield Bound("memory: last third to first third", "0.95 to 1.05", f"{growth:.3f}", is_flat)


def main() -> int:
    """Run it; 0 when every bound was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--warm-minutes", type=float, default=10)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder))
        try:
            service = site.serve()
            begin = ("demo-sources", "--mllp", f"127.0.0.1:{site.mllp_port}", "--residents", 300)
            site.start(*begin).wait()
            site.until_idle(service, _DRAIN)
            print(_HEAD)
            bounds = asyncio.run(soak(site, service, chosen.minutes, chosen.warm_minutes))
        finally:
            site.close()
    print(f"\n{'bound':<44}{'asked':<14}{'found':<10}")
    for bound in bounds:
        verdict = "held" if bound.is_held else "MISSED"
        print(f"{bound.name:<44}{bound.asked:<14}{bound.found:<10}{verdict}")
    return 0 if all(bound.is_held for bound in bounds) else 1


if __name__ == "__main__":
    sys.exit(main())
