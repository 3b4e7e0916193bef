"""FHIRPath: the R4 search-parameter expressions over the R4 examples, beside fhirpathpy.

``python bench/fhirpath.py FOLDER [--each N]`` where FOLDER holds one NDJSON file a resource
type.  Both engines get the same expressions (for fhirpathpy ``(x as T)`` is written
``x.ofType(T)``, which it needs) on the same resources, turn by turn in one run; compiling is
excluded.  As when a store is indexed, all expressions of a type run on each of its resources,
type after type, `--passes` times.  Prints µs an evaluation, evaluations/s and the ratio, then the same for single
expressions.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.fhir import definitions, parse_json_value

SINGLE = (
    "Patient.name.family",
    "Patient.telecom.where(system = 'phone').value",
    "Patient.name.where(use = 'official').given.first()",
    "Patient.birthDate < today()",
    "Observation.component.value.ofType(Quantity)",
    "Observation.component.where(code.coding.code = '8480-6').value.value > 100",
)
Work = list[tuple[Callable[[Any], Any], Any]]


def resources(folder: Path, most: int) -> dict[str, list[bytes]]:
    """Up to `most` resources of each type, as JSON text."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for path in sorted(folder.glob("*.ndjson")):
        for line in path.read_bytes().splitlines():
            resource_type = json.loads(line).get("resourceType")
            if resource_type and len(found[resource_type]) < most:
                found[resource_type].append(line)
    return found


def expressions() -> dict[str, list[str]]:
    """The search-parameter expressions of each resource type."""
    found: dict[str, list[str]] = defaultdict(list)
    for (resource_type, _), parameter in definitions().search_parameters.items():
        if parameter.expression and "resolve()" not in parameter.expression:
            found[resource_type].append(parameter.expression)
    return found


def peer_text(expression: str) -> str:
    """What fhirpathpy reads the same way."""
    return re.sub(r"\(?([\w.()]+) as (\w+)\)?", r"\1.ofType(\2)", expression)


def timed(work: Work) -> float:
    """Seconds for one pass over the work."""
    start = time.perf_counter()
    for evaluate, resource in work:
        evaluate(resource)
    return time.perf_counter() - start


def compare(label: str, ours: Work, peer: Work, rounds: int) -> None:
    """Run both, turn by turn, and print the medians."""
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(timed(ours) / len(ours))
        theirs.append(timed(peer) / len(peer))
    one, other = statistics.median(mine), statistics.median(theirs)
    print(
        f"{label}: {one * 1e6:.2f} µs ({1 / one:,.0f}/s), fhirpathpy {other * 1e6:.1f} µs "
        f"({1 / other:,.0f}/s), ratio {other / one:.1f}"
    )


def peer_engine() -> Callable[[str], Callable[[Any], Any]]:
    """Compile of fhirpathpy with its R4 model, kept by text."""
    from fhirpathpy import compile as peer_compile
    from fhirpathpy.models import models

    @cache
    def compiled(text: str) -> Callable[[Any], Any]:
        made: Callable[[Any], Any] = peer_compile(peer_text(text), models["r4"])
        return made

    return compiled


def main() -> None:
    """Print the comparison."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--each", type=int, default=4, help="resources of each type")
    arguments.add_argument("--passes", type=int, default=5, help="over the resources of a type")
    arguments.add_argument("--rounds", type=int, default=3)
    chosen = arguments.parse_args()
    peer = peer_engine()
    facts = definitions()
    ours: Work = []
    theirs: Work = []
    left_out = 0
    texts = resources(chosen.folder, chosen.each)
    for resource_type, parameters in expressions().items():
        mine: Work = []
        others: Work = []
        for line in texts.get(resource_type, ()):
            resource, plain = parse_json_value(line), json.loads(line)
            for text in parameters:
                try:
                    other = peer(text)
                    other(plain)
                except Exception:  # a peer's refusal is counted, not judged
                    left_out += 1
                    continue
                mine.append((fhirpath.compile(text, definitions=facts), resource))
                others.append((other, plain))
        ours += mine * chosen.passes
        theirs += others * chosen.passes
    timed(ours)
    print(f"{len(ours)} pairs of expression and resource ({left_out} that the peer cannot run)")
    compare("search parameters", ours, theirs, chosen.rounds)
    for text in SINGLE:
        resource_type = text.partition(".")[0]
        line = max(texts[resource_type], key=len)
        compiled = fhirpath.compile(text, definitions=facts)
        timed([(compiled, parse_json_value(line))] * 20)
        compare(
            text,
            [(compiled, parse_json_value(line))] * 300,
            [(peer(text), json.loads(line))] * 300,
            chosen.rounds,
        )


if __name__ == "__main__":
    main()
