"""Breaking the glass: a clinician opens one record for two hours, says why, and is reviewed.

https://terminology.hl7.org/CodeSystem-v3-ActReason.html (BTG), DICOM 110127 (Emergency Override
Started).  What it opens is decided elsewhere (`fhir_bridge.access`); here it begins, with its event
in the same transaction, and ends: by itself, and on the review list by another person.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fhir_bridge import clock
from fhir_bridge.audit.changes import add_events
from fhir_bridge.audit.record import Agent, AuditRecord
from fhir_bridge.database import milliseconds
from fhir_bridge.errors import BridgeError
from fhir_bridge.store import Emergency, Store, Transaction

__all__ = ["DURATION", "break_glass", "close_review"]

DURATION = timedelta(hours=2)
MIN_REASON, MAX_REASON = 10, 500
"""Characters of a reason that somebody typed."""


def break_glass(store: Store, agent: Agent, patient_id: str, base_url: str) -> Emergency:
    """Opens a patient's record to `agent` (who has typed a reason) until two hours from now.

    The event is in the record before this returns, and the resident sees it at once.  Raises
    BridgeError FB-4207 (no reason, or nobody who can be asked about it) and FB-4001 (no patient).
    """
    reason = " ".join(agent.reason.split())
    if not MIN_REASON <= len(reason) <= MAX_REASON:
        raise BridgeError(
            "FB-4207", reason=f"it needs {MIN_REASON} to {MAX_REASON} characters of reason"
        )
    if not agent.account or not agent.practitioner:
        raise BridgeError("FB-4207", reason="it takes a clinician who has signed in")
    found = store.read("Patient", patient_id)
    if found is None or found.deleted:
        raise BridgeError("FB-4001", resource_type="Patient", id=patient_id[:64])
    now = clock.now()
    begun = Emergency(
        0,
        milliseconds(now),
        milliseconds(now + DURATION),
        agent.account,
        agent.client,
        agent.practitioner,
        agent.organization,
        patient_id,
        reason,
    )

    def work(opened: Transaction) -> Emergency:
        number = opened.add_emergency(begun)
        record = AuditRecord(
            begun.at, agent, "break-glass", 200, "Patient", patient_id, patients=(patient_id,)
        )
        add_events(opened, record, base_url, "break-glass", str(number))
        return replace(begun, number=number)

    return store.run(work)


def close_review(store: Store, number: int, by: str, note: str) -> Emergency:
    """Takes one off the review list; `by` is an account or the name of a person.

    Raises BridgeError FB-5205 (none of this number, or closed already) and FB-4208 (the one who
    broke the glass cannot review it, and a review says what it found).
    """
    found = store.emergencies.get(number)
    if not by.strip() or not note.strip() or by == found.account:
        raise BridgeError("FB-4208")
    at = milliseconds(clock.now())
    if not store.run(lambda opened: opened.close_emergency(number, at, by, note)):
        raise BridgeError("FB-5205", number=number)
    return store.emergencies.get(number)
