"""What happened, as one small value: who did what with whose data, and how it ended.

https://hl7.org/fhir/R4/auditevent.html.  Everything that is written of an access, in a line of the
access log or as an AuditEvent, is made of this value.
"""

from __future__ import annotations

from dataclasses import dataclass

from fhir_bridge.access import Caller

__all__ = ["Agent", "AuditRecord", "agent_of"]


@dataclass(frozen=True, slots=True)
class Agent:
    """Who did it: the account, the role in which, the app between, for which purpose, from where.

    `token` is a short handle of the token or session, never the token itself.
    """

    account: str = ""
    client: str = ""
    role: str = ""
    patient: str = ""
    practitioner: str = ""
    organization: str = ""
    purpose: str = ""
    reason: str = ""
    token: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One access.

    `at` is in milliseconds since 1970.  `interaction` is a code of restful-interaction,
    ``operation``, ``login``, ``logout``, ``disclose``, ``consent`` or ``break-glass``; `status`
    that of HTTP, `code` the error of a refusal.  `patients` are the ids of those whose data were
    shown or changed, `unresolved` resources (``Type/id``) of which that is still to be found out.
    `query` is the request as it was sent; `consent` the id of the Consent that decided.
    """

    at: int
    agent: Agent
    interaction: str
    status: int
    resource_type: str = ""
    id: str = ""
    version: str = ""
    patients: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    query: str = ""
    consent: str = ""
    code: str = ""
    request_id: str = ""

    @property
    def place(self) -> str:
        """``Type/id/version``, as far as it is known."""
        return "/".join(part for part in (self.resource_type, self.id, self.version) if part)


def agent_of(caller: Caller, address: str = "") -> Agent:
    """The agent behind a caller; of several roles the one that is not merely being a resident."""
    roles = sorted(caller.roles, key=lambda role: not role.practitioner and not role.organization)
    role = roles[0] if roles else None
    return Agent(
        caller.account,
        caller.client,
        role.name if role else "",
        role.patient if role else "",
        role.practitioner if role else "",
        role.organization if role else "",
        caller.purpose,
        caller.reason,
        caller.token,
        address,
    )
