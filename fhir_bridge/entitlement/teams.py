"""The care teams that a member of staff belongs to on a day.

https://hl7.org/fhir/R4/careteam.html: as Practitioner, or by a PractitionerRole; the team is active and
the day lies inside its period and that of the participation.
"""

from __future__ import annotations

from fhir_bridge.entitlement.record import Look, reference_id

__all__ = ["teams_of"]


def teams_of(look: Look, practitioner: str) -> frozenset[str]:
    """The ids of the teams."""
    roles = {
        role["id"]
        for role in look.find(
            "PractitionerRole", (("practitioner", f"Practitioner/{practitioner}"),)
        )
        if role.get("active", True) and look.is_in(role.get("period"))
    }
    members = [
        f"Practitioner/{practitioner}",
        *(f"PractitionerRole/{each}" for each in sorted(roles)),
    ]
    return frozenset(
        team["id"]
        for team in look.find(
            "CareTeam", (("participant", ",".join(members)), ("status", "active"))
        )
        if look.is_in(team.get("period"))
        and any(
            look.is_in(each.get("period"))
            and (
                reference_id(each.get("member"), "Practitioner") == practitioner
                or reference_id(each.get("member"), "PractitionerRole") in roles
            )
            for each in team.get("participant", ())
        )
    )
