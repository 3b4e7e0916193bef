"""What a request changes is an AuditEvent in the transaction of the change, or neither is there."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_bridge import clock
from fhir_bridge.audit.audit_event import audit_events
from fhir_bridge.audit.record import Agent, AuditRecord
from fhir_bridge.audit.shown import patients_in
from fhir_bridge.database import milliseconds
from fhir_bridge.store import Stored, Transaction, Written

__all__ = ["ChangeAudit", "add_events"]

_INTERACTIONS = {"created": "create", "updated": "update", "deleted": "delete"}


@dataclass(frozen=True, slots=True)
class ChangeAudit:
    """The audit of the changes of one request of an agent."""

    agent: Agent
    base_url: str
    request_id: str

    def changed(
        self, transaction: Transaction, written: Written, before: Stored | None = None
    ) -> None:
        """Adds the event of a change; `before` is what was there."""
        interaction = _INTERACTIONS.get(written.outcome)
        if interaction is None:
            return
        own = (written.id,) if written.resource_type == "Patient" else ()
        record = AuditRecord(
            milliseconds(clock.now()),
            self.agent,
            interaction,
            200,
            written.resource_type,
            written.id,
            str(written.version),
            own or patients_in(written.body or (before.body if before else b"")),
            request_id=self.request_id,
        )
        place = f"{record.place}/{self.request_id}"
        add_events(transaction, record, self.base_url, "change", place)


def add_events(transaction: Transaction, record: AuditRecord, base_url: str, *key: str) -> None:
    """Adds the events of a record to a transaction."""
    transaction.put_many(audit_events(record, base_url, *key))
