"""A record as AuditEvents in the shapes of IHE's Basic Audit Log Patterns: one for each patient.

https://profiles.ihe.net/ITI/BALP/content.html, https://hl7.org/fhir/R4/auditevent.html
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fhir_bridge import clock
from fhir_bridge.audit.codes import (
    ACCOUNT_SYSTEM,
    CLIENT_SYSTEM,
    Pattern,
    coding,
    concept,
    pattern_of,
    profile_url,
)
from fhir_bridge.audit.record import Agent, AuditRecord
from fhir_bridge.fhir import Resource

__all__ = ["audit_events"]

_SERVICE = {"display": "FHIR Bridge"}


def audit_events(record: AuditRecord, base_url: str, *key: str) -> Iterator[Resource]:
    """The AuditEvents of a record: one for each patient, or one without.

    `base_url` is the address of this server, and `key` what names the record: the same key gives
    the same ids, so that to make them again changes nothing.
    """
    for patient in record.patients or ("",):
        yield _event(record, patient, base_url, clock.stable_id("AuditEvent", *key, patient))


def _event(record: AuditRecord, patient: str, base_url: str, id_: str) -> Resource:
    pattern, agent = pattern_of(record.interaction), record.agent
    failed = "0" if record.status < 400 else "4" if record.status < 500 else "8"
    event: Resource = {
        "resourceType": "AuditEvent",
        "id": id_,
        "meta": {"profile": list(_profiles(record, pattern, patient))},
        "type": coding(pattern.type),
        "subtype": [coding(each) for each in pattern.subtypes],
        "action": pattern.action,
        "recorded": clock.instant(datetime.fromtimestamp(record.at / 1000, UTC)),
        "outcome": failed,
        "outcomeDesc": record.code,
        "purposeOfEvent": [_purpose(agent, with_reason=True)],
        "agent": [*_users(agent, pattern), *_machines(agent, pattern, base_url)],
        "source": {
            "site": base_url,
            "observer": _SERVICE,
            "type": [coding(("source", "4"))],
        },
        "entity": list(_entities(record, patient)),
    }
    if not agent.purpose:
        del event["purposeOfEvent"]
    return {name: value for name, value in event.items() if value not in ("", [], {"profile": []})}


def _profiles(record: AuditRecord, pattern: Pattern, patient: str) -> Iterator[str]:
    """The profiles that an event has: those of success claim no failure."""
    if (
        pattern.profile
        and (record.status < 400 or not pattern.per_patient)
        and _is_whole(record, patient)
    ):
        form = f"Patient{pattern.profile}" if patient and pattern.per_patient else pattern.profile
        yield profile_url(f"BasicAudit.{form}")
    if record.agent.client and record.agent.token:
        yield profile_url("BasicAudit.OAUTHaccessTokenUse.Minimal")


def _is_whole(record: AuditRecord, patient: str) -> bool:
    """Whether there is what the profile of a kind needs beside what every event has."""
    if record.interaction == "consent":
        return bool(patient and record.consent and record.agent.organization)
    return record.interaction != "disclose" or bool(patient)


def _users(agent: Agent, pattern: Pattern) -> Iterator[dict[str, Any]]:
    """The person, the institution for which they work, and the token that was used."""
    person = {
        "type": concept(pattern.user),
        "role": [concept(("role", agent.role))] if agent.role else [],
        "who": _person(agent),
        "altId": "" if pattern.profile == "AuthZconsent" else agent.account,
        "requestor": True,
        "purposeOfUse": [_purpose(agent)] if agent.purpose else [],
    }
    if person["who"]:
        yield {name: value for name, value in person.items() if value not in ("", [])}
    if agent.organization:
        yield {
            "type": concept(("role-class", "PROV")),
            "who": {"reference": f"Organization/{agent.organization}"},
            "requestor": False,
        }
    if agent.client and agent.token:
        yield {
            "type": concept(("balp-agent", "UserOauthAgent")),
            "requestor": True,
            "policy": [f"urn:fhir-bridge:token:{agent.token}"],
        }


def _person(agent: Agent) -> dict[str, Any]:
    if agent.practitioner:
        return {"reference": f"Practitioner/{agent.practitioner}"}
    if agent.patient:
        return {"reference": f"Patient/{agent.patient}"}
    if agent.account:
        return {"identifier": {"system": ACCOUNT_SYSTEM, "value": agent.account}}
    return {}


def _machines(agent: Agent, pattern: Pattern, base_url: str) -> Iterator[dict[str, Any]]:
    """The app (or the service's own pages) at its address, and this server."""
    app = {"identifier": {"system": CLIENT_SYSTEM, "value": agent.client}}
    yield {
        "type": concept(pattern.client),
        "who": app if agent.client else _SERVICE,
        "requestor": False,
        "network": {"address": agent.address or "unknown", "type": "2" if agent.address else "1"},
    }
    server = {"type": concept(pattern.server), "who": _SERVICE, "requestor": False}
    yield (
        server
        if pattern.profile == "AuthZconsent"
        else {
            **server,
            "network": {"address": base_url, "type": "5"},
        }
    )


def _purpose(agent: Agent, *, with_reason: bool = False) -> dict[str, Any]:
    stated = concept(("reason", agent.purpose))
    return {**stated, "text": agent.reason} if with_reason and agent.reason else stated


def _entities(record: AuditRecord, patient: str) -> Iterator[dict[str, Any]]:
    if record.resource_type and record.id:
        place = f"{record.resource_type}/{record.id}"
        version = f"/_history/{record.version}" if record.version else ""
        yield _entity(("entity", "2"), ("object", "4"), {"reference": place + version})
    if record.query and pattern_of(record.interaction).profile != "Read":
        yield {
            "type": coding(("entity", "2")),
            "role": coding(("object", "24")),
            "query": base64.b64encode(record.query.encode()).decode(),
        }
    if patient:
        yield _entity(("entity", "1"), ("object", "1"), {"reference": f"Patient/{patient}"})
    if record.consent:
        what = {"reference": f"Consent/{record.consent}"}
        yield {"what": what, "type": coding(("types", "Consent"))}
    if record.request_id and record.interaction != "consent":  # whose profile has no place for it
        yield {
            "what": {"identifier": {"value": record.request_id}},
            "type": coding(("balp-entity", "XrequestId")),
        }


def _entity(kind: tuple[str, str], role: tuple[str, str], what: dict[str, Any]) -> dict[str, Any]:
    return {"what": what, "type": coding(kind), "role": coding(role)}
