"""How fast resources become XML: this tree and another one in turn, over the same resources.

    python bench/xml_rendering.py FOLDER --against OTHER_TREE

FOLDER holds resources of FHIR R4 as JSON files, such as the examples of the specification.
Each tree runs in processes of its own, one after the other, `--rounds` times; the ratio of a
round is of two runs side by side, and the median is told.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MEASURE = """
import sys, time
from pathlib import Path
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import parse_json, render_xml
resources = []
for path in sorted(Path(sys.argv[1]).glob("*.json"))[: int(sys.argv[2])]:
    try:
        resource = parse_json(path.read_bytes())
        render_xml(resource)
    except (BridgeError, ValueError):
        continue
    resources.append(resource)
best = None
for _ in range(3):
    began = time.process_time()
    size = sum(len(render_xml(each)) for each in resources)
    spent = time.process_time() - began
    best = spent if best is None else min(best, spent)
print(best, size, len(resources))
"""


def measure(tree: Path, folder: Path, most: int) -> tuple[float, int, int]:
    """Seconds of the processor, bytes of XML and number of resources of one run of `tree`."""
    told = subprocess.run(
        [sys.executable, "-c", MEASURE, str(folder), str(most)],
        env={**os.environ, "PYTHONPATH": str(tree)},
        cwd=tree,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    return float(told[0]), int(told[1]), int(told[2])


def main() -> None:
    """Print a row for each tree and the median of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--against", type=Path, required=True)
    parser.add_argument("--most", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    ratios = []
    for _ in range(asked.rounds):
        here = measure(ROOT, asked.folder, asked.most)
        there = measure(asked.against.resolve(), asked.folder, asked.most)
        ratios.append(there[0] / here[0])
        for name, (seconds, size, count) in (("here", here), ("there", there)):
            rate = size / seconds / 1e6
            print(f"{name:6} {count} resources, {size / 1e6:.1f} MB: {rate:.1f} MB/s")
    print(f"ratio {statistics.median(ratios):.2f} (of {', '.join(f'{r:.2f}' for r in ratios)})")


if __name__ == "__main__":
    main()
