"""A MeasureReport against the Measure that it reports.

https://hl7.org/fhir/R4/measurereport.html (groups, populations and stratifiers are those of
the Measure).  Judged where the Measure is known here; subject lists are judged in any case.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import Resource
from fhir_bridge.validation.finding import Finding, Findings, fault, moved

__all__ = ["MeasureReports"]


class MeasureReports:
    """The judge of all reports, by the Measures among `profiles`."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    def check(self, report: Resource) -> Findings:
        """Findings on the groups of `report`."""
        findings = list(_subject_lists(report))
        measure = self._profiles.find("Measure", str(report.get("measure")))
        if measure is not None:
            findings += _groups(measure.get("group", []), report.get("group", []))
        return findings or None


def _subject_lists(report: Resource) -> Iterator[Finding]:
    if report.get("type") == "subject-list":
        return
    for index, group in enumerate(report.get("group", ())):
        for place, population in enumerate(group.get("population", ())):
            if "subjectResults" in population:
                where = f".group[{index}].population[{place}]"
                yield from _fault("only a report of type subject-list lists subjects", where)


def _groups(defined: list[Resource], reported: list[Resource]) -> Iterator[Finding]:
    for index, group in enumerate(reported):
        where = f".group[{index}]"
        if len(defined) == 1 and "code" not in group:
            wanted: Resource | None = defined[0]
        else:
            wanted = _with_code(defined, group.get("code"))
        if wanted is None:
            yield from _fault("a group has no match by its code", where)
            continue
        for name in ("population", "stratifier"):
            for place, part in enumerate(group.get(name, ())):
                if _with_code(wanted.get(name, []), part.get("code")) is None:
                    reason = f"a {name} has no match by its code"
                    yield from _fault(reason, f"{where}.{name}[{place}]")


def _with_code(parts: list[Resource], code: Any) -> Resource | None:
    """The part of a Measure that a part of a report speaks of."""
    return next((part for part in parts if _is_same(part.get("code"), code)), None)


def _is_same(defined: Any, reported: Any) -> bool:
    """Whether two concepts share a coding or have the same text; stratifiers repeat (a list)."""
    if isinstance(reported, list):
        return any(_is_same(defined, item) for item in reported)
    if not isinstance(defined, dict) or not isinstance(reported, dict):
        return False
    codings = [(one.get("system"), one.get("code")) for one in reported.get("coding", ())]
    if any((one.get("system"), one.get("code")) in codings for one in defined.get("coding", ())):
        return True
    return "text" in defined and defined["text"] == reported.get("text")


def _fault(reason: str, where: str) -> list[Finding]:
    return moved(fault("FB-3029", reason=reason), where)
