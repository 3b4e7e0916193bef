"""``python -m tests.soak [--minutes 30]``: good traffic beside a stated dose of trouble.

First the service does what it can alone; then it gets half of that alone; then half of that
beside the dose.  Acknowledgements and reads have to keep nine tenths of their rate and twice
their 99th percentile, and memory is flat once it is warm.  The exit code says whether they do.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from fhir_bridge.listeners.inbox import LARGEST_FILE
from tests.journeys.site import Site
from tests.soak.dose import Dose
from tests.soak.traffic import Answers, Hospital, reader
from tests.soak.watching import Watch

SENDERS = READERS = 4
TOO_LARGE = LARGEST_FILE + 1


@dataclass
class Phase:
    """What good traffic got in one phase of `seconds`."""

    name: str
    seconds: float
    acknowledged: Answers
    read: Answers

    def row(self) -> str:
        """One line of the report."""
        cells = [f"{self.name:<28}", self._cells(self.acknowledged), self._cells(self.read)]
        return "  ".join(cells)

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
    await asyncio.gather(
        *(
            Hospital(site.mllp_port, seed + n, acknowledged).run(rates[0] / SENDERS, seconds)
            for n in range(SENDERS)
        ),
        *(reader(site.port, ids, rates[1] / READERS, seconds, read) for _ in range(READERS)),
    )
    played = Phase(name, seconds, acknowledged, read)
    print(played.row(), flush=True)
    return played


async def soak(site: Site, service: Popen[bytes], minutes: float, warm_minutes: float) -> bool:
    """Run the phases, print the table; whether every bound was kept."""
    ids = [each["id"] for each in site.everything("Patient?_count=200")][:200]
    seconds = minutes * 60
    most = await phase("all that goes, alone", site, ids, (0, 0), min(30, seconds), 100)
    site.until_idle(service)
    rates = (
        len(most.acknowledged.delays) / most.seconds / 2,
        len(most.read.delays) / most.seconds / 2,
    )
    alone = await phase("half, alone", site, ids, rates, min(120, seconds), 200)
    inbox = site.data / "inbox" / "public-health-files"
    dose = Dose(site.mllp_port, site.port, inbox, TOO_LARGE, ids[0])
    watch = Watch(service.pid, site.port)
    dose.start()
    watching = asyncio.create_task(watch.run(seconds))
    beside = await phase("half, beside the dose", site, ids, rates, seconds, 300)
    await watching
    await dose.stop()
    print(
        "wrong:",
        *(Counter((*each.acknowledged.wrong, *each.read.wrong)) for each in (most, alone, beside)),
    )
    print("dose:", dict(sorted(dose.counts.items())))
    print("health:", watch.health, f"memory: {watch.memory[-1][1] / 2**20:.0f} MB")
    return _judge(alone, beside, watch.growth(warm_minutes * 60))


def _judge(alone: Phase, beside: Phase, growth: float) -> bool:
    kept = []
    for name in ("acknowledged", "read"):
        before, after = getattr(alone, name), getattr(beside, name)
        share = (len(after.delays) / beside.seconds) / (len(before.delays) / alone.seconds)
        slower = after.percentile(0.99) / before.percentile(0.99)
        print(f"{name}: {share:.1%} of the rate (>= 90 %), p99 x {slower:.2f} (<= 2)")
        kept += [share >= 0.9, slower <= 2, len(after.wrong) <= len(before.wrong)]
    print(f"memory: last third / first third {growth:.3f} (0.95 to 1.05)")
    return all([*kept, 0.95 <= growth <= 1.05])


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
            site.until_idle(service)
            ok = asyncio.run(soak(site, service, chosen.minutes, chosen.warm_minutes))
        finally:
            site.close()
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
