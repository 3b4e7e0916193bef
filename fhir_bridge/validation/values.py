"""Fixed values, patterns and value sets: does a value fit what a profile states?

https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["fits_codes", "is_fixed", "matches_pattern", "stated_value"]

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


def _codings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        listed = value.get("coding")
        if isinstance(listed, list):
            yield from (coding for coding in listed if isinstance(coding, dict))
        elif "code" in value:
            yield value
