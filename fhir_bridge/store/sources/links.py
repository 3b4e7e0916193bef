"""The link log: each decision on who is one person, added and never changed."""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from dataclasses import dataclass

from fhir_bridge.database import Row, Session, instant_of

__all__ = ["LoggedLink", "entry", "of_patient"]

_COLUMNS = "entry_id, at, patient_id, feed, key, rule, detail"


@dataclass(frozen=True, slots=True)
class LoggedLink:
    """One decision as it was logged; `at` is a FHIR instant.

    `key` names the statement within its feed; `fhir_bridge.identity` reads `detail`.
    """

    entry_id: int
    at: str
    patient_id: str
    feed: str
    key: str
    rule: str
    detail: str


def of_patient(session: Session, patient_id: str) -> list[LoggedLink]:
    """The decisions on one Patient, oldest first."""
    rows = session.all(
        f"SELECT {_COLUMNS} FROM link_log WHERE patient_id = ? ORDER BY entry_id", (patient_id,)
    )
    return [_logged(row) for row in rows]


def entry(session: Session, entry_id: int) -> LoggedLink | None:
    """One decision by its number."""
    row = session.one(f"SELECT {_COLUMNS} FROM link_log WHERE entry_id = ?", (entry_id,))
    return _logged(row) if row else None


def _logged(row: Row) -> LoggedLink:
    entry_id, at, *texts = row
    return LoggedLink(entry_id, instant_of(at), *texts)
