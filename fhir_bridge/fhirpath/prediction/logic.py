"""Three-valued logic and comparison of looks: a rule's operators without the engine.

http://hl7.org/fhirpath/N1/#boolean-logic, http://hl7.org/fhirpath/N1/#comparison

Part of `prediction`.  A look answers True, False or a value, None (nothing is there) or
`UNKNOWN` (the engine must be asked).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

__all__ = [
    "LOGIC",
    "UNKNOWN",
    "Look",
    "Unpredicted",
    "always",
    "application",
    "are_alike",
    "choice",
    "comparison",
    "negation",
    "never",
]


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()
"""Only the engine knows."""

Look = Callable[[Any, Any], Any]
"""A function of (value, ``%resource``): what is there, None for nothing, or `UNKNOWN`."""


class Unpredicted(Exception):  # noqa: N818 - not an error: the engine is asked
    """The form says more than a few look-ups tell."""


def never(_value: Any, _resource: Any) -> Any:
    """A look that never tells."""
    return UNKNOWN


def always(_value: Any, _resource: Any) -> Any:
    """A look that says true."""
    return True


def negation(look: Look) -> Look:
    """``not()`` of a truth; nothing stays nothing."""

    def negated(value: Any, resource: Any) -> Any:
        answer = look(value, resource)
        return (not answer) if answer is True or answer is False else answer

    return negated


def choice(condition: Look, then: Look, otherwise: Look) -> Look:
    """`then` where `condition` is true, else `otherwise`; nothing is not true."""
    if otherwise is always:  # "unless": a call less for each rule

        def unless(value: Any, resource: Any) -> Any:
            answer = condition(value, resource)
            if answer is True:
                return then(value, resource)
            return UNKNOWN if answer is UNKNOWN else True

        return unless

    def chosen(value: Any, resource: Any) -> Any:
        answer = condition(value, resource)
        if answer is UNKNOWN:
            return UNKNOWN
        return then(value, resource) if answer is True else otherwise(value, resource)

    return chosen


def application(look: Look, function: Callable[[str], Any]) -> Look:
    """`function` of the text that `look` finds."""

    def applied(value: Any, resource: Any) -> Any:
        text = look(value, resource)
        return text if text is UNKNOWN or text is None else function(text)

    return applied


def comparison(
    left: Look,
    right: Look,
    test: Callable[[Any, Any], Any],
    alike: Callable[[Any, Any], bool] | None = None,
) -> Look:
    """`test` of two values; not told where `alike` says that they need the engine."""

    def compared(value: Any, resource: Any) -> Any:
        one, other = left(value, resource), right(value, resource)
        if one is UNKNOWN or other is UNKNOWN:
            return UNKNOWN
        if one is None or other is None:
            return None
        return test(one, other) if alike is None or alike(one, other) else UNKNOWN

    return compared


def are_alike(one: str, other: str) -> bool:
    """Whether two temporal texts have the precision and the zone in common, to the second."""
    size = len(one)
    if size != len(other):
        return False
    return (
        size == 10
        or (size == 20 and one[19] == other[19] == "Z")
        or (size == 25 and one[19:] == other[19:])
    )


def _and(left: Look, right: Look) -> Look:
    def both(value: Any, resource: Any) -> Any:
        one = left(value, resource)
        if one is False or one is UNKNOWN:
            return one
        other = right(value, resource)
        if other is False or other is UNKNOWN:
            return other
        return True if one and other else None

    return both


def _or(left: Look, right: Look) -> Look:
    def either(value: Any, resource: Any) -> Any:
        one = left(value, resource)
        if one is True or one is UNKNOWN:
            return one
        other = right(value, resource)
        if other is True or other is UNKNOWN:
            return other
        return False if one is False and other is False else None

    return either


def _implies(left: Look, right: Look) -> Look:
    def implied(value: Any, resource: Any) -> Any:
        one = left(value, resource)
        if one is False:
            return True
        if one is UNKNOWN:
            return UNKNOWN
        other = right(value, resource)
        if other is True or other is UNKNOWN:
            return other
        return None if one is None else other

    return implied


LOGIC: dict[str, Callable[[Look, Look], Look]] = {
    "and": _and,
    "or": _or,
    "implies": _implies,
    "xor": lambda left, right: comparison(left, right, operator.ne),
}
"""The operators by name, as functions of two looks."""
