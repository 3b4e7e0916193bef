"""Records in few words, for the tests of this folder."""

from fhir_bridge.audit import Agent, AuditRecord

AT = 1_790_000_000_000
BASE = "http://127.0.0.1:8080/fhir"
DOCTOR = Agent(
    account="a1",
    client="app",
    role="doctor",
    practitioner="dr",
    organization="hospital",
    purpose="TREAT",
    token="t1",
    address="192.0.2.7",
)


def record(interaction="read", status=200, agent=DOCTOR, **more):
    """An access to an Observation of Patient/p, but for what is named."""
    given = {"resource_type": "Observation", "id": "o", "patients": ("p",), "request_id": "r-1"}
    return AuditRecord(AT, agent, interaction, status, **(given | more))
