"""PostgreSQL: the production store.  Rows are appended by COPY, readers see snapshots.

https://www.postgresql.org/docs/15/sql-copy.html, https://www.psycopg.org/psycopg3/docs/.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from select import POLLHUP, POLLIN, poll
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Double,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    create_engine,
)
from sqlalchemy.engine import URL, Engine, make_url

from fhir_bridge.database.faults import AWAY, of_postgresql
from fhir_bridge.database.schema import metadata
from fhir_bridge.database.session import Row, Session, Sql
from fhir_bridge.errors import BridgeError

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresqlDatabase"]

_MAX_INLINE = 64
"""Rows up to which one INSERT is cheaper than starting a COPY."""

_MAX_SINGLE_LOCKS = 64
"""Beyond so many resources at once the unique index alone finds writers that collide."""

_TYPES = (
    (BigInteger, "int8"),
    (SmallInteger, "int2"),
    (Integer, "int4"),
    (Double, "float8"),
    (LargeBinary, "bytea"),
    (Text, "text"),
)


@cache
def _types(table: str, columns: tuple[str, ...]) -> list[str]:
    """The names that binary COPY needs for the columns of the schema."""
    shapes = metadata.tables[table].c
    return [
        next(name for kind, name in _TYPES if isinstance(shapes[column].type, kind))
        for column in columns
    ]


@lru_cache(maxsize=4096)
def _placed(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


def _whole_numbers(values: Iterable[int]) -> str:
    """An array of integers as PostgreSQL writes it: far cheaper than a dumper for each."""
    return f"{{{','.join(map(str, values))}}}"


class PostgresqlSession:
    """A connection; see `fhir_bridge.database.session.Session`."""

    dialect = "postgresql"

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self.connection = connection
        self.seconds = 0.0
        """Longest that a statement may take; 0: no limit."""
        self._together = False
        self._opening = False

    def is_whole(self) -> bool:
        """Whether the server still holds the other end, as far as can be seen without asking.

        A server that ends a connection says so and closes it: between two uses nothing else
        makes the socket readable.
        """
        if self.connection.closed:
            return False
        look = poll()
        look.register(self.connection.pgconn.socket, POLLIN | POLLHUP)
        return not look.poll(0)

    def begin(self) -> None:
        """A transaction begins, told to the server with the first statement in it."""
        self._opening = True

    def commit(self) -> None:
        """The transaction ends well."""
        if self._opening:
            self._opening = False  # the server was never told
        else:
            self.run("COMMIT")

    def roll_back(self) -> None:
        """The transaction leaves no trace."""
        self._opening = False
        self.run("ROLLBACK")

    def limit(self, seconds: float) -> None:
        """From now on the server cancels a statement after `seconds`; outside a transaction."""
        if seconds != self.seconds:
            self.run(f"SET statement_timeout = {round(seconds * 1000)}")
            self.seconds = seconds

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._execute(sql, parameters).fetchall()

    def search(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        self._open()
        # A prepared statement comes to a plan that suits no value in particular.
        cursor = self.connection.execute(_placed(sql), parameters, prepare=False, binary=True)
        return cursor.fetchall()

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        return self._execute(sql, parameters).fetchone()

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        self._open()
        with self.connection.cursor(name="stream", withhold=True, binary=True) as cursor:
            cursor.itersize = 2000
            until = time.monotonic() + self.seconds
            cursor.execute(_placed(sql), parameters)
            for row in cursor:
                yield row
                # The server sees one short statement for each portion, never the whole.
                if self.seconds and time.monotonic() > until:
                    raise BridgeError("FB-5011", seconds=f"{self.seconds:g}")

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        return self._execute(sql, parameters).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._open()
        with self.connection.cursor() as cursor:
            cursor.executemany(_placed(sql), list(rows))

    def bulk(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        listed = rows if isinstance(rows, list) else list(rows)
        names = ",".join(columns)
        if self._together or len(listed) <= _MAX_INLINE:
            if listed:
                self._insert(table, names, _types(table, tuple(columns)), listed)
            return
        self._open()
        statement = f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)"
        with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(_types(table, tuple(columns)))
            write = copy.write_row
            for row in listed:
                write(row)

    def _insert(self, table: str, names: str, types: list[str], rows: list[Sequence[Any]]) -> None:
        """One statement whatever the number of rows, so that it is prepared once."""
        places = ",".join(f"?::{each}[]" for each in types)
        values = [
            _whole_numbers(column) if each.startswith("int") else list(column)
            for each, column in zip(types, zip(*rows, strict=True), strict=True)
        ]
        self._execute(f"INSERT INTO {table} ({names}) SELECT * FROM unnest({places})", values)

    @contextmanager
    def together(self) -> Iterator[None]:
        self._together = True
        try:
            with self.connection.pipeline():
                yield
        finally:
            self._together = False

    def add_terms(self, rows: Sequence[Sequence[Any]]) -> None:
        numbers, values, hashes = zip(*rows, strict=True)
        self._execute(
            "INSERT INTO term (number, value, hash) SELECT * FROM"
            " unnest(?::int4[], ?::text[], ?::int8[]) ON CONFLICT DO NOTHING",
            (_whole_numbers(numbers), list(values), _whole_numbers(hashes)),
        )

    def among(self, column: str, values: Sequence[Any]) -> Sql:
        if len(values) == 1:
            return f"{column} = ?", [values[0]]
        return f"{column} = ANY(?)", [list(values)]

    def lock_keys(self, keys: Sequence[int]) -> None:
        if len(keys) <= _MAX_SINGLE_LOCKS:
            self._execute(
                "SELECT pg_advisory_xact_lock(k) FROM unnest(?::int8[]) AS k",
                (_whole_numbers(sorted(keys)),),
            )

    def next_rows(self, count: int) -> tuple[Sequence[int], int]:
        rows = self.all(
            "SELECT nextval('resource_row_id'), pg_current_xact_id()::text::int8"
            " FROM generate_series(1, ?)",
            (count,),
        )
        return [row[0] for row in rows], rows[0][1]

    def pin(self) -> tuple[int, str]:
        row = self.one("SELECT last_value, pg_current_snapshot()::text FROM resource_row_id")
        return (row[0], row[1]) if row else (0, "")

    def visible_in(self, row: str, snapshot: str) -> Sql | None:
        return (
            (
                "EXISTS (SELECT 1 FROM resource w WHERE w.row_id = "
                f"{row} AND pg_visible_in_snapshot(w.written_in::text::xid8, ?::pg_snapshot))"
            ),
            [snapshot],
        )

    def contains(self, column: str) -> str:
        return f"strpos({column}, ?) > 0"

    def body_text(self, row: str) -> str | None:  # noqa: ARG002 (deflated, which no function reads)
        return None

    def _execute(self, sql: str, parameters: Sequence[Any]) -> psycopg.Cursor[Row]:
        if not self._opening:
            return self.connection.execute(_placed(sql), parameters, binary=True)
        with self.connection.pipeline():
            self._open()
            return self.connection.execute(_placed(sql), parameters, binary=True)

    def _open(self) -> None:
        if self._opening:
            self._opening = False
            self.connection.execute("BEGIN")


class PostgresqlDatabase:
    """Opens connections to one database and keeps them for reuse.

    `query_seconds` is the longest that a statement of a limited block may take.
    """

    dialect = "postgresql"

    def __init__(self, url: str, query_seconds: float | None = None) -> None:
        self._url: URL = make_url(url)
        self._query_seconds = query_seconds or 0.0
        options = dict(self._url.query)
        self._settings = {
            "host": self._url.host,
            "port": self._url.port,
            "user": self._url.username,
            "password": self._url.password,
            "dbname": self._url.database,
            **options,
        }
        self._idle: list[PostgresqlSession] = []
        self._lock = threading.Lock()
        self._closed = False
        import psycopg

        self._errors = psycopg.errors
        self._failure = psycopg.Error
        try:
            self._give(self._connect())
        except psycopg.Error as error:
            shown = self._url.render_as_string(hide_password=True)
            raise BridgeError("FB-5006", url=shown, reason=str(error).split("\n")[0]) from None

    def engine(self) -> Engine:
        """A SQLAlchemy engine for schema work."""
        return create_engine(self._url)

    @contextmanager
    def reading(self, *, snapshot: bool = False, limited: bool = False) -> Iterator[Session]:
        """A connection for queries; with `snapshot` all of them see one moment.

        Raises BridgeError FB-5011 when a `limited` query takes too long, and FB-5013 to
        FB-5017 when the storage is in trouble (`faults`).
        """
        session = self._take()
        try:
            session.limit(self._query_seconds if limited else 0.0)
            if snapshot:
                session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield session
            if snapshot:
                session.run("COMMIT")
        except BaseException as error:
            session.connection.close()
            if named := self._coded(error, session, limited=limited):
                raise named from error
            raise
        self._give(session)

    @contextmanager
    def writing(self, *, limited: bool = False) -> Iterator[Session]:
        """A connection in a transaction that commits when the block ends well.

        Raises BridgeError FB-5003, FB-5011 when a `limited` statement takes too long, and
        FB-5013 to FB-5017 when the storage is in trouble (`faults`).
        """
        session = self._take()
        try:
            session.limit(self._query_seconds if limited else 0.0)
            session.begin()
            yield session
            session.commit()
        except BaseException as error:
            self._abandon(session)
            if named := self._coded(error, session, limited=limited):
                raise named from error
            raise
        self._give(session)

    def _coded(
        self, error: BaseException, session: PostgresqlSession, *, limited: bool
    ) -> BridgeError | None:
        """`error` by its code, where it has one."""
        if isinstance(error, self._errors.SerializationFailure | self._errors.DeadlockDetected):
            return BridgeError("FB-5003")
        if limited and isinstance(error, self._errors.QueryCanceled):
            return BridgeError("FB-5011", seconds=f"{session.seconds:g}")
        named = of_postgresql(error)
        if named is not None and named.code == AWAY:
            self.release_connections()  # they broke with this one
        return named

    def is_conflict(self, error: Exception) -> bool:
        """Whether a database error means that another writer was first."""
        return isinstance(
            error,
            self._errors.UniqueViolation
            | self._errors.SerializationFailure
            | self._errors.DeadlockDetected,
        )

    def size(self) -> int:
        """Bytes on disk of the tables and their indexes."""
        with self.reading() as session:
            row = session.one(
                "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::int8 FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = current_schema() AND c.relkind = 'r'"
            )
            return int(row[0]) if row else 0

    def vacuum(self) -> None:
        """Refreshes what the query planner knows and frees dead rows."""
        with self.reading() as session:
            session.run("VACUUM (ANALYZE)")

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

    def _abandon(self, session: PostgresqlSession) -> None:
        try:
            session.roll_back()
        except self._failure:
            session.connection.close()
        else:
            self._give(session)

    def _take(self) -> PostgresqlSession:
        with self._lock:
            while self._idle:
                session = self._idle.pop()
                if session.is_whole():
                    return session
                session.connection.close()
        try:
            return self._connect()
        except self._failure as error:
            if named := of_postgresql(error):
                raise named from error
            raise

    def _give(self, session: PostgresqlSession) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < 32:
                self._idle.append(session)
                return
        session.connection.close()

    def _connect(self) -> PostgresqlSession:
        import psycopg

        given = {name: value for name, value in self._settings.items() if value is not None}
        connection = psycopg.connect(autocommit=True, **given)  # type: ignore[arg-type]
        return PostgresqlSession(connection)
