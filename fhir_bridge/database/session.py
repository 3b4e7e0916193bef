"""What the store asks of a database connection, whichever database it is.

Statements are SQL text with ``?`` for each parameter; the differences between the two
databases are the methods of this protocol and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

__all__ = ["Row", "Session", "Sql"]

Row = tuple[Any, ...]
Sql = tuple[str, list[Any]]
"""A piece of SQL text and the parameters of its question marks, in order."""


class Session(Protocol):
    """One open connection, in or out of a transaction."""

    dialect: str

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Every row of a query."""

    def search(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The same for a query whose best plan depends on its values."""

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        """The first row of a query."""

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows of a query that may be larger than memory."""

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Executes a statement; the number of rows it changed."""

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Executes a statement for each row."""

    def bulk(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Appends rows to a table by the fastest durable path of the database."""

    def together(self) -> AbstractContextManager[None]:
        """A block whose statements are sent at once, as far as no answer is waited for.

        An error may show at its end only.
        """

    def add_terms(self, rows: Sequence[Sequence[Any]]) -> None:
        """Adds dictionary rows (number, value, hash) that are not there yet."""

    def among(self, column: str, values: Sequence[Any]) -> Sql:
        """``column IN values`` for any number of values."""

    def lock_keys(self, keys: Sequence[int]) -> None:
        """Makes writers of the same resources wait for each other until commit."""

    def next_rows(self, count: int) -> tuple[Sequence[int], int]:
        """Numbers for `count` new versions, ascending, and the transaction's own number."""

    def pin(self) -> tuple[int, str]:
        """The newest change that is committed, and what was uncommitted below it."""

    def visible_in(self, row: str, snapshot: str) -> Sql | None:
        """A condition that leaves out what `snapshot` did not see; None when none is needed."""

    def contains(self, column: str) -> str:
        """A condition that text `column` contains ``?``."""

    def body_text(self, row: str) -> str | None:
        """The body of a row of ``resource`` as lower-case text; None where SQL cannot read it."""
