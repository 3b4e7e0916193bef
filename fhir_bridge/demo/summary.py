"""What the demo came to, as values: from the journal, the quarantine and the record."""

from __future__ import annotations

import resource as process
import sys
from dataclasses import dataclass

from fhir_bridge.access import Access
from fhir_bridge.app import Services
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.console import Load, Reader, doctor_loads, in_language, read_load_rule
from fhir_bridge.errors import Issue
from fhir_bridge.fhir import parse_json
from fhir_bridge.journal import FeedCounts
from fhir_bridge.store import Store

__all__ = ["Reason", "Summary", "summarize"]

_REFERRAL = "http://snomed.info/sct|3457005"
_PRESSURE = "http://loinc.org|85354-9"


@dataclass(frozen=True, slots=True)
class Reason:
    """A leading code of the quarantine: how often, and what its newest issue says."""

    code: str
    count: int
    sentence: str
    hint: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The end of a demo."""

    feeds: tuple[FeedCounts, ...]
    types: tuple[tuple[str, int], ...]
    reasons: tuple[Reason, ...]
    patients: int
    in_all_three: int
    example: str
    loads: tuple[Load, ...]
    records: int
    resources: int
    seconds: float
    peak_megabytes: int


def summarize(services: Services, seconds: float, language: str) -> Summary:
    """The summary after `seconds` of work."""
    store, timings = services.store, services.pipeline.timings
    types = sorted(store.counts_by_type().items(), key=lambda one: (-one[1], one[0]))
    known, example = _in_three_systems(services)
    reader = Reader(store, services.registry, Access.everything())
    rule = read_load_rule(services.artifacts or Artifacts())
    return Summary(
        feeds=tuple(store.journal.counts_by_feed()),
        types=tuple(types),
        reasons=_reasons(store, language),
        patients=dict(types).get("Patient", 0),
        in_all_three=known,
        example=example,
        loads=tuple(doctor_loads(reader, rule.persons_per_doctor)),
        records=timings.records,
        resources=timings.resources,
        seconds=seconds,
        peak_megabytes=_peak_megabytes(),
    )


def _reasons(store: Store, language: str) -> tuple[Reason, ...]:
    """The leading codes, the most frequent first, each in the words of one of its issues."""
    by_code: dict[str, int] = {}
    for codes in store.quarantine.counts_by_feed().values():
        for code, count in codes.items():
            by_code[code] = by_code.get(code, 0) + count
    ranked = sorted(by_code.items(), key=lambda one: (-one[1], one[0]))
    reasons = []
    for code, count in ranked:
        if code:
            text = in_language(_example(store, code), language)
            reasons.append(Reason(code, count, text.sentence, text.hint))
    return tuple(reasons)


def _example(store: Store, code: str) -> Issue:
    """The issue with `code` of the newest item that it leads; it names places, never content."""
    issues = (
        issue
        for item in store.quarantine.list(code=code, limit=1, most_bytes=0)
        for issue in item.issues
    )
    return next((issue for issue in issues if issue.code == code), Issue(code))


def _in_three_systems(services: Services) -> tuple[int, str]:
    """How many Patients have Provenances of all three kinds of source; one of them, signed."""
    kinds: dict[str, set[str]] = {}
    for body in services.store.bodies("Provenance"):
        stated = parse_json(body)
        feed = services.feeds.get(stated["agent"][0]["who"].get("identifier", {}).get("value", ""))
        for target in stated["target"]:
            reference = target.get("reference", "")
            if feed is not None and reference.startswith("Patient/"):
                kinds.setdefault(reference, set()).add(feed.source)
    known = sorted(reference for reference, found in kinds.items() if len(found) == 3)
    return len(known), _most_told(services, known) or next(iter(sorted(kinds)), "")


def _most_told(services: Services, known: list[str]) -> str:
    """Of the first hundred, the one with most to look at.

    First one with a plot (two blood pressures or more), then with a referral, then with most
    results.
    """
    reader = Reader(services.store, services.registry, Access.everything())

    def told(patient: str) -> tuple[bool, bool, int]:
        subject = ("subject", patient)
        return (
            reader.count("Observation", subject, ("code", _PRESSURE)) > 1,
            reader.count("ServiceRequest", subject, ("category", _REFERRAL)) > 0,
            reader.count("Observation", subject),
        )

    return max(known[:100], key=told, default="")


def _peak_megabytes() -> int:
    """The most memory that this process ever held (ru_maxrss: KiB on Linux, bytes on macOS)."""
    peak = process.getrusage(process.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)
