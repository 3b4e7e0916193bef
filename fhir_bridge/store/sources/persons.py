"""Statements of persons and the keys they are found by, as the record keeps them.

`fhir_bridge.identity` gives them their meaning; here they are read and written.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fhir_bridge.database import Session

__all__ = [
    "PersonRow",
    "add_keys",
    "drop_statement",
    "patient_ids_by_key",
    "put_statements",
    "set_keys",
    "statements_of",
    "touch",
]

_BATCH = 500
_COLUMNS = "feed, key, patient_id, rank, body, at, version, system, number, times"


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One statement of a person: (feed, key) names it, `patient_id` is whose it is.

    `at` is the stamp of its event (time and receipt), `version` the version of the Patient
    that it last went into; `system` and `number` name the source's own record of the person.
    `body` is the Patient as stated and `times` what is beside it (`fhir_bridge.update`).
    """

    feed: str
    key: str
    patient_id: str
    rank: int
    body: bytes
    at: int = 0
    version: int = 0
    system: str = ""
    number: str = ""
    times: bytes | None = None


def patient_ids_by_key(session: Session, keys: Iterable[bytes]) -> dict[bytes, str]:
    """Patient ids by key, for the keys that are known."""
    wanted = list(keys)
    found: dict[bytes, str] = {}
    for start in range(0, len(wanted), _BATCH):
        where, parameters = _among_bytes(wanted[start : start + _BATCH])
        rows = session.all(f"SELECT key, patient_id FROM identity_key WHERE {where}", parameters)
        found.update((bytes(key), patient_id) for key, patient_id in rows)
    return found


def set_keys(session: Session, patient_ids: Mapping[bytes, str]) -> None:
    """Points each key at a Patient, also one that pointed elsewhere; "" takes the key away."""
    session.many(
        "INSERT INTO identity_key (key, patient_id) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET patient_id = excluded.patient_id",
        sorted((key, patient_id) for key, patient_id in patient_ids.items() if patient_id),
    )
    gone = sorted((key,) for key, patient_id in patient_ids.items() if not patient_id)
    if gone:
        session.many("DELETE FROM identity_key WHERE key = ?", gone)


def add_keys(session: Session, pairs: Iterable[tuple[bytes, str]]) -> None:
    """Adds (key, patient id) pairs; a key that is known keeps its Patient."""
    session.many(
        "INSERT INTO identity_key (key, patient_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        sorted(pairs),
    )


def statements_of(session: Session, patient_ids: Iterable[str]) -> dict[str, list[PersonRow]]:
    """Every statement behind each of the Patients, in the order of feed and key."""
    wanted = list(patient_ids)
    found: dict[str, list[PersonRow]] = {each: [] for each in wanted}
    for start in range(0, len(wanted), _BATCH):
        where, parameters = session.among("patient_id", wanted[start : start + _BATCH])
        rows = session.all(
            f"SELECT {_COLUMNS} FROM identity_statement WHERE {where} ORDER BY feed, key",
            parameters,
        )
        for feed, key, owner, rank, body, at, version, system, number, times in rows:
            kept = None if times is None else bytes(times)
            found[owner].append(
                PersonRow(feed, key, owner, rank, bytes(body), at, version, system, number, kept)
            )
    return found


def put_statements(session: Session, rows: Iterable[PersonRow]) -> None:
    """Adds or replaces statements; one may move from another Patient."""
    values = [
        (
            row.feed, row.key, row.patient_id, row.rank, row.body, row.at, row.version,
            row.system, row.number, row.times,
        )
        for row in sorted(rows, key=lambda row: (row.feed, row.key))
    ]  # fmt: skip
    session.many(
        f"INSERT INTO identity_statement ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT (feed, key) DO UPDATE SET patient_id = excluded.patient_id,"
        " rank = excluded.rank, body = excluded.body, at = excluded.at,"
        " version = excluded.version, system = excluded.system, number = excluded.number,"
        " times = excluded.times",
        values,
    )


def touch(session: Session, times: Mapping[tuple[str, str], int]) -> None:
    """Sets the time at which statements (feed, key) were heard last, where it is later."""
    session.many(
        "UPDATE identity_statement SET at = ? WHERE feed = ? AND key = ? AND at < ?",
        sorted((at, feed, key, at) for (feed, key), at in times.items()),
    )


def drop_statement(session: Session, feed: str, key: str) -> None:
    """Takes the statement of (feed, key) away, when there is one."""
    session.run("DELETE FROM identity_statement WHERE feed = ? AND key = ?", (feed, key))


def _among_bytes(values: Sequence[bytes]) -> tuple[str, list[bytes]]:
    places = ",".join("?" * len(values))
    return (f"key IN ({places})" if values else "1=0"), list(values)
