"""Answers a plan: one page in order, its total, what it includes.

https://hl7.org/fhir/R4/search.html#sort, #total and #paging.  Pages follow each other by
key (the sort values and the number of the last row), at the moment the first one showed:
what is created or changed later neither appears nor moves, for as long as replaced versions
keep their index rows.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fhir_bridge import clock
from fhir_bridge.access import Access, Compartment
from fhir_bridge.database import Session, Sql, milliseconds
from fhir_bridge.errors import Issue
from fhir_bridge.search import Plan, Registry, Sort
from fhir_bridge.search.conditions import Table
from fhir_bridge.search.hashing import range_key, resource_key
from fhir_bridge.store.read.cursors import Cursor, open_cursor, seal
from fhir_bridge.store.read.include import included
from fhir_bridge.store.read.retention import Retention
from fhir_bridge.store.records import COLUMNS, Page, Stored, stored
from fhir_bridge.store.select import At, Pin, Rights, Selector, allows_generic_plan

__all__ = ["Finder"]

_EARLIEST, _LATEST = -(1 << 62), 1 << 62
_LAST_TEXT = "\U0010ffff"
_MAX_NUMBER = 1e308


@dataclass(frozen=True, slots=True)
class _Key:
    """One sort column: its expression over the candidate row, a join that it needs."""

    expression: str
    join: Sql
    descending: bool


@dataclass(frozen=True, slots=True)
class Finder:
    """What is needed to answer plans; one per store."""

    registry: Registry
    numbers: Mapping[str, int]
    types: dict[int, str]
    secret: bytes
    main_dates: frozenset[str]
    """Names of the indexes whose value is the sort date."""
    keep_snapshots: int
    """Milliseconds for which a cursor holds after it was given."""
    retention: Retention
    """What keeps the past of older ones."""
    compartment: Compartment
    """What is of a patient."""

    def find(
        self,
        session: Session,
        plan: Plan,
        access: Access,
        cursor: str = "",
        *,
        writing: bool = False,
    ) -> Page:
        """The page of `plan` at `cursor` ("": the first); `writing`: inside a transaction."""
        question = _question(plan, access)
        now = milliseconds(clock.now())
        place = (
            open_cursor(cursor, self.secret, question, now - self.keep_snapshots)
            if cursor
            else None
        )
        if place is not None:
            self.retention.require(place, now, longer=not writing)
        pin = Pin(place.row_id, place.snapshot) if place else None
        selector = self._selector(session, access, pin)
        wanted = plan.directives.count
        counting = plan.directives.summary == "count" or wanted == 0
        total = None
        if counting or (plan.directives.total != "none" and place is None):
            total = _count(selector, plan)
        if counting or not plan.types:
            return Page(total=total if total is not None else 0 if not plan.types else None)
        rows = self._rows(selector, plan, place, wanted + 1)
        matches = [stored(row[-8:], self.types) for row in rows[:wanted]]
        next_ = ""
        if len(rows) > wanted:
            if place is None:
                place = Cursor(question, (), *session.pin(), now)
            position = tuple(rows[wanted - 1][:-8])
            next_ = seal(
                Cursor(question, position, place.row_id, place.snapshot, place.created), self.secret
            )
        includes, truncated, issues = self._includes(selector, plan, matches)
        return Page(matches, includes, total, next_, truncated, issues)

    def count(self, session: Session, plan: Plan, access: Access) -> int:
        """How many resources `plan` finds."""
        return _count(self._selector(session, access, None), plan)

    def reaches(
        self, session: Session, access: Access, interaction: str, place: tuple[str, str]
    ) -> bool:
        """Whether the newest version of the resource at `place` is within reach of the interaction."""
        rights = Rights(access, interaction, self.registry, self.compartment)
        selector = Selector(session, self.numbers, rights)
        test = selector.visible(place[0], At("r.row_id", "r.sort_date"))
        where, parameters = ("1=1", []) if test is None else test
        row = session.one(
            f"SELECT 1 FROM resource r WHERE r.key = ? AND r.version = (SELECT max(v.version)"
            f" FROM resource v WHERE v.key = r.key) AND {where}",
            [resource_key(*place), *parameters],
        )
        return row is not None

    def _selector(self, session: Session, access: Access, pin: Pin | None) -> Selector:
        rights = Rights(access, "s", self.registry, self.compartment)
        return Selector(session, self.numbers, rights, pin, self.main_dates)

    def _includes(
        self, selector: Selector, plan: Plan, matches: list[Stored]
    ) -> tuple[list[Stored], bool, list[Issue]]:
        includes = plan.directives.includes
        if not includes or not matches:
            return [], False, []
        return included(selector, includes, matches, self.registry, self.types)

    def _rows(
        self, selector: Selector, plan: Plan, place: Cursor | None, limit: int
    ) -> list[tuple[Any, ...]]:
        """Rows of the sort values, the row number and the columns of a version, in order."""
        parts = []
        for resource_type, condition in plan.types:
            keys = self._keys(plan.directives.sort, resource_type)
            parts.append(
                _ordered(selector.candidates(resource_type, condition), keys, place, limit)
            )
        keys = self._keys(plan.directives.sort, plan.types[0][0])
        inner = " UNION ALL ".join(
            f"SELECT * FROM ({text}) AS u{number}" for number, (text, _) in enumerate(parts)
        )
        parameters = [value for _, values in parts for value in values]
        names = [f"k{number}" for number in range(len(keys))]
        order = ", ".join(
            f"m.{name}{' DESC' if key.descending else ''}"
            for name, key in zip(names, keys, strict=True)
        )
        sql = (
            f"SELECT {', '.join(f'm.{name}' for name in names)}, {COLUMNS}"
            f" FROM (SELECT * FROM ({inner}) AS a ORDER BY"
            f" {order.replace('m.', 'a.')} LIMIT ?) AS m"
            f" JOIN resource r ON r.row_id = m.{names[-1]} ORDER BY {order}"
        )
        # Few rows are found alike whatever the values; many need a plan of their own.
        simple = all(allows_generic_plan(each) for _, each in plan.types) and not any(
            key.join[0] for key in keys
        )
        query = selector.session.all if simple else selector.session.search
        return query(sql, [*parameters, limit])

    def _keys(self, sorts: tuple[Sort, ...], resource_type: str) -> list[_Key]:
        """The sort columns; the number of the row makes the order total."""
        keys = [self._key(sort, resource_type, place) for place, sort in enumerate(sorts)]
        if not keys:
            keys = [_Key("c.date", ("", []), descending=True)]
        return [*keys, _Key("c.row_id", ("", []), keys[-1].descending)]

    def _key(self, sort: Sort, resource_type: str, place: int) -> _Key:
        if sort.code in ("_lastUpdated", "_id"):
            column = "last_updated" if sort.code == "_lastUpdated" else "id"
            join = f" JOIN resource s{place} ON s{place}.row_id = c.row_id"
            return _Key(f"s{place}.{column}", (join, []), sort.descending)
        if sort.code == self.registry.main_date(resource_type):
            missing = "-1099511627776"
            expression = (
                "c.date"
                if sort.descending
                else f"CASE WHEN c.date = {missing} THEN {_LATEST} ELSE c.date END"
            )
            return _Key(expression, ("", []), sort.descending)
        parameter = self.registry.resolve(resource_type, sort.code)
        if parameter is None:
            raise LookupError(f"{resource_type}.{sort.code} is no parameter to sort by")
        numbers = [self.numbers[index.symbol] for index in parameter.indexes]
        return _value_key(parameter.type.table, numbers, place, sort.descending)


def _count(selector: Selector, plan: Plan) -> int:
    """How many visible resources satisfy the plan."""
    total = 0
    for resource_type, condition in plan.types:
        text, parameters = selector.candidates(resource_type, condition)
        total += selector.session.search(f"SELECT count(*) FROM ({text}) AS c", parameters)[0][0]
    return total


def _value_key(kind: Table, numbers: list[int], place: int, descending: bool) -> _Key:
    """A column from a value table: a row's least value, or its greatest when descending."""
    parameters = list(numbers)
    match kind:
        case "texts":
            table, column, where = "string_value", "value", " AND derived = 0"
            first, last = "''", f"'{_LAST_TEXT}'"
        case "dates":
            table, column, where = "date_value", "low", ""
            first, last = str(_EARLIEST), str(_LATEST)
            parameters += [-number for number in numbers]
        case _:
            table, column, where = "quantity_value", "low", ""
            first, last = str(-_MAX_NUMBER), str(_MAX_NUMBER)
            parameters += [range_key(number) for number in numbers]
    chosen = "max" if descending else "min"
    join = (
        f" LEFT JOIN (SELECT row_id, {chosen}({column}) AS v FROM {table}"
        f" WHERE key IN ({','.join('?' * len(parameters))}){where}"
        f" GROUP BY row_id) s{place} ON s{place}.row_id = c.row_id"
    )
    missing = first if descending else last
    return _Key(f"coalesce(s{place}.v, {missing})", (join, parameters), descending)


