"""What the expressions of the suite's maps ask of a terminology server.

The suite's engine asks a public server whether a marital status is in its value set; the
codes are those of http://hl7.org/fhir/R4/valueset-marital-status.html.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fhir_bridge.fhir import definitions
from fhir_bridge.fhirpath import Environment
from fhir_bridge.transform.compile.environment import source_environment

_MARITAL_STATUS = "http://hl7.org/fhir/ValueSet/marital-status"
_CODES = frozenset(["A", "D", "I", "L", "M", "C", "P", "T", "U", "S", "W", "UNK"])


def environment_for(source: Any) -> Environment:
    """The product's own environment, plus that value set."""
    own = source_environment(source, definitions())

    def member_of(value: Any, url: str) -> bool | None:
        if url == _MARITAL_STATUS and isinstance(value, dict):
            codings = value.get("coding") or [value]
            return any(one.get("code") in _CODES for one in codings)
        return own.member_of(value, url) if own.member_of else None

    return replace(own, member_of=member_of)
