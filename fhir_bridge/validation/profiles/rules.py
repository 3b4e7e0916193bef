"""What an element definition states of one value: fixed, pattern, bounds; and how judges join.

https://hl7.org/fhir/R4/elementdefinition.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fhir_bridge.validation.finding import Finding, Findings, Judge, fault
from fhir_bridge.validation.profiles.date_bounds import date_bound
from fhir_bridge.validation.values import is_fixed, is_less, matches_pattern, stated_value

__all__ = ["all_of", "maximum_of", "properties", "stated_judges"]

_MIN_LENGTH = "http://hl7.org/fhir/StructureDefinition/minLength"


def stated_judges(element: Mapping[str, Any], name: str) -> list[Judge]:
    """Judges of fixed[x], pattern[x], minValue[x], maxValue[x] and maxLength of `element`."""
    judges: list[Judge] = []
    fixed, pattern = stated_value(element, "fixed"), stated_value(element, "pattern")
    if fixed is not None:
        judges.append(lambda value: None if is_fixed(value, fixed) else _differs(name, fixed))
    if pattern is not None:
        judges.append(
            lambda value: None if matches_pattern(value, pattern) else _differs(name, pattern)
        )
    return [*judges, *_bound_judges(element, name)]


def properties(
    checks: list[tuple[frozenset[str], Callable[[dict[str, Any]], Findings]]],
) -> Judge:
    """The judge of an object by checks of its properties: (keys, check).

    A check is asked when one of its keys is there; one without keys always.
    """

    def judge(value: Any) -> Findings:
        if not isinstance(value, dict):
            return None
        findings: Findings = None
        for keys, check in checks:
            if keys and keys.isdisjoint(value):
                continue
            more = check(value)
            if more:
                findings = [*(findings or ()), *more]
        return findings

    return judge


def all_of(judges: Iterable[Judge], value: Any) -> Findings:
    """The findings of all judges together."""
    findings: Findings = None
    for judge in judges:
        more = judge(value)
        if more:
            findings = [*(findings or ()), *more]
    return findings


def maximum_of(text: Any) -> int | None:
    """``max`` as a number; None for ``*`` and for nothing stated."""
    return int(text) if isinstance(text, str) and text.isdigit() else None


def _bound_judges(element: Mapping[str, Any], name: str) -> list[Judge]:
    """minValue, maxValue, maxLength and the extension minLength; a bound of a time may be told from now."""
    least, most = stated_value(element, "minValue"), stated_value(element, "maxValue")
    length, shortest = element.get("maxLength"), _shortest(element)
    judges: list[Judge] = []
    if least is not None:
        judges.append(
            lambda value: (
                _beyond(name, "minimum") if is_less(value, date_bound(least, value, -1)) else None
            )
        )
    if most is not None:
        judges.append(
            lambda value: (
                _beyond(name, "maximum") if is_less(date_bound(most, value, 1), value) else None
            )
        )
    if isinstance(length, int):
        judges.append(
            lambda value: (
                _beyond(name, "length") if isinstance(value, str) and len(value) > length else None
            )
        )
    if shortest:
        judges.append(
            lambda value: (
                _beyond(name, "least length")
                if isinstance(value, str) and len(value) < shortest
                else None
            )
        )
    return judges


def _shortest(element: Mapping[str, Any]) -> int:
    """The value of the extension minLength; 0 when there is none."""
    lengths = (
        extension.get("valueInteger")
        for extension in element.get("extension", ())
        if extension.get("url") == _MIN_LENGTH
    )
    return next((length for length in lengths if isinstance(length, int)), 0)


def _beyond(name: str, bound: str) -> list[Finding]:
    return fault("FB-3027", name=name, bound=bound)


def _differs(name: str, wanted: Any) -> list[Finding]:
    """Names the wanted value only where it is short: it is the profile's, never the sender's."""
    shown = wanted if isinstance(wanted, str | int | bool) else "the value that the profile states"
    return fault("FB-3014", name=name, expected=shown)
