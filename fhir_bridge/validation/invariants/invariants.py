"""Invariants: the FHIRPath rules of R4's types and of profiles.

https://hl7.org/fhir/R4/conformance-rules.html#constraints

A rule holds when it evaluates to true; one without an answer does not, unless it only warns.
Rules that the structure check already judges in plain Python are not evaluated again.
Each expression is compiled once; one that cannot be compiled is reported as such and
never counted as passed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.budget import BudgetExceeded
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Constraint, Definitions
from fhir_bridge.validation.context import current
from fhir_bridge.validation.finding import Findings, Judge, fault

__all__ = ["JUDGED_ELSEWHERE", "Invariants"]

JUDGED_ELSEWHERE = frozenset(
    {"ele-1", "ext-1", "ref-1", "txt-1", "txt-2", "dom-2", "dom-3", "dom-4", "dom-5"}
)
"""Keys that `structure`, `contained` and `narrative` judge."""

_BEST_PRACTICE = frozenset({"dom-6"})  # "should have narrative": records from feeds never have

_ERRATA = {
    ("que-12", "enableWhen.count() > 2 implies enableBehavior.exists()"): (
        "enableWhen.count() > 1 implies enableBehavior.exists()"
    ),
    ("que-7", "operator = 'exists' implies (answer is Boolean)"): (
        "operator = 'exists' implies (answer is boolean)"
    ),
    ("bdl-8", "fullUrl.contains('/_history/').not()"): (
        "fullUrl.exists() implies fullUrl.contains('/_history/').not()"
    ),
    ("ras-2", "probability is decimal implies (probability as decimal) <= 100"): (
        "(probability is decimal).not() or (probability as decimal) <= 100 or probability.empty()"
    ),
}
"""Expressions of R4 that do not say what their published sentence says, or not of what is absent."""

_CAST = re.compile(r"(\bas\s+)([BDIST])((?:oolean|ecimal|ate|ateTime|nteger|tring|ime)\b)")
"""A value of FHIR cast to the type of FHIRPath with its name: the same for who wrote the rule."""


class Invariants:
    """Judges of constraints, compiled on first use."""

    def __init__(self, definitions: Definitions, environment: fhirpath.Environment) -> None:
        self._definitions = definitions
        self._environment = environment

    def judges(self, constraints: Iterable[Constraint], type_name: str) -> list[Judge]:
        """One judge for each constraint that is to be evaluated on values of `type_name`."""
        return [
            self._judge(constraint, type_name)
            for constraint in constraints
            if constraint.key not in JUDGED_ELSEWHERE and constraint.key not in _BEST_PRACTICE
        ]

    def _judge(self, constraint: Constraint, type_name: str) -> Judge:
        key = constraint.key
        text = _ERRATA.get((key, constraint.expression), constraint.expression)
        text = _CAST.sub(lambda match: f"{match[1]}{match[2].lower()}{match[3]}", text)
        severity = "warning" if constraint.severity == "warning" else "error"
        must_answer = severity == "error"
        shape = self._definitions.types.get(type_name)
        root_type = None if shape and shape.abstract else type_name  # then resourceType tells
        try:
            expression = fhirpath.compile(text, definitions=self._definitions, root_type=root_type)
        except BridgeError as error:
            reason = error.issues[0].sentence
            return lambda _value: fault("FB-3021", "information", key=key, reason=reason)
        environment = self._environment
        stated = constraint.human or constraint.expression
        predicted = expression.prediction(type_name, environment)

        def judge(value: Any) -> Findings:
            now = current()
            variables = {"resource": now.resource, "rootResource": now.root_resource}
            try:
                if predicted is not None and now.sound and type(value) is dict:
                    answer = predicted(value, now.resource)
                    if answer is True or (answer is None and not must_answer):
                        return None
                result = expression(value, variables=variables, environment=environment)
            except BudgetExceeded as error:
                lead = error.issues[0]
                raise BudgetExceeded(
                    lead.code, f"rule {key}", **dict[str, Any](lead.details)
                ) from None
            except BridgeError as error:
                return fault("FB-3021", "information", key=key, reason=error.issues[0].sentence)
            holds = result[0] is not False if result else not must_answer
            return None if holds else fault("FB-3012", severity, key=key, expression=stated)

        return judge
