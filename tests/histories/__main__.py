"""The long form: ``python -m tests.histories [--count 10000] [--first 0] [--workers 2] [--postgresql]``.

Prints the seeds, what was covered and the shortest failing history; ends with 1 when one failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.histories.playing import play


def main() -> int:
    """Plays the histories that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="how many histories")
    parser.add_argument("--first", type=int, default=0, help="the seed of the first")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--postgresql",
        action="store_true",
        help="on the server that FHIR_BRIDGE_TEST_POSTGRESQL names",
    )
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.count)
    began = time.monotonic()
    server = os.environ.get("FHIR_BRIDGE_TEST_POSTGRESQL", "") if asked.postgresql else ""
    if asked.postgresql and not server:
        print("skipped: there is no PostgreSQL (FHIR_BRIDGE_TEST_POSTGRESQL)")
        return 0
    played = play(seeds, postgresql=server, workers=asked.workers)
    place = "PostgreSQL" if asked.postgresql else "SQLite"
    print(f"seeds {seeds.start} to {seeds.stop - 1} on {place}: {played.coverage}")
    print(f"{time.monotonic() - began:.0f} seconds; {len(played.failed)} failed")
    for text in played.failed.values():
        print(text)
    return 1 if played.failed else 0


if __name__ == "__main__":
    sys.exit(main())
