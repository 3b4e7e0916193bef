"""A search that names a Patient that became part of another one means both.

What had been recorded under the old Patient speaks of the survivor; a client that still has
the old id finds it all the same (https://hl7.org/fhir/R4/patient.html, Patient.link).  Looked
up only where a search by one Patient finds nothing, or could miss what it means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from fhir_bridge.identity import living_ids
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.routes import Route

__all__ = ["may_miss", "with_survivors"]

Pairs = Sequence[tuple[str, str]]

_PATIENT = re.compile(r"(?:(?:https?://[^\s?#,]+/)?Patient/)?([A-Za-z0-9\-.]{1,64})")
_MODIFIERS = frozenset({"", "Patient"})


def may_miss(route: Route, pairs: Pairs, context: Context) -> bool:
    """Whether a search that finds something may still miss what it means.

    So it is with several Patients in one parameter, and with a whole compartment.
    """
    if route.compartment == "Patient":
        return route.resource_type in {"", "*", "Patient"}
    return any(
        "," in value for name, value in pairs if _names_patients(route.resource_type, name, context)
    )


def with_survivors(route: Route, pairs: Pairs, context: Context) -> tuple[Route, Pairs] | None:
    """The search with the survivors of the Patients it names; None where all are living."""
    if context.access.is_limited("Patient", "s"):
        return None  # who may see some patients only is not told whose ids belong together
    named = {
        match[1]
        for name, value in pairs
        if _names_patients(route.resource_type, name, context)
        for part in value.split(",")
        if (match := _PATIENT.fullmatch(part))
    }
    if route.compartment == "Patient":
        named.add(route.id)
    if not named:
        return None
    living = living_ids(context.transaction or context.store, named)
    if not living:
        return None
    followed = [(name, _followed(value, living)) for name, value in pairs]
    if route.compartment == "Patient":
        route = replace(route, id=living.get(route.id, route.id))
    return route, followed


def _names_patients(resource_type: str, name: str, context: Context) -> bool:
    """Whether a search parameter is a reference that may lead to a Patient."""
    code, _, modifier = name.partition(":")
    if modifier not in _MODIFIERS or resource_type in {"", "*"}:
        return False
    parameter = context.registry.parameters(resource_type).get(code)
    if parameter is None or parameter.type != "reference":
        return False
    return not parameter.targets or "Patient" in parameter.targets


def _followed(value: str, living: dict[str, str]) -> str:
    """The value with the survivor beside each Patient that became part of one."""
    parts = []
    for part in value.split(","):
        parts.append(part)
        match = _PATIENT.fullmatch(part)
        if match and match[1] in living:
            parts.append(f"Patient/{living[match[1]]}")
    return ",".join(parts)
