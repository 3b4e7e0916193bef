"""Broken glass: who opened whose record in an emergency, why, until when, and who reviewed it.

`fhir_bridge.audit` begins and closes one and writes its event; here they are kept and listed.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any

from fhir_bridge.database import Row, Session, Storage
from fhir_bridge.errors import BridgeError

__all__ = ["Emergencies", "Emergency", "add_emergency", "close_emergency"]

_COLUMNS = (
    "number, at, until, account, client, practitioner, organization, patient_id, reason, closed,"
    " closed_by, note"
)


@dataclass(frozen=True, slots=True)
class Emergency:
    """One opening of one patient's record.  Times are milliseconds since 1970; `closed` 0: open."""

    number: int
    at: int
    until: int
    account: str
    client: str
    practitioner: str
    organization: str
    patient_id: str
    reason: str
    closed: int = 0
    closed_by: str = ""
    note: str = ""


class Emergencies:
    """Those of one store."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def open_to(self, account: str, at: int) -> dict[str, Emergency]:
        """The patients whose records are open to an account at a moment, by their ids."""
        with self._storage.reading() as session:
            rows = session.all(
                f"SELECT {_COLUMNS} FROM emergency WHERE account = ? AND at <= ? AND until > ?"
                " ORDER BY number",
                (account, at, at),
            )
        return {each.patient_id: each for each in map(_emergency, rows)}

    def list(
        self, *, closed: bool = False, patient_id: str = "", limit: int = 50
    ) -> builtins.list[Emergency]:
        """The newest that wait for their review (`closed`: all), of one Patient where given."""
        tests, parameters = ["1=1" if closed else "closed = 0"], builtins.list[Any]()
        if patient_id:
            tests.append("patient_id = ?")
            parameters.append(patient_id)
        with self._storage.reading() as session:
            rows = session.all(
                f"SELECT {_COLUMNS} FROM emergency WHERE {' AND '.join(tests)}"
                " ORDER BY number DESC LIMIT ?",
                [*parameters, limit],
            )
        return [_emergency(row) for row in rows]

    def get(self, number: int) -> Emergency:
        """One of them.  Raises BridgeError FB-5205."""
        with self._storage.reading() as session:
            row = session.one(f"SELECT {_COLUMNS} FROM emergency WHERE number = ?", (number,))
        if row is None:
            raise BridgeError("FB-5205", number=number)
        return _emergency(row)


def add_emergency(session: Session, emergency: Emergency) -> int:
    """Keeps one; its number."""
    session.run(
        "INSERT INTO emergency (at, until, account, client, practitioner, organization, patient_id,"
        " reason) VALUES (?,?,?,?,?,?,?,?)",
        (
            emergency.at, emergency.until, emergency.account, emergency.client,
            emergency.practitioner, emergency.organization, emergency.patient_id, emergency.reason,
        ),
    )  # fmt: skip
    row = session.one("SELECT max(number) FROM emergency WHERE account = ?", (emergency.account,))
    return int(row[0]) if row else 0


def close_emergency(session: Session, number: int, at: int, by: str, note: str) -> bool:
    """Takes one off the review list, whoever closes it at the same time; whether it was open."""
    return (
        session.run(
            "UPDATE emergency SET closed = ?, closed_by = ?, note = ? WHERE number = ? AND closed = 0",
            (at, by, note, number),
        )
        == 1
    )


def _emergency(row: Row) -> Emergency:
    return Emergency(*row)
