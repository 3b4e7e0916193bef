"""A visit as a page shows it: which kind, where, when.

https://hl7.org/fhir/R4/encounter.html
"""

from __future__ import annotations

from dataclasses import dataclass

from fhir_bridge.console.reader import Reader
from fhir_bridge.console.record.labels import Labels
from fhir_bridge.console.record.line import day_of, place_of
from fhir_bridge.console.record.reference import view_reference
from fhir_bridge.console.text.display import first
from fhir_bridge.fhir import Resource

__all__ = ["EncounterView", "view_encounter"]

_CLASSES = {
    "IMP": "inpatient",
    "AMB": "outpatient",
    "HH": "home",
    "VR": "virtual",
    "EMER": "emergency",
}
"""http://terminology.hl7.org/CodeSystem/v3-ActCode -> the page's word."""


@dataclass(frozen=True, slots=True)
class EncounterView:
    """One visit; `place` is the location, the department or the institution."""

    reference: str
    kind: str
    place: str
    when: str


def view_encounter(encounter: Resource, reader: Reader, labels: Labels) -> EncounterView:
    """The view of `encounter`; the type names it where its class does not."""
    kind = _CLASSES.get(str(first(encounter, "class", "code") or ""), "")
    what = labels.concept(first(encounter, "type"))
    place = (
        view_reference(first(encounter, "location", "location"), reader).text
        or labels.concept(first(encounter, "serviceType"))
        or view_reference(encounter.get("serviceProvider"), reader).text
    )
    return EncounterView(
        reference=place_of(encounter),
        kind=labels.words(kind) if kind else what or str(encounter.get("status", "")),
        place=" · ".join(filter(None, (what if kind else "", place))),
        when=day_of(first(encounter, "period", "start")),
    )
