"""Fixed values, patterns and value sets: does a value fit what a profile states?

https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from fhir_bridge import ucum

__all__ = ["are_comparable", "fits_codes", "is_fixed", "is_less", "matches_pattern", "stated_value"]

UCUM = "http://unitsofmeasure.org"
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T.*)?)?)?\Z")
_DAY = len("2024-01-01")
_NOTHING = object()


def stated_value(element: Mapping[str, Any], prefix: str) -> Any:
    """The value of ``fixed[x]`` or ``pattern[x]``; None when the element states none."""
    for key, value in element.items():
        if key.startswith(prefix) and key[len(prefix) : len(prefix) + 1].isupper():
            return value
    return None


def is_fixed(value: Any, fixed: Any) -> bool:
    """Exactly equal, all the way down; ids are left aside."""
    if isinstance(fixed, dict):
        return isinstance(value, dict) and all(
            is_fixed(value.get(key, _NOTHING), fixed.get(key, _NOTHING))
            for key in {*value, *fixed}
            if key != "id"
        )
    if isinstance(fixed, list):
        return (
            isinstance(value, list)
            and len(value) == len(fixed)
            and all(is_fixed(one, other) for one, other in zip(value, fixed, strict=True))
        )
    return bool(value == fixed) and isinstance(value, bool) == isinstance(fixed, bool)


def matches_pattern(value: Any, pattern: Any) -> bool:
    """All that `pattern` states is in `value`; of a list, each item in some place."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            key in value and matches_pattern(value[key], wanted) for key, wanted in pattern.items()
        )
    if isinstance(pattern, list):
        items = value if isinstance(value, list) else [value]
        return all(any(matches_pattern(item, wanted) for item in items) for wanted in pattern)
    return bool(value == pattern) and isinstance(value, bool) == isinstance(pattern, bool)


def fits_codes(value: Any, systems: Mapping[str, frozenset[str]]) -> bool:
    """Whether a code, Coding, CodeableConcept or Quantity is in the value set `systems`."""
    if isinstance(value, str):
        return any(value in codes for codes in systems.values())
    return any(
        coding.get("code") in systems.get(coding.get("system", ""), ())
        for coding in _codings(value)
    )


def are_comparable(value: Any, other: Any) -> bool:
    """Whether two quantities have units that can be converted; other values are taken to be."""
    if not isinstance(value, dict) or not isinstance(other, dict):
        return True
    if not value.get("code") or not other.get("code"):
        return False
    if (value["code"], value.get("system")) == (other["code"], other.get("system")):
        return True
    return _in_unit_of(value, other) is not None


def is_less(value: Any, other: Any) -> bool:
    """Whether `value` is less than `other`; False when the two cannot be compared.

    Numbers, quantities (converted by UCUM), and dates and times at the precision that both have:
    a day of June is neither before nor after June.
    """
    if isinstance(value, dict) and isinstance(other, dict):
        return _is_less_quantity(value, other)
    if isinstance(value, str) and isinstance(other, str):
        return _is_before(value, other)
    if isinstance(value, bool) or isinstance(other, bool):
        return False
    if isinstance(value, int | Decimal) and isinstance(other, int | Decimal):
        return value < other
    return False


def _is_less_quantity(value: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    one, two = value.get("value"), other.get("value")
    if not isinstance(one, int | Decimal) or not isinstance(two, int | Decimal):
        return False
    if value.get("code") == other.get("code"):
        return one < two
    converted = _in_unit_of(value, other)
    return converted is not None and converted < two


def _in_unit_of(value: Mapping[str, Any], other: Mapping[str, Any]) -> Decimal | None:
    """The number of `value` in the unit of `other`; None when UCUM cannot tell."""
    number = value.get("value")
    if value.get("system") != UCUM or other.get("system") != UCUM:
        return None
    if not isinstance(number, int | Decimal):
        return None
    return ucum.convert(Decimal(number), str(value.get("code")), str(other.get("code")))


def _is_before(value: str, other: str) -> bool:
    if len(value) == len(other):
        return value < other
    shorter = min(len(value), len(other))
    days = _DATE.match(value) and _DATE.match(other)
    return bool(days) and shorter <= _DAY and value[:shorter] < other[:shorter]


def _codings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        listed = value.get("coding")
        if isinstance(listed, list):
            yield from (coding for coding in listed if isinstance(coding, dict))
        elif "code" in value:
            yield value
