"""History: the versions of a resource, of a type, or of everything, newest first.

https://hl7.org/fhir/R4/http.html#history.  Pages stay at the moment of the first one: what
is written later appears on none of them, and their total stays.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fhir_bridge import clock
from fhir_bridge.database import Sql, milliseconds
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.read.cursors import Cursor, open_cursor, seal
from fhir_bridge.store.read.sight import seen_versions
from fhir_bridge.store.records import COLUMNS, Page, stored
from fhir_bridge.store.select import Selector

__all__ = ["HistoryQuery", "history"]


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which versions: of one resource, one type or (both "") all.

    `since`: changed at or after; `at`: current at some time in [first, last]; milliseconds
    since 1970.
    """

    resource_type: str = ""
    id: str = ""
    since: int | None = None
    at: tuple[int, int] | None = None
    count: int = 50

    @property
    def question(self) -> str:
        """What a cursor of this query is for."""
        return f"history {self.resource_type}/{self.id} {self.since} {self.at}"


def history(
    selector: Selector,
    query: HistoryQuery,
    types: dict[int, str],
    seal_with: tuple[bytes, int],
    cursor: str = "",
) -> Page:
    """One page of versions, with the total of all pages at the moment of the first.

    `seal_with` is the secret of cursors and the milliseconds for which they hold.
    """
    secret, keep = seal_with
    session, question = selector.session, query.question + selector.rights.access.fingerprint
    now = milliseconds(clock.now())
    place = open_cursor(cursor, secret, question, now - keep) if cursor else None
    where, parameters = _where(selector, query, types)
    if place is None:
        row = session.one(f"SELECT count(*) FROM resource r WHERE {where}", parameters)
        total = row[0] if row else 0
    else:
        *after, total = place.position
        seen = session.visible_in("r.row_id", place.snapshot) if place.snapshot else None
        tests: list[Sql] = [
            (where, parameters),
            ("(r.last_updated, r.row_id) < (?, ?)", after),
            ("r.row_id <= ?", [place.row_id]),
        ]
        where, parameters = _all_of([*tests, *([seen] if seen else [])])
    rows = session.all(
        f"SELECT {COLUMNS} FROM resource r WHERE {where}"
        " ORDER BY r.last_updated DESC, r.row_id DESC LIMIT ?",
        [*parameters, query.count + 1],
    )
    shown = rows[: query.count]
    next_ = ""
    if len(rows) > query.count and shown:
        last = (shown[-1][4], shown[-1][0], total)
        pin = (place.row_id, place.snapshot) if place else session.pin()
        next_ = seal(Cursor(question, last, *pin, place.created if place else now), secret)
    return Page([stored(each, types) for each in shown], total=total, next=next_)


def _where(selector: Selector, query: HistoryQuery, types: dict[int, str]) -> Sql:
    rights = _rights(selector, query, types)
    return _all_of([_scope(query, selector.numbers), *_times(query), *rights])


def _all_of(tests: list[Sql]) -> Sql:
    asked = [each for each in tests if each[0]]
    where = " AND ".join(each[0] for each in asked) or "1=1"
    return where, [value for each in asked for value in each[1]]


def _scope(query: HistoryQuery, numbers: Mapping[str, int]) -> Sql:
    if query.id:
        return "r.key = ? AND r.id = ?", [resource_key(query.resource_type, query.id), query.id]
    if query.resource_type:
        return "r.type = ?", [numbers[query.resource_type]]
    return "", []


def _times(query: HistoryQuery) -> list[Sql]:
    tests: list[Sql] = []
    if query.since is not None:
        tests.append(("r.last_updated >= ?", [query.since]))
    if query.at is not None:
        first, last = query.at
        tests.append(
            (
                (
                    "r.last_updated <= ? AND NOT EXISTS (SELECT 1 FROM resource n WHERE n.key = r.key"
                    " AND n.version = r.version + 1 AND n.last_updated <= ?)"
                ),
                [last, first],
            )
        )
    return tests


def _rights(selector: Selector, query: HistoryQuery, types: dict[int, str]) -> list[Sql]:
    """The same rule as for search, over all types at once or over the one that is asked for."""
    if query.resource_type:
        types = {selector.numbers[query.resource_type]: query.resource_type}
    test = seen_versions(selector, types)
    return [] if test is None else [test]
