"""SQLite: the embedded default.  One file, write-ahead log, one writer, many readers.

https://www.sqlite.org/wal.html.  ``synchronous=FULL`` makes a commit durable when it
returns.  Readers have connections of their own and are never blocked by the writer.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

import errno
import json
import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import Engine

from fhir_bridge.database.bodies import lower_text
from fhir_bridge.database.faults import of_sqlite
from fhir_bridge.database.session import Row, Session, Sql
from fhir_bridge.errors import BridgeError

__all__ = ["SqliteDatabase"]

_PAGE = 4096
_MIN_LOG, _MAX_LOG = 64 << 20, 512 << 20
"""Bytes of write-ahead log, by the size of the database, that are carried over to it at once."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=60000",
    "PRAGMA temp_store=MEMORY",
    f"PRAGMA wal_autocheckpoint={_MIN_LOG // _PAGE}",
    "PRAGMA foreign_keys=OFF",
)
_MAX_INLINE = 64
_CLOSING_SECONDS = 1.0
_STEPS = 20_000
"""Steps of SQLite's machine between two looks at the clock: a fraction of a millisecond."""


class SqliteSession:
    """A connection; see `fhir_bridge.database.session.Session`."""

    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.seconds = math.inf
        """Longest that a statement may take."""
        self._until = math.inf
        self.log_bound = _MIN_LOG // _PAGE
        """Pages of write-ahead log that may gather; see `SqliteDatabase`."""
        connection.set_progress_handler(self._is_late, _STEPS)

    def limit(self, seconds: float) -> None:
        """From now on a statement ends with SQLITE_INTERRUPT after `seconds`."""
        self.seconds = seconds
        self._until = math.inf

    def _is_late(self) -> bool:
        return time.monotonic() > self._until

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        self._until = time.monotonic() + self.seconds
        return self.connection.execute(sql, parameters).fetchall()

    def search(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self.all(sql, parameters)

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        self._until = time.monotonic() + self.seconds
        cursor = self.connection.execute(sql, parameters)
        row: Row | None = cursor.fetchone()
        cursor.close()
        return row

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        self._until = time.monotonic() + self.seconds
        cursor = self.connection.execute(sql, parameters)
        while rows := cursor.fetchmany(1000):
            yield from rows

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        self._until = time.monotonic() + self.seconds
        return self.connection.execute(sql, parameters).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._until = time.monotonic() + self.seconds
        self.connection.executemany(sql, rows)

    def bulk(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        places = ",".join("?" * len(columns))
        self.many(f"INSERT INTO {table} ({','.join(columns)}) VALUES ({places})", rows)

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    def add_terms(self, rows: Sequence[Sequence[Any]]) -> None:
        self.many("INSERT OR IGNORE INTO term (number, value, hash) VALUES (?,?,?)", rows)

    def among(self, column: str, values: Sequence[Any]) -> Sql:
        if len(values) == 1:
            return f"{column} = ?", [values[0]]
        if len(values) <= _MAX_INLINE:
            return f"{column} IN ({','.join('?' * len(values))})", list(values)
        return f"{column} IN (SELECT value FROM json_each(?))", [json.dumps(list(values))]

    def lock_keys(self, keys: Sequence[int]) -> None:
        """The one writer holds the whole database already."""

    def next_rows(self, count: int) -> tuple[Sequence[int], int]:
        row = self.one("SELECT max(row_id) FROM resource")
        first = ((row[0] if row else 0) or 0) + 1
        return range(first, first + count), 0

    def pin(self) -> tuple[int, str]:
        row = self.one("SELECT max(row_id) FROM resource")
        return ((row[0] if row else 0) or 0), ""

    def visible_in(self, row: str, snapshot: str) -> Sql | None:  # noqa: ARG002 (one writer: nothing is uncommitted below the newest change)
        return None

    def contains(self, column: str) -> str:
        return f"instr({column}, ?) > 0"

    def body_text(self, row: str) -> str | None:
        return f"body_text({row}.compressed, {row}.body)"


class SqliteDatabase:
    """Opens connections to one file and keeps them for reuse.

    `query_seconds` is the longest that a statement of a limited block may take.
    """

    dialect = "sqlite"

    def __init__(self, path: str, query_seconds: float | None = None) -> None:
        if not path or path == ":memory:":
            raise BridgeError("FB-5006", url="sqlite://", reason="a file is needed")
        self.path = Path(path)
        self._query_seconds = query_seconds or math.inf
        self._writing = threading.Lock()
        self._idle: list[SqliteSession] = []
        self._writer: SqliteSession | None = None
        self._lock = threading.Lock()
        self._closed = False
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_private(self.path)
            self._connect().connection.close()
            opened = self.path.stat()
        except (OSError, sqlite3.Error) as error:
            raise BridgeError("FB-5006", url=f"sqlite:///{path}", reason=str(error)) from None
        self._file = opened.st_dev, opened.st_ino

    def engine(self) -> Engine:
        """A SQLAlchemy engine for schema work."""
        return create_engine(f"sqlite:///{self.path}")

    @contextmanager
    def reading(self, *, snapshot: bool = False, limited: bool = False) -> Iterator[Session]:
        """A connection for queries; with `snapshot` all of them see one moment.

        Raises BridgeError FB-5011 when a `limited` query takes too long, and FB-5013 to
        FB-5017 when the storage is in trouble (`faults`).
        """
        session = self._take()
        session.limit(self._query_seconds if limited else math.inf)
        try:
            if snapshot:
                session.connection.execute("BEGIN")
            yield session
        except BaseException as error:
            session.connection.close()
            if named := self._coded(error, session.seconds):
                raise named from error
            raise
        if snapshot:
            session.connection.execute("COMMIT")
        self._give(session)

    @contextmanager
    def writing(self, *, limited: bool = False) -> Iterator[Session]:
        """The writer, in a transaction that commits when the block ends well.

        Raises BridgeError FB-5011 when a `limited` statement takes too long, and FB-5013 to
        FB-5017 when the storage is in trouble (`faults`).
        """
        with self._writing:
            session: SqliteSession | None = None
            seconds = math.inf
            try:
                session = self._writer = self._writer or self._connect(cache=65_536)
                self._let_log_grow(session, self._require_file())
                session.connection.execute("BEGIN IMMEDIATE")
                session.limit(self._query_seconds if limited else math.inf)
                yield session
                session.limit(math.inf)
                session.connection.execute("COMMIT")
            except BaseException as error:
                if session is not None:
                    seconds = session.seconds
                    self._roll_back(session)
                if named := self._coded(error, seconds):
                    raise named from error
                raise

    def _roll_back(self, session: SqliteSession) -> None:
        """Leaves no trace; a writer that cannot even do that is not used again."""
        session.limit(math.inf)
        try:
            if session.connection.in_transaction:
                session.connection.execute("ROLLBACK")
        except sqlite3.Error:
            session.connection.close()
            self._writer = None

    def _require_file(self) -> os.stat_result:
        """The state of the file, which must be the one that was opened.

        A file that was removed or replaced goes on to take what is written to it, and
        nobody would ever read that again.
        """
        found = self.path.stat()
        if (found.st_dev, found.st_ino) != self._file:
            raise FileNotFoundError(errno.ENOENT, "another file is in place of the database")
        return found

    def _coded(self, error: BaseException, seconds: float = math.inf) -> BridgeError | None:
        """`error` by its code, where it has one."""
        if _is_interrupt(error):
            return BridgeError("FB-5011", seconds=f"{seconds:g}")
        return of_sqlite(error, self.path)

    def _let_log_grow(self, session: SqliteSession, file: os.stat_result) -> None:
        """Bounds the write-ahead log by the size of the database.

        Commits write the same index pages again and again; the longer the log, the more
        often a page was written to it when it is carried over to the database, once.
        """
        bound = min(max(file.st_size, _MIN_LOG), _MAX_LOG) // _PAGE
        if bound > session.log_bound * 1.1:
            session.connection.execute(f"PRAGMA wal_autocheckpoint={bound}")
            session.log_bound = bound

    def is_conflict(self, error: Exception) -> bool:
        """Whether a database error means that another writer was first."""
        return isinstance(error, sqlite3.IntegrityError)

    def size(self) -> int:
        """Bytes on disk, the write-ahead log included."""
        files = (self.path, Path(f"{self.path}-wal"))
        return sum(each.stat().st_size for each in files if each.exists())

    def vacuum(self) -> None:
        """Refreshes what the query planner knows and empties the write-ahead log."""
        with self._writing:
            session = self._writer or self._connect()
            session.connection.execute("PRAGMA optimize=0x10002")
            session.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if session is not self._writer:
                session.connection.close()

    def close(self) -> None:
        """Closes every idle connection; others when they are given back."""
        with self._lock:
            self._closed = True
        self.release_connections()

    def release_connections(self) -> None:
        """Closes every idle connection, for now."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.connection.close()
        # A writer in the middle of its work is left to the end of the process: what is not
        # committed leaves no trace, and nobody waits for it.
        if self._writing.acquire(timeout=_CLOSING_SECONDS):
            try:
                if self._writer:
                    self._writer.connection.close()
                    self._writer = None
            finally:
                self._writing.release()

    def _take(self) -> SqliteSession:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        try:
            return self._connect()
        except (OSError, sqlite3.Error) as error:
            if named := self._coded(error):
                raise named from error
            raise

    def _give(self, session: SqliteSession) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < 32:
                self._idle.append(session)
                return
        session.connection.close()

    def _connect(self, cache: int = 16_384) -> SqliteSession:
        connection = sqlite3.connect(
            self.path, timeout=60, isolation_level=None, check_same_thread=False,
            cached_statements=512,
        )  # fmt: skip
        for pragma in (*_PRAGMAS, f"PRAGMA cache_size=-{cache}"):
            connection.execute(pragma)
        connection.create_function("body_text", 2, lower_text, deterministic=True)
        return SqliteSession(connection)


def _make_private(path: Path) -> None:
    """The file, made where it is not there yet, for its owner alone.

    SQLite gives the write-ahead log and what is beside it the same rights.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        with suppress(FileNotFoundError, PermissionError):
            if each.stat().st_mode & 0o077:
                each.chmod(0o600)


def _is_interrupt(error: BaseException) -> bool:
    """Whether a statement was ended by the clock."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
