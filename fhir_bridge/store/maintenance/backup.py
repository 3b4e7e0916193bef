"""Backup and restore, verified by count and digest.

A backup is one gzip file of lines: one JSON array per row of
each table that cannot be made again (the index can), with a last line that holds the count
and SHA-256 of the lines of each table.  It is taken in one snapshot while the service runs,
and is the same for both databases, so that it also moves a record from one to the other.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from fhir_bridge.database import Session, binary_columns, columns, key_columns
from fhir_bridge.errors import BridgeError
from fhir_bridge.store.maintenance.checking import CHECK_PLACE
from fhir_bridge.store.maintenance.reindexing import reindex
from fhir_bridge.store.store import Store

__all__ = ["Manifest", "back_up", "restore", "verify"]

_ACCESS = ("account", "account_binding", "app", "app_consent", "signing_key")
"""Who may sign in, and which apps there are; not who is signed in, nor any token."""
_TABLES = (
    "resource",
    "superseded",
    "reference",
    "journal",
    "quarantine",
    "identity_key",
    "identity_statement",
    "link_log",
    "held",
    "statement",
    "container",
    "awaited",
    "setting",  # the keys that ids and page links are made with
    *_ACCESS,
)
_NUMBERED = (
    ("journal", "message_id"),
    ("quarantine", "item_id"),
    ("link_log", "entry_id"),
    ("held", "item_id"),
    ("account_binding", "binding_id"),
)
_FORMAT = "fhir-bridge backup 4"
_READ = (_FORMAT, *(f"fhir-bridge backup {number}" for number in (3, 2, 1)))
_ADDED: dict[str, list[Any]] = {
    "identity_statement": [0, 0, "", "", None],
    "quarantine": [1, 0],
}
"""What rows of earlier forms lack at their end."""
_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Manifest:
    """Rows and SHA-256 (hexadecimal) of each table, as written."""

    counts: dict[str, int]
    digests: dict[str, str]

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(self.counts.values())

    @property
    def digest(self) -> str:
        """One SHA-256 (hexadecimal) over those of all tables, to compare two backups by."""
        lines = [f"{table} {self.counts[table]} {self.digests[table]}" for table in _TABLES]
        return sha256("\n".join(lines).encode()).hexdigest()


def back_up(store: Store, path: Path) -> Manifest:
    """Writes a backup of `store` to `path` (not there yet) and reads it again to verify."""
    with (
        store.reading(snapshot=True) as session,
        os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw,
        gzip.open(raw, "wt", encoding="utf-8", compresslevel=3) as file,
    ):
        file.write(json.dumps([_FORMAT, _types(session)]) + "\n")
        counts, digests = {}, {}
        for table in _TABLES:
            digest = sha256()
            counts[table] = 0
            for line in _lines(session, table):
                digest.update(line.encode())
                counts[table] += 1
                file.write(line)
            digests[table] = digest.hexdigest()
        file.write(json.dumps({"counts": counts, "digests": digests}) + "\n")
    return verify(path)


def verify(path: Path) -> Manifest:
    """The manifest of a backup whose lines agree with it; opens no database.

    Raises BridgeError FB-5008.
    """
    with _reading(path) as file:
        for manifest, _, _ in _rows(file):
            if manifest is not None:
                return manifest
    raise BridgeError("FB-5008", reason="it ends before its manifest")


def restore(store: Store, path: Path) -> Manifest:
    """Fills an empty store from a backup, makes the index, and compares with the manifest.

    Raises BridgeError FB-5008 when the store is not empty or anything differs; then nothing
    is kept.
    """
    manifest = verify(path)
    with store.writing() as session, _reading(path) as file:
        row = session.one("SELECT count(*) FROM resource")
        if row and row[0]:
            raise BridgeError("FB-5008", reason="the store to restore into is not empty")
        renumbered = _renumbered(file, store)
        for table in ("setting", *_ACCESS):
            session.run(f"DELETE FROM {table}")
        batch: list[list[Any]] = []
        of = ""
        for _, table, values in _rows(file):
            if batch and (table != of or len(batch) >= _BATCH):
                session.bulk(of, columns(of), batch)
                batch = []
            of = table
            if values is not None:
                if table == "resource":
                    values[2] = renumbered[values[2]]
                batch.append(values)
        _set_sequences(session)
    with store.reading(snapshot=True) as session:
        for table in _TABLES:
            row = session.one(f"SELECT count(*) FROM {table}")
            if not row or row[0] != manifest.counts[table]:
                raise BridgeError("FB-5008", reason=f"{table} differs after the restore")
    reindex(store, restart=True)
    store.settings.forget(CHECK_PLACE)
    return manifest


def _types(session: Session) -> dict[str, str]:
    rows = session.all("SELECT number, name FROM symbol WHERE name NOT LIKE '%.%'")
    return {str(number): name for number, name in rows}


def _lines(session: Session, table: str) -> Iterator[str]:
    sql = (
        f"SELECT {', '.join(columns(table))} FROM {table} ORDER BY {', '.join(key_columns(table))}"
    )
    for row in session.stream(sql):
        values = [
            base64.b64encode(bytes(value)).decode()
            if isinstance(value, bytes | memoryview)
            else value
            for value in row
        ]
        yield json.dumps([table, values], ensure_ascii=False) + "\n"


def _reading(path: Path) -> IO[str]:
    try:
        return gzip.open(path, "rt", encoding="utf-8")
    except OSError as error:
        raise BridgeError("FB-5008", reason=str(error)) from None


def _renumbered(file: IO[str], store: Store) -> dict[int, int]:
    """The first line: the numbers of types there, as the numbers of types here."""
    try:
        name, types = json.loads(file.readline())
    except (ValueError, OSError, EOFError) as error:
        raise BridgeError("FB-5008", reason=str(error)) from None
    if name not in _READ:
        raise BridgeError("FB-5008", reason="it is not a backup of this product")
    file.seek(0)
    return {int(number): store.numbers[of] for number, of in types.items() if of in store.numbers}


def _rows(file: IO[str]) -> Iterator[tuple[Manifest | None, str, list[Any] | None]]:
    """Each row as (None, table, values); the manifest last, when all agrees with it."""
    counts = dict.fromkeys(_TABLES, 0)
    digests = {table: sha256() for table in _TABLES}
    binary = {
        table: [place for place, each in enumerate(columns(table)) if each in binary_columns(table)]
        for table in _TABLES
    }
    try:
        file.readline()
        for line in file:
            written = json.loads(line)
            if isinstance(written, dict):
                found = {table: digest.hexdigest() for table, digest in digests.items()}
                if _differs(written["counts"], counts, 0) or _differs(
                    written["digests"], found, sha256().hexdigest()
                ):
                    raise BridgeError("FB-5008", reason="its count or digest differs")
                yield Manifest(counts, found), "", None
                return
            table, values = written
            counts[table] += 1
            digests[table].update(line.encode())
            lacking = len(columns(table)) - len(values)
            if lacking:
                values += _ADDED[table][-lacking:]
            for place in binary[table]:
                if values[place] is not None:
                    values[place] = base64.b64decode(values[place])
            yield None, table, values
    except (ValueError, OSError, EOFError, KeyError) as error:
        raise BridgeError("FB-5008", reason=f"{type(error).__name__}: {error}") from None
    raise BridgeError("FB-5008", reason="it ends before its manifest")


def _differs(written: dict[str, Any], found: dict[str, Any], empty: object) -> bool:
    """Whether a manifest says another thing; a table it does not know must be empty."""
    return any(value != written.get(table, empty) for table, value in found.items())


def _set_sequences(session: Session) -> None:
    """PostgreSQL counts on from the greatest number restored."""
    if session.dialect != "postgresql":
        return
    session.run("SELECT setval('resource_row_id', greatest(1, (SELECT max(row_id) FROM resource)))")
    for table, column in _NUMBERED:
        session.run(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'),"
            f" greatest(1, (SELECT max({column}) FROM {table})))"
        )
