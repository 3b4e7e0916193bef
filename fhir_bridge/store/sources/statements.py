"""What each source said of a resource, kept apart from what the resource shows.

One row for each (resource, source, level).  While a source is the only one that spoke, and
spoke once, its statement *is* the stored resource, and the row has no body of its own.
`fhir_bridge.update` gives rows their meaning; here they are read and written in bulk.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fhir_bridge.database import Row, Session, packed, unpacked

__all__ = [
    "ContainerRow",
    "StatementRow",
    "awaiting",
    "containers",
    "containers_within",
    "drop_awaited",
    "parts_of",
    "put_awaited",
    "put_containers",
    "put_statements",
    "statements",
    "touch",
]

_MAX_KEYS = 500
_COLUMNS = "key, source, level, since, at, version, container, person, withdrawn, times, body"
_OF_CONTAINER = "key, source, parent, version, at, message, withdrawn"


@dataclass(frozen=True, slots=True)
class StatementRow:
    """What `source` said of the resource with `key` (`resource_key`).

    `level` is 0 for a description and 1 for a mention; `since` numbers the message that spoke
    first; `at` is the stamp of the event (its time and receipt); `version` is the version of the
    resource that this statement last went into; `container` and `person` are keys of the
    document or row it is part of and of the source's record of the person (0: none).
    `times` and `body` are JSON; None for `body`: the stored resource is the statement.
    """

    key: int
    source: str
    level: int
    since: int
    at: int
    version: int
    container: int = 0
    person: int = 0
    withdrawn: bool = False
    times: bytes | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class ContainerRow:
    """The newest version of a container that came: its number, event time and message."""

    key: int
    source: str
    parent: int
    version: int
    at: int
    message: int
    withdrawn: bool = False


def statements(session: Session, keys: Iterable[int]) -> dict[int, list[StatementRow]]:
    """The statements of each resource of which there are any, the first speaker first."""
    found: dict[int, list[StatementRow]] = {}
    for sql, parameters in _key_batches(session, "key", list(keys)):
        rows = session.all(
            f"SELECT {_COLUMNS} FROM statement WHERE {sql} ORDER BY key, level, since, source",
            parameters,
        )
        for row in rows:
            found.setdefault(row[0], []).append(_statement(row))
    return found


def parts_of(session: Session, keys: Iterable[int]) -> list[StatementRow]:
    """The statements that are parts of containers."""
    found: list[StatementRow] = []
    for sql, parameters in _key_batches(session, "container", list(keys)):
        rows = session.all(
            f"SELECT {_COLUMNS} FROM statement WHERE container <> 0 AND {sql}"
            " ORDER BY key, source, level",
            parameters,
        )
        found += map(_statement, rows)
    return found


def put_statements(session: Session, rows: Iterable[StatementRow]) -> None:
    """Adds or replaces statements."""
    values = [
        (
            row.key, row.source, row.level, row.since, row.at, row.version, row.container,
            row.person, int(row.withdrawn), row.times,
            None if row.body is None else _packed(row.body),
        )
        for row in sorted(rows, key=lambda row: (row.key, row.source, row.level))
    ]  # fmt: skip
    session.many(
        f"INSERT INTO statement ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT (key, source, level) DO UPDATE SET since = excluded.since,"
        " at = excluded.at, version = excluded.version, container = excluded.container,"
        " person = excluded.person, withdrawn = excluded.withdrawn, times = excluded.times,"
        " body = excluded.body",
        values,
    )


def touch(session: Session, times: Mapping[tuple[int, str], int]) -> None:
    """Sets when descriptions (resource, source) were heard last, where it is later."""
    session.many(
        "UPDATE statement SET at = ? WHERE key = ? AND source = ? AND level = 0 AND at < ?",
        sorted((at, key, source, at) for (key, source), at in times.items()),
    )


def containers(session: Session, keys: Iterable[int]) -> dict[int, ContainerRow]:
    """Containers that came before, by key."""
    found: dict[int, ContainerRow] = {}
    for sql, parameters in _key_batches(session, "key", list(keys)):
        rows = session.all(f"SELECT {_OF_CONTAINER} FROM container WHERE {sql}", parameters)
        found.update((row[0], _container(row)) for row in rows)
    return found


def containers_within(session: Session, parent: int, before: int) -> list[ContainerRow]:
    """The containers within `parent` whose newest message is older than `before`."""
    rows = session.all(
        f"SELECT {_OF_CONTAINER} FROM container WHERE parent <> 0 AND parent = ? AND message < ?"
        " AND withdrawn = 0 ORDER BY key",
        (parent, before),
    )
    return [_container(row) for row in rows]


def put_containers(session: Session, rows: Iterable[ContainerRow]) -> None:
    """Adds or replaces containers."""
    session.many(
        f"INSERT INTO container ({_OF_CONTAINER}) VALUES (?,?,?,?,?,?,?)"
        " ON CONFLICT (key) DO UPDATE SET source = excluded.source, parent = excluded.parent,"
        " version = excluded.version, at = excluded.at, message = excluded.message,"
        " withdrawn = excluded.withdrawn",
        sorted(
            (row.key, row.source, row.parent, row.version, row.at, row.message, int(row.withdrawn))
            for row in rows
        ),
    )


def awaiting(session: Session, targets: Iterable[int]) -> list[tuple[int, int]]:
    """(target, referrer) keys of the resources that refer to what had not come yet."""
    found: list[tuple[int, int]] = []
    for sql, parameters in _key_batches(session, "target", list(targets)):
        rows = session.all(f"SELECT target, referrer FROM awaited WHERE {sql}", parameters)
        found += [(target, referrer) for target, referrer in rows]
    return found


def put_awaited(session: Session, pairs: Iterable[tuple[int, int]]) -> None:
    """Adds (target, referrer) pairs that are not there yet."""
    session.many(
        "INSERT INTO awaited (target, referrer) VALUES (?, ?) ON CONFLICT DO NOTHING",
        sorted(pairs),
    )


def drop_awaited(session: Session, targets: Iterable[int]) -> None:
    """The targets have come."""
    session.many("DELETE FROM awaited WHERE target = ?", sorted((each,) for each in targets))


def _key_batches(
    session: Session, column: str, keys: Sequence[int]
) -> Iterable[tuple[str, list[int]]]:
    for start in range(0, len(keys), _MAX_KEYS):
        yield session.among(column, keys[start : start + _MAX_KEYS])


def _container(row: Row) -> ContainerRow:
    key, source, parent, version, at, message, withdrawn = row
    return ContainerRow(key, source, parent, version, at, message, bool(withdrawn))


def _statement(row: Row) -> StatementRow:
    key, source, level, since, at, version, container, person, withdrawn, times, body = row
    return StatementRow(
        key, source, level, since, at, version, container, person, bool(withdrawn),
        None if times is None else bytes(times),
        None if body is None else unpacked(body[0], bytes(body[1:])),
    )  # fmt: skip


def _packed(body: bytes) -> bytes:
    how, data = packed(body)
    return bytes([how]) + data
