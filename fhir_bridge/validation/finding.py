"""A finding on its way up: what is wrong and where, relative to the value that was judged.

https://hl7.org/fhir/R4/operationoutcome.html#loc

Checks return None or a list of findings.  The place is put together from the inside out,
so that a resource without faults costs no text at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from fhir_bridge.errors import Issue, Severity

__all__ = ["Finding", "Findings", "Judge", "NodeCheck", "fault", "is_misshapen", "moved"]


@dataclass(slots=True)
class Finding:
    """`code` of the catalogue, `where` as FHIRPath below the judged value ("", ".name[0]")."""

    code: str
    details: dict[str, str] = field(default_factory=dict)
    severity: str = "error"
    where: str = ""

    def issue(self, root: str) -> Issue:
        """The finding as an Issue whose place starts at `root` ("Patient")."""
        return Issue(self.code, cast(Severity, self.severity), f"{root}{self.where}", self.details)


Findings = list[Finding] | None
Judge = Callable[[Any], Findings]
"""A judgement of one value."""
NodeCheck = Callable[[dict[str, Any]], Findings]
"""A judgement of one object: invariants of its type, the definition of an extension."""


def fault(code: str, severity: str = "error", **details: Any) -> list[Finding]:
    """One finding at the judged value itself."""
    return [Finding(code, {name: str(value) for name, value in details.items()}, severity)]


def moved(findings: list[Finding], step: str) -> list[Finding]:
    """The same findings, seen from one level higher."""
    for finding in findings:
        finding.where = step + finding.where
    return findings


_MISSHAPEN = frozenset({"FB-3001", "FB-3006", "FB-3023"})


def is_misshapen(findings: list[Finding]) -> bool:
    """Whether objects and lists stand where they must not: no rule can be judged on that."""
    return any(finding.code in _MISSHAPEN for finding in findings)
