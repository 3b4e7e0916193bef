"""The left side of a search: which parameter of which resource, through which references.

https://hl7.org/fhir/R4/search.html#chaining and #has.  ``subject:Patient.name:exact`` is
a criterion ``name:exact`` of a Patient, reached through ``subject``.
"""

from __future__ import annotations

from dataclasses import dataclass

from fhir_bridge.errors import BridgeError

__all__ = ["Chained", "Criterion", "Direct", "Reversed", "parse_name"]

_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Direct:
    """A parameter of the resource itself."""

    code: str
    modifier: str


@dataclass(frozen=True, slots=True)
class Chained:
    """A criterion on what the reference parameter `code` points to (`target`: only that type)."""

    code: str
    target: str
    rest: Criterion


@dataclass(frozen=True, slots=True)
class Reversed:
    """A criterion on resources of `resource_type` whose parameter `code` points here."""

    resource_type: str
    code: str
    rest: Criterion


Criterion = Direct | Chained | Reversed


def parse_name(name: str, depth: int = 0) -> Criterion:
    """The criterion that a parameter name spells.

    >>> parse_name("subject:Patient.name:exact")
    Chained(code='subject', target='Patient', rest=Direct(code='name', modifier='exact'))
    """
    if depth > _MAX_DEPTH:
        raise BridgeError("FB-4103", name[:80], parameter=name[:80], expected="a shorter chain")
    if name.startswith("_has:"):
        parts = name.split(":", 3)
        if len(parts) < 4 or not all(parts):
            raise BridgeError(
                "FB-4103", name, parameter=name, expected="_has:Type:reference:parameter"
            )
        return Reversed(parts[1], parts[2], parse_name(parts[3], depth + 1))
    head, dot, rest = name.partition(".")
    code, _, modifier = head.partition(":")
    if dot:
        return Chained(code, modifier, parse_name(rest, depth + 1))
    return Direct(code, modifier)
