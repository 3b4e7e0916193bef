"""A referral as a page shows it: from whom to whom, which way, why, how far it is.

https://hl7.org/fhir/R4/servicerequest.html with the extensions of the profile ``fd-referral``.
"""

from __future__ import annotations

from dataclasses import dataclass

from fhir_bridge.console.reader import Reader
from fhir_bridge.console.record.labels import Labels
from fhir_bridge.console.record.line import day_of, place_of
from fhir_bridge.console.record.reference import view_reference
from fhir_bridge.console.text.display import codes_of, first, list_of
from fhir_bridge.fhir import Resource

__all__ = ["ReferralView", "is_referral", "view_referral"]

_REFERRING = "https://fhir-bridge.org/fhir/StructureDefinition/referring-organization"
_DIRECTION = "https://fhir-bridge.org/fhir/StructureDefinition/referral-direction"
_DIRECTIONS = "https://fhir-bridge.org/fhir/CodeSystem/referral-direction"
_REFERRAL = "3457005"
"""SNOMED CT: patient referral."""


@dataclass(frozen=True, slots=True)
class ReferralView:
    """One referral; `from_to` names both sides, else the direction, else the id."""

    reference: str
    when: str
    from_to: str
    reason: str
    status: str
    status_text: str


def is_referral(request: Resource) -> bool:
    """Not an order for a test: by its category, or because it has a direction."""
    directed = any(each.get("url") == _DIRECTION for each in list_of(request, "extension"))
    categories = {code for category in list_of(request, "category") for code in codes_of(category)}
    return directed or _REFERRAL in categories


def view_referral(request: Resource, reader: Reader, labels: Labels) -> ReferralView:
    """The view of a ServiceRequest that is a referral."""
    sender, direction = "", ""
    for extension in list_of(request, "extension"):
        if extension.get("url") == _REFERRING:
            sender = view_reference(extension.get("valueReference"), reader).text
        if extension.get("url") == _DIRECTION:
            direction = labels.coding({"system": _DIRECTIONS, "code": extension.get("valueCode")})
    sender = sender or view_reference(request.get("requester"), reader).text
    receiver = view_reference(first(request, "performer"), reader).text
    reasons = [labels.concept(reason) for reason in list_of(request, "reasonCode")]
    return ReferralView(
        reference=place_of(request),
        when=day_of(request.get("authoredOn")),
        from_to=" → ".join(filter(None, (sender, receiver))) or direction or str(request["id"]),
        reason=" · ".join(filter(None, [direction, *reasons])),
        status=str(request.get("status", "")),
        status_text=labels.status(request),
    )
