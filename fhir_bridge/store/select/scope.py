"""What every piece of a search's SQL shares: connection, numbers of indexes, caller, time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from fhir_bridge.database import Session, Sql
from fhir_bridge.search.hashing import context_key
from fhir_bridge.store.select.rights import Rights

__all__ = ["At", "Pin", "Scope"]


@dataclass(frozen=True, slots=True)
class Pin:
    """The time that a set of pages shows: the newest change, and what was uncommitted below it."""

    row_id: int
    snapshot: str = ""


@dataclass(frozen=True, slots=True)
class At:
    """How the row under test, and its sort date, are called in the SQL around a condition."""

    row: str
    date: str
    few: bool = False
    """Few rows come here, in order: each test is a look-up that no planner makes a join."""


class Scope:
    """One search of one caller (`rights`), at one time, on one connection (`session`)."""

    def __init__(
        self,
        session: Session,
        numbers: Mapping[str, int],
        rights: Rights,
        pin: Pin | None = None,
        main_dates: frozenset[str] = frozenset(),
    ) -> None:
        self.session = session
        self.numbers = numbers
        self.rights = rights
        self.pin = pin
        self.main_dates = main_dates
        self._irregular: dict[str, bool] = {}
        self._names = 0
        self._queries: list[tuple[str, Sql]] = []

    def name(self, letter: str) -> str:
        """A name for a table that is not in use yet in this question."""
        self._names += 1
        return f"{letter}{self._names}"

    def with_query(self, sql: Sql) -> str:
        """A name for the rows of a query within this question, which is written only once.

        Queries within queries get names and are written side by side: a database parses only so
        much nesting (SQLite: a stack of 100).
        """
        name = self.name("w")
        self._queries.append((name, sql))
        return name

    @contextmanager
    def naming(self) -> Iterator[Callable[[Sql], Sql]]:
        """For one whole query: what writes it out with the queries that it names before it."""
        outer, self._queries = self._queries, []

        def written(sql: Sql) -> Sql:
            if not self._queries:
                return sql
            queries = ", ".join(f"{name} AS ({each[0]})" for name, each in self._queries)
            values = [value for _, each in self._queries for value in each[1]]
            return f"WITH {queries} {sql[0]}", [*values, *sql[1]]

        try:
            yield written
        finally:
            self._queries = outer

    def key(self, symbol: str, context: str) -> int:
        """The key of a value table: of an index, or of an index in the context of a composite."""
        number = self.numbers[symbol]
        return context_key(number, (context,)) if context else number

    def has_irregular(self, symbol: str) -> bool:
        """Whether some resource has a long or a second interval under the main date."""
        if symbol not in self._irregular:
            row = self.session.one(
                "SELECT low FROM date_value WHERE key = ? ORDER BY low LIMIT 1",
                (-self.numbers[symbol],),
            )
            self._irregular[symbol] = row is not None
        return self._irregular[symbol]
