"""What one judgement costs: structure, invariants, profiles, and the second opinion.

Run: ``python bench/validation.py [FOLDER]`` where FOLDER holds one NDJSON file a resource
type; then the codecs and the structure check over all of it are measured too.  Figures are
µs a resource, the best of several rounds; ratios are to the structure check.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions, models, parse_json, parse_xml, render_json, render_xml
from fhir_bridge.validation import Validator

BASE = "https://fhir-bridge.org/fhir/StructureDefinition/"
PATIENT = {
    "resourceType": "Patient",
    "id": "1",
    "identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": "11010119900307001X"}],
    "name": [{"text": "张三", "family": "张"}],
    "gender": "male",
    "birthDate": "1990-03-07",
}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "1",
    "status": "final",
    "category": [
        {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                    "code": "vital-signs",
                }
            ]
        }
    ],
    "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
    "subject": {"reference": "Patient/1"},
    "effectiveDateTime": "2024-01-01",
    "valueQuantity": {
        "value": 120,
        "unit": "mmHg",
        "system": "http://unitsofmeasure.org",
        "code": "mm[Hg]",
    },
}
CASES = (
    ("Patient", PATIENT, "fd-patient"),
    ("Observation", OBSERVATION, "fd-observation-vital-signs"),
)


def best(action: Callable[[], Any], count: int = 300, rounds: int = 7) -> float:
    """µs of one call, the best of `rounds`."""
    action()
    fastest = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(count):
            action()
        fastest = min(fastest, (time.perf_counter() - started) / count)
    return fastest * 1e6


def small_resources() -> None:
    """One small resource by each kind of judgement."""
    profiles = Profiles.from_artifacts(Artifacts())
    plain = Validator(definitions(), profiles, invariants=False)
    full = Validator(definitions(), profiles)
    for name, resource, profile in CASES:
        urls = [BASE + profile]
        assert full.check(resource, urls) == []
        faulty = {**resource, "language": " zh"}
        assert full.check(faulty, urls) != []
        base = best(lambda resource=resource: plain.check(resource))
        rows = (
            ("structure", base),
            ("structure and invariants", best(lambda resource=resource: full.check(resource))),
            (
                f"and profile {profile}",
                best(lambda resource=resource, urls=urls: full.check(resource, urls)),
            ),
            (
                "the same with one fault",
                best(lambda faulty=faulty, urls=urls: full.check(faulty, urls)),
            ),
            (
                "second opinion (fhir.resources)",
                best(lambda resource=resource: models.check(resource)),
            ),
        )
        for what, cost in rows:
            print(f"{name:12} {what:42} {cost:8.1f} µs  {cost / base:5.1f}x")


def corpus(folder: Path) -> None:
    """The codecs and the structure check over published examples."""
    paths = [path for path in sorted(folder.glob("*.ndjson")) if path.name != "index.ndjson"]
    lines = [line for path in paths for line in path.read_bytes().splitlines()]
    resources = [parse_json(line) for line in lines]
    texts = [render_xml(resource) for resource in resources]
    plain = Validator(definitions(), Profiles(), invariants=False)
    full = Validator(definitions(), Profiles())
    size = sum(map(len, lines)) / len(lines)
    print(f"\n{len(lines)} resources of {size:.0f} bytes on average")
    for what, action, items in (
        ("parse JSON", parse_json, lines),
        ("render JSON", render_json, resources),
        ("parse XML", parse_xml, texts),
        ("render XML", render_xml, resources),
        ("structure", plain.check, resources),
        ("structure and invariants", full.check, resources),
    ):
        cost = best(lambda action=action, items=items: [action(item) for item in items], 1, 3)
        print(f"{what:42} {cost / len(lines):8.1f} µs")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    arguments = parser.parse_args()
    small_resources()
    if arguments.folder:
        corpus(arguments.folder)


if __name__ == "__main__":
    main()
