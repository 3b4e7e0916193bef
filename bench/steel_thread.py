"""Where the time of the steel thread goes: messages/s and resources/s by stage.

``python bench/steel_thread.py [--residents N]`` sends the demo's community through the real
listeners, journal and pipeline into a fresh SQLite record (the source systems run in a
process of their own) and prints one row a stage.  Rates are of the time spent in that stage
alone; the last row is wall time from the first byte to the last commit.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fhir_bridge.app import Product, build
from fhir_bridge.config import load_settings
from fhir_bridge.errors import BridgeError


def main() -> None:
    """Run the thread once and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=2000)
    parser.add_argument("--database", default="", help="empty for a fresh SQLite file")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            {}, data=Path(folder), database=chosen.database, port=0, log_level="ERROR"
        )
        product = Product(build(settings))
        try:
            product.start(web=False)
            began = time.perf_counter()
            _send(product, chosen.residents)
            product.wait_until_idle()
            # wait_until_idle waits one quiet second at the end
            _report(product, time.perf_counter() - began - 1.0)
        except BridgeError as error:  # which port of which feed is in the way, in one line
            sys.exit(f"{error} {error.issues[0].hint}")
        finally:
            product.stop()


def _send(product: Product, residents: int) -> None:
    """The source systems of the demo, in their own process, until they are done."""
    host, port = next(iter(product.mllp.addresses.values()))
    inbox = product.services.settings.data / "inbox"
    command = [sys.executable, "-m", "fhir_bridge.demo", "--mllp", f"{host}:{port}"]
    command += ["--inbox", str(inbox), "--residents", str(residents)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _report(product: Product, wall_seconds: float) -> None:
    timings = product.services.pipeline.timings
    print(
        f"{timings.entries:,} messages and files, {timings.records:,} records, "
        f"{timings.resources:,} resources, {timings.quarantined:,} quarantined, "
        f"{timings.commits:,} commits"
    )
    print(f"{'stage':<12}{'seconds':>9}{'share':>8}{'records/s':>12}{'resources/s':>13}")
    rows = {name: spent / 1e9 for name, spent in timings.nanoseconds.items()}
    rows |= {"all stages": sum(rows.values()), "wall": wall_seconds}
    for name, seconds in rows.items():
        rate = 1 / seconds if seconds else 0
        print(
            f"{name:<12}{seconds:>9.2f}{seconds / wall_seconds:>8.0%}"
            f"{timings.records * rate:>12,.0f}{timings.resources * rate:>13,.0f}"
        )


if __name__ == "__main__":
    main()
