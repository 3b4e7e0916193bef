"""What a store needs of a database, and which one a URL names."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy.engine import Engine

from fhir_bridge.database.session import Session
from fhir_bridge.errors import BridgeError

__all__ = ["Database", "database_at"]


class Database(Protocol):
    """What a store needs of a database; see `sqlite` and `postgresql`."""

    dialect: str

    def engine(self) -> Engine:
        """A SQLAlchemy engine for schema work."""
        ...

    def reading(
        self, *, snapshot: bool = False, limited: bool = False
    ) -> AbstractContextManager[Session]:
        """A connection for queries, bounded in time when `limited` (FB-5011)."""
        ...

    def writing(self, *, limited: bool = False) -> AbstractContextManager[Session]:
        """A connection in a write transaction, its statements bounded when `limited`."""
        ...

    def is_conflict(self, error: Exception) -> bool:
        """Whether another writer was first."""
        ...

    def size(self) -> int:
        """Bytes on disk."""
        ...

    def vacuum(self) -> None:
        """Refreshes the planner's knowledge."""
        ...

    def release_connections(self) -> None:
        """Closes idle connections, for now."""
        ...

    def close(self) -> None:
        """Closes idle connections, for good."""
        ...


def database_at(url: str, query_seconds: float | None) -> Database:
    """The database that `url` names.  Raises BridgeError FB-5006."""
    scheme, _, path = url.partition("://")
    if scheme == "sqlite":
        from fhir_bridge.database.sqlite import SqliteDatabase

        return SqliteDatabase(path.removeprefix("/"), query_seconds)
    if scheme.partition("+")[0] == "postgresql":
        from fhir_bridge.database.postgresql import PostgresqlDatabase

        return PostgresqlDatabase(url, query_seconds)
    raise BridgeError(
        "FB-5006", url=scheme, reason="the address begins with neither sqlite nor postgresql"
    )