def _ordered(candidates: Sql, keys: list[_Key], place: Cursor | None, limit: int) -> Sql:
    """The first `limit` candidates after `place`, with their sort values."""
    text, parameters = candidates
    columns = ", ".join(f"{key.expression} AS k{number}" for number, key in enumerate(keys))
    joins = "".join(key.join[0] for key in keys)
    join_parameters = [value for key in keys for value in key.join[1]]
    where, where_parameters = _after(keys, place.position) if place else ("", [])
    order = ", ".join(
        f"k{number}{' DESC' if key.descending else ''}" for number, key in enumerate(keys)
    )
    return (
        f"SELECT {columns} FROM ({text}) AS c{joins}{where} ORDER BY {order} LIMIT ?",
        [*parameters, *join_parameters, *where_parameters, limit],
    )


def _after(keys: list[_Key], position: tuple[Any, ...]) -> Sql:
    """`` WHERE`` the sort values come after `position`."""
    if len({key.descending for key in keys}) == 1:
        sign = "<" if keys[0].descending else ">"
        columns = ", ".join(key.expression for key in keys)
        places = ", ".join("?" * len(keys))
        return f" WHERE ({columns}) {sign} ({places})", list(position)
    alternatives, parameters = [], []
    for number, key in enumerate(keys):
        equal = [f"{each.expression} = ?" for each in keys[:number]]
        sign = "<" if key.descending else ">"
        alternatives.append(" AND ".join([*equal, f"{key.expression} {sign} ?"]))
        parameters += [*position[:number], position[number]]
    return " WHERE (" + " OR ".join(f"({each})" for each in alternatives) + ")", parameters


def _question(plan: Plan, access: Access) -> str:
    """The fingerprint of what is asked and by whom."""
    return plan.fingerprint + access.fingerprint
