"""MLLP to stored: HL7 v2 messages a CPU-second, from the socket to the last commit.

``python bench/mllp.py [--residents N] [--pairs N] [--base FOLDER]`` sends the registrations and
results of the demo's hospital over MLLP into a fresh SQLite record.  The senders run in a process
of their own and are not counted; the first messages (a tenth as many residents) warm maps, plans
and definitions and are not counted either.  With ``--base`` (a checkout of another commit) each
pair runs once there and once here, in turn, and the ratio of the medians is printed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve()
_SEED = 2611


def main() -> None:
    """Measure here, or in pairs with another checkout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=1500)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--base", type=Path, help="another checkout, run in turn with this one")
    parser.add_argument("--send", nargs=3, metavar=("ADDRESS", "FIRST", "COUNT"), help="internal")
    chosen = parser.parse_args()
    if chosen.send:
        _send(*chosen.send)
    elif chosen.base:
        _in_turn(chosen.base, chosen.residents, chosen.pairs)
    else:
        print(f"{_measured(chosen.residents):.1f} messages a CPU-second")


def _in_turn(base: Path, residents: int, pairs: int) -> None:
    rates: dict[str, list[float]] = {"base": [], "here": []}
    for _ in range(pairs):
        for name, folder in (("base", base), ("here", _HERE.parent.parent)):
            command = [sys.executable, str(_HERE), "--residents", str(residents)]
            done = subprocess.run(
                command,
                check=True,
                capture_output=True,
                text=True,
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(folder)},
            )
            rates[name].append(float(done.stdout.split()[0]))
            print(f"{name} {done.stdout.strip()}", flush=True)
    ratio = statistics.median(rates["here"]) / statistics.median(rates["base"])
    print(f"here is {ratio:.2f} times base")


def _measured(residents: int) -> float:
    """Messages a second of this process, all its threads, warm."""
    from fhir_bridge.app import Product, build
    from fhir_bridge.config import load_settings

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        settings = load_settings({}, data=data, database="", port=0, log_level="ERROR")
        product: Any = Product(build(settings))
        try:
            product.start(web=False)
            address = ":".join(map(str, next(iter(product.mllp.addresses.values()))))
            _let_send(address, 0, residents // 10)
            product.wait_until_idle()
            began = time.process_time()
            sent = _let_send(address, residents // 10, residents)
            product.wait_until_idle()
            return sent / (time.process_time() - began)
        finally:
            product.stop()


def _let_send(address: str, first: int, count: int) -> int:
    command = [sys.executable, str(_HERE), "--send", address, str(first), str(count)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _send(address: str, first: str, count: str) -> None:
    """The messages of the residents after the first ones, registrations before results."""
    from fhir_bridge.demo.hospital_messages import registrations, results
    from fhir_bridge.demo.mllp_sender import Acknowledgements, send

    host, _, port = address.rpartition(":")
    before = len(list(registrations(int(first), _SEED))), len(list(results(int(first), _SEED)))
    total = int(first) + int(count)
    messages = list(registrations(total, _SEED))[before[0] :]
    messages += list(results(total, _SEED))[before[1] :]
    with Acknowledgements(None) as none:
        report = send((host, int(port)), messages, none)
    print(report.accepted)


if __name__ == "__main__":
    main()
