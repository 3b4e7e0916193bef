"""``python -m tests.fuzz [TARGET …] [--seconds 60] [--jobs 1] [--corpus FOLDER] [--plain]``

Coverage-guided by atheris (libFuzzer), beside the mutations that know the words of the
format; ``--plain`` uses those alone.  Each target is a process of its own and has so many
seconds of a processor, so that a busy machine takes longer and tries no less.  What is found is
kept once a place under FOLDER/TARGET/findings, and the run goes on.  Prints executions, corpus
and findings; exit code 1 when there is a finding.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from fhir_bridge.errors import BridgeError
from tests.fuzz.mutation import Mutator
from tests.fuzz.target import LARGEST, Finding, Target, judge

_MEGABYTES = 4_096
_SHORT = 4_096
_DONE = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


def main() -> int:
    """Run what is asked for; with --one in this process."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=float, default=60, help="of a processor, for each")
    parser.add_argument("--corpus", type=Path, default=Path("build/fuzz"))
    parser.add_argument("--jobs", type=int, default=1, help="targets at one time")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        _run_one(chosen.targets[0], chosen.corpus, chosen.seconds, plain=chosen.plain)
        return 0
    from tests.fuzz.targets import TARGETS

    with ThreadPoolExecutor(chosen.jobs) as pool:
        found = list(pool.map(lambda name: _report(name, chosen), chosen.targets or TARGETS))
    return int(any(found))


def _report(name: str, chosen: argparse.Namespace) -> int:
    """Run one target in a process of its own and print its line; how many findings there are."""
    command = [sys.executable, "-m", "tests.fuzz", name, "--one", "--corpus", str(chosen.corpus)]
    command += ["--seconds", str(chosen.seconds), *(["--plain"] if chosen.plain else [])]
    began = time.monotonic()
    folder = chosen.corpus / name
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log.txt"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
    said = log.read_text("utf-8", "replace")
    executions = sum(map(int, _DONE.findall(said)))
    worked = used.ru_utime + used.ru_stime
    findings = sorted((folder / "findings").glob("*.txt"))
    corpus = len(list((folder / "corpus").glob("*")))
    print(
        f"{name}: {executions:,} executions in {time.monotonic() - began:.0f} s "
        f"({worked:.0f} s of the processor), corpus {corpus}, "
        f"findings {len(findings)}",
        flush=True,
    )
    for finding in findings:
        print(f"  {finding.read_text().splitlines()[0]}  ({finding.with_suffix('.input')})")
    if status or not executions:
        print(said[-2_000:])
    return len(findings) + (status != 0)


def _run_one(name: str, corpus: Path, seconds: float, *, plain: bool) -> None:
    warnings.simplefilter("ignore")
    folder = corpus / name
    for part in ("corpus", "findings"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    guide: Any = None
    if not plain:
        import atheris as guide  # type: ignore[import-not-found]
    target = _loaded(name, guide)
    seeds = target.seeds()
    for seed in seeds:
        _keep(folder / "corpus", seed)
    with suppress(BridgeError):
        target.run(seeds[0])  # what is loaded once counts for no input
    mutator = Mutator(seeds, target.words, seed=time.time_ns())
    if guide is None:
        _plainly(target, folder, mutator, seconds)
        return

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        changed = mutator.changed(data) if seed % 3 else guide.Mutate(data, len(data))
        return changed[:most]

    # An input costs what its length asks for: twice the longest good one shows what there is.
    longest = min(LARGEST, max(_SHORT, 2 * max(map(len, seeds))))
    options = ["-handle_usr1=1", "-print_final_stats=1", f"-max_len={longest}"]
    # Time by the clock says nothing on a busy machine; `judge` bounds that of the processor.
    options += ["-timeout=1200", f"-rss_limit_mb={_MEGABYTES}", "-verbosity=0"]
    end = time.process_time() + seconds

    def attempt(data: bytes) -> None:
        _try(target, folder, data)
        if time.process_time() > end:
            os.kill(os.getpid(), signal.SIGUSR1)  # libFuzzer ends in order and tells its counts

    guide.Setup([sys.argv[0], *options, str(folder / "corpus")], attempt, custom_mutator=mutate)
    guide.Fuzz()


def _loaded(name: str, guide: Any) -> Target:
    """The target; with a guide its packages are watched as they are imported."""
    if guide is not None:
        with guide.instrument_imports(include=["fhir_bridge", "waitress"]):
            from tests.fuzz.targets import TARGETS
    else:
        from tests.fuzz.targets import TARGETS
    return TARGETS[name]


def _plainly(target: Target, folder: Path, mutator: Mutator, seconds: float) -> None:
    count, end = 0, time.process_time() + seconds
    while time.process_time() < end:
        _try(target, folder, mutator.next())
        count += 1
    print(f"stat::number_of_executed_units: {count}")


def _try(target: Target, folder: Path, data: bytes) -> None:
    try:
        judge(target, data)
    except Finding as finding:
        name = hashlib.sha256(str(finding).encode()).hexdigest()[:12]
        kept = folder / "findings" / f"{name}.txt"
        if not kept.exists():
            kept.write_text(f"{finding}\n", encoding="utf-8")
            kept.with_suffix(".input").write_bytes(data)


def _keep(folder: Path, data: bytes) -> None:
    (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


if __name__ == "__main__":
    sys.exit(main())
