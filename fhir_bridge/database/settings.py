"""Values that the record keeps of itself: keys, places reached, what the index was made with."""

from __future__ import annotations

from collections.abc import Callable

from fhir_bridge.database.database import Database

__all__ = ["StoredSettings"]


class StoredSettings:
    """Named bytes in the database, shared by all processes that open it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, name: str) -> bytes:
        """The value of a name; empty when there is none."""
        with self._database.reading() as session:
            row = session.one("SELECT value FROM setting WHERE name = ?", (name,))
        return bytes(row[0]) if row else b""

    def write(self, name: str, value: bytes) -> None:
        """Keeps a value in place of the one before."""
        with self._database.writing() as session:
            session.run(
                "INSERT INTO setting (name, value) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )

    def forget(self, name: str) -> None:
        """Drops a value."""
        with self._database.writing() as session:
            session.run("DELETE FROM setting WHERE name = ?", (name,))

    def get_or_create(self, name: str, make: Callable[[], bytes]) -> bytes:
        """A value that is made by whoever asks first and never changes."""
        found = self.read(name)
        if not found:
            with self._database.writing() as session:
                session.run(
                    "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    (name, make()),
                )
            found = self.read(name)
        return found
