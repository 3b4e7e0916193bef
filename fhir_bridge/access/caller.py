"""Who asks: made from a token or a session, never from the request's own words.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from __future__ import annotations

from dataclasses import dataclass

from fhir_bridge.access.scope import Scopes

__all__ = ["Caller", "Role"]


@dataclass(frozen=True, slots=True)
class Role:
    """One thing that a person is, from the bindings of an account.

    `name` is a role of ``profiles/access``; `patient`, `practitioner` and `organization` are ids
    of the resources that say who they are there, empty where the role has none.
    """

    name: str
    patient: str = ""
    practitioner: str = ""
    organization: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """A person, an app that acts for one, or a system.

    `account` is empty for a system client and `client` for the service's own pages.  `scopes`
    None: no app stands between, nothing is narrowed.  `patient` and `encounter` are the launch
    context: scopes of the level ``patient`` reach nothing without a patient.  `purpose` is a code
    of https://terminology.hl7.org/CodeSystem/v3-ActReason (``TREAT``, ``BTG``), `reason` what was
    typed for breaking the glass.  `token` is a short handle of the token or session for the
    access log, never the token.
    """

    account: str = ""
    client: str = ""
    roles: tuple[Role, ...] = ()
    scopes: Scopes | None = None
    patient: str = ""
    encounter: str = ""
    purpose: str = ""
    reason: str = ""
    token: str = ""
