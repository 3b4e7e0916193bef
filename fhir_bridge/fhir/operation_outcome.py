"""Issues as an OperationOutcome: the one renderer.

https://hl7.org/fhir/R4/operationoutcome.html

The catalogue code stands in ``details.coding``, the sentence in ``details.text``, sentence and
hint in ``diagnostics``, which is all that some clients show their users; a place inside a resource in ``expression``, any other place (a line, a
segment, a column, a parameter) in ``location``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from fhir_bridge.errors import Issue
from fhir_bridge.fhir.json_format import Resource

__all__ = ["ERROR_CODE_SYSTEM", "operation_outcome"]

ERROR_CODE_SYSTEM = "https://fhir-bridge.org/fhir/CodeSystem/error-code"


def operation_outcome(issues: Sequence[Issue]) -> Resource:
    """`issues` as an OperationOutcome; none at all becomes one of severity information.

    >>> from fhir_bridge.errors import Issue
    >>> outcome = operation_outcome([Issue("FB-1011", where="line 2")])
    >>> outcome["issue"][0]["code"], outcome["issue"][0]["location"]
    ('security', ['line 2'])
    """
    listed = issues or [Issue("FB-3000", "information")]
    return {"resourceType": "OperationOutcome", "issue": [_issue(issue) for issue in listed]}


def _issue(issue: Issue) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.entry.issue_type,
        "details": {
            "coding": [{"system": ERROR_CODE_SYSTEM, "code": issue.code}],
            "text": issue.sentence,
        },
    }
    if issue.hint:
        rendered["diagnostics"] = f"{issue.sentence} {issue.hint}"
    if issue.where:
        rendered["expression" if _FHIRPATH.match(issue.where) else "location"] = [issue.where]
    return rendered


_FHIRPATH = re.compile(r"[A-Z][A-Za-z]+(?:\[\d+\])?(?:\.[A-Za-z_(]|$)")
