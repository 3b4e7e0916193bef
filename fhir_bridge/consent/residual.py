"""A decision as the extension of a token: what is forbidden of what its scopes allow.

https://profiles.ihe.net/ITI/PCF/other.html (3.71.4.2.2.1.4, ``ihe_pcf``)
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.consent.criteria import Criteria
from fhir_bridge.consent.decision import Decision

__all__ = ["residual"]


def residual(decision: Decision) -> list[dict[str, Any]]:
    """The ``residual`` of a decision that permits something; empty when it permits everything."""
    rules = decision.rules[1:] if decision.rules[0].permits else decision.rules
    return [
        {"type": "permit" if rule.permits else "forbid", **_criteria(rule.criteria)}
        for rule in rules
    ]


def _criteria(criteria: Criteria) -> dict[str, Any]:
    stated: dict[str, Any] = {}
    if criteria.classes:
        stated["class"] = [_coding(code) for code in criteria.classes]
    if criteria.codes:
        stated["code"] = [{"coding": [_coding(code)]} for code in criteria.codes]
    if criteria.period:
        ends = {"start": criteria.period.start, "end": criteria.period.end}
        stated["dataPeriod"] = {name: text for name, text in ends.items() if text}
    if criteria.data:
        stated["data"] = [
            {"meaning": each.meaning, "reference": {"reference": each.reference}}
            for each in criteria.data
        ]
    if criteria.labels:
        stated["securityLabel"] = [_coding(code) for code in criteria.labels]
    return stated


def _coding(code: tuple[str, str]) -> dict[str, str]:
    system, value = code
    return {"system": system, "code": value} if system else {"code": value}
