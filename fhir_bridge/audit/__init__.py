"""Where a record came from and who has looked at it.

``provenance`` makes the Provenance that is stored with what a message became.

Who looked and who changed is an `AuditRecord` (`record`).  It becomes AuditEvents (`audit_event`,
`codes`), for a change in its own transaction (`changes`), for a read by a line of a file (`line`,
`access_log`, `log_file`) that the keeper turns into AuditEvents within a second (`keeper`); what it
shows of patients is found in the answer (`shown`).  `verification` checks the chain over events; `break_glass` opens a record in an emergency.
"""

from fhir_bridge.audit.access_log import AccessLog
from fhir_bridge.audit.audit_event import audit_events
from fhir_bridge.audit.break_glass import break_glass, close_review
from fhir_bridge.audit.changes import ChangeAudit, add_events
from fhir_bridge.audit.keeper import AuditKeeper
from fhir_bridge.audit.provenance import FEED_SYSTEM, MESSAGE_SYSTEM, provenance
from fhir_bridge.audit.record import Agent, AuditRecord, agent_of
from fhir_bridge.audit.shown import patients_in, patients_of_query, resources_in
from fhir_bridge.audit.verification import DayOfEvents, verify

__all__ = [
    "FEED_SYSTEM",
    "MESSAGE_SYSTEM",
    "AccessLog",
    "Agent",
    "AuditKeeper",
    "AuditRecord",
    "ChangeAudit",
    "DayOfEvents",
    "add_events",
    "agent_of",
    "audit_events",
    "break_glass",
    "close_review",
    "patients_in",
    "patients_of_query",
    "provenance",
    "resources_in",
    "verify",
]
