"""What was measured or found of a resident: lines of results, readings of blood pressure.

https://hl7.org/fhir/R4/observation.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fhir_bridge.console.record.labels import Labels
from fhir_bridge.console.record.line import day_of, newest_of_each_name, place_of
from fhir_bridge.console.text.display import (
    codes_of,
    day,
    first,
    first_of,
    list_of,
    quantity_text,
)
from fhir_bridge.fhir import Resource

__all__ = ["ResultView", "pressures", "view_results"]

_PRESSURE, _SYSTOLIC, _DIASTOLIC = "85354-9", "8480-6", "8462-4"
"""LOINC: blood pressure panel, its two components."""

_MAX_SHOWN, _MAX_VALUE_LENGTH = 40, 12


@dataclass(frozen=True, slots=True)
class ResultView:
    """The latest result of a test; `flag` is "high", "low" or ""."""

    reference: str
    name: str
    when: str
    value: str
    range: str
    flag: str


def view_results(observations: list[Resource], labels: Labels) -> tuple[list[ResultView], int]:
    """The latest result of each test, and how many more results there are.

    `observations` come newest first.
    """
    measured = [_result(one, labels) for one in observations if _is_result(one)]
    shown = newest_of_each_name(measured)[:_MAX_SHOWN]
    return shown, len(measured) - len(shown)


def pressures(observations: list[Resource]) -> Iterator[tuple[date, float, float]]:
    """Day, systolic and diastolic value (mm[Hg]) of each complete reading."""
    for observation in observations:
        if _PRESSURE not in codes_of(observation.get("code")):
            continue
        values: dict[str, float] = {}
        for component in list_of(observation, "component"):
            for code in codes_of(component.get("code")) & {_SYSTOLIC, _DIASTOLIC}:
                value = first(component, "valueQuantity", "value")
                if value is not None:
                    values[code] = _float(value)
        when = _date(day(observation.get("effectiveDateTime")))
        if len(values) == 2 and when is not None:
            yield when, values[_SYSTOLIC], values[_DIASTOLIC]


def _float(value: Decimal | int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _is_result(observation: Resource) -> bool:
    """A measured or coded finding; blood pressure has its plot, narrative its document."""
    if observation.get("status") == "entered-in-error":
        return False
    if _PRESSURE in codes_of(observation.get("code")):
        return False
    return len(str(observation.get("valueString", ""))) <= _MAX_VALUE_LENGTH


def _result(observation: Resource, labels: Labels) -> ResultView:
    when = first_of(observation, "effectiveDateTime", "issued")
    return ResultView(
        reference=place_of(observation),
        name=labels.concept(observation.get("code")) or place_of(observation),
        when=day_of(when or first(observation, "effectivePeriod", "start")),
        value=_value(observation, labels),
        range=_range(observation),
        flag=_flag(observation),
    )


def _range(observation: Resource) -> str:
    limits = first(observation, "referenceRange") or {}
    low, high = first(limits, "low", "value"), first(limits, "high", "value")
    bounded = low is not None or high is not None
    return str(limits.get("text") or (f"{low} – {high}" if bounded else ""))


def _flag(observation: Resource) -> str:
    """High or low by http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation."""
    flags = {code for one in list_of(observation, "interpretation") for code in codes_of(one)}
    return "high" if flags & {"H", "HH"} else "low" if flags & {"L", "LL"} else ""


def _value(observation: Resource, labels: Labels) -> str:
    """The value of an Observation or of one of its components."""
    if "valueQuantity" in observation:
        return quantity_text(observation["valueQuantity"])
    if "valueCodeableConcept" in observation:
        return labels.concept(observation["valueCodeableConcept"])
    if "component" in observation:
        return "; ".join(
            f"{labels.concept(part.get('code'))} {_value(part, labels)}"
            for part in list_of(observation, "component")
        )
    for key, value in observation.items():
        if key.startswith("value") and not isinstance(value, dict | list):
            return str(value)
    return labels.concept(observation.get("dataAbsentReason")) or "–"
