"""From a plan's conditions to SQL: which rows satisfy them, by which index.

A type's rows are driven by the most selective condition; the others are checked row by row.
A posting knows the row's sort date, so that checking another posting of the same row is one
look-up by full key.  All text is fixed; every value is a parameter.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from fhir_bridge.search import Access
from fhir_bridge.search import conditions as asked
from fhir_bridge.search.composite import context_key
from fhir_bridge.search.hashing import (
    VALUE_MASK,
    posting,
    range_key,
    resource_key,
    text_key,
    value_range,
)
from fhir_bridge.store.session import Session, Sql

__all__ = ["Pin", "Selector", "is_one_posting"]

_Postings = asked.Posted | asked.AnyOf

_DAY = 864_000_000_000
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Pin:
    """The moment a set of pages shows: the newest change, and what was uncommitted below."""

    row_id: int
    snapshot: str = ""


@dataclass(frozen=True, slots=True)
class _At:
    """How the row under test is called in the SQL around a condition."""

    row: str
    date: str


class Selector:
    """Builds SQL for one caller (`access`) at one moment, on one connection (`session`)."""

    def __init__(
        self,
        session: Session,
        numbers: Mapping[str, int],
        access: Access,
        pin: Pin | None = None,
        main_dates: frozenset[str] = frozenset(),
    ) -> None:
        self.session = session
        self.numbers = numbers
        self.access = access
        self._pin = pin
        self._main_dates = main_dates
        self._irregular: dict[str, bool] = {}
        self._names = 0

    def candidates(self, resource_type: str, condition: asked.Condition) -> Sql:
        """``SELECT row_id, date`` of the visible current resources that satisfy `condition`."""
        parts = _conjuncts(condition)
        driver = self._driver(parts)
        if driver is None:
            name = self._name("r")
            at = _At(f"{name}.row_id", f"{name}.sort_date")
            head = f"SELECT {at.row} AS row_id, {at.date} AS date FROM resource {name} WHERE {name}.type = ?"
            parameters: list[object] = [self.numbers[resource_type]]
        else:
            parts.remove(driver)
            name = self._name("p")
            at = _At(f"{name}.row_id", f"{name}.date")
            hashes = self._hashes(driver)
            where, parameters = self.session.among(f"{name}.hash", hashes)
            distinct = "DISTINCT " if len(hashes) > 1 else ""
            head = f"SELECT {distinct}{at.row} AS row_id, {at.date} AS date FROM posting {name} WHERE {where}"
        tests = [
            *self._hulls(parts, at),
            self._live(at),
            *(self._test(part, at) for part in parts),
            *self._visible(resource_type, at),
        ]
        text = " AND ".join([head, *(each[0] for each in tests)])
        return text, [*parameters, *(value for each in tests for value in each[1])]

    def live(self, row: str) -> Sql:
        """A condition that the row is a current version (at the pinned moment)."""
        return self._live(_At(row, "0"))

    def members(self, row: str, ids: Sequence[str]) -> Sql:
        """A condition that the row is in the compartment of one of the patients."""
        where, parameters = self.session.among(
            "m.target", [resource_key("Patient", each) for each in ids]
        )
        return (
            f"EXISTS (SELECT 1 FROM reference m WHERE m.row_id = {row} AND m.member = 1 AND {where})",
            parameters,
        )

    def _driver(self, parts: list[asked.Condition]) -> _Postings | None:
        """The postings to start from, unless another kind of condition selects better."""
        posted = [part for part in parts if _is_posted(part)]
        if not posted:
            return None
        best = min(posted, key=_rank)
        rivals = (asked.Ids, asked.Text, asked.Chain, asked.Has)
        if _rank(best) > 1 and any(isinstance(part, rivals) for part in parts):
            return None
        if any(isinstance(part, asked.Ids) for part in parts):
            return None
        return best

    def _live(self, at: _At) -> Sql:
        if self._pin is None:
            return f"NOT EXISTS (SELECT 1 FROM superseded s WHERE s.row_id = {at.row})", []
        pin = self._pin
        text = (
            f"{at.row} <= ? AND NOT EXISTS (SELECT 1 FROM superseded s"
            f" WHERE s.row_id = {at.row} AND s.replaced_by <= ?"
        )
        parameters: list[object] = [pin.row_id, pin.row_id]
        if pin.snapshot and self.session.dialect == "postgresql":
            text += " AND pg_visible_in_snapshot(s.written_in::text::xid8, ?::pg_snapshot)"
            parameters.append(pin.snapshot)
        text += ")"
        visible = self.session.visible_in(at.row, pin.snapshot) if pin.snapshot else None
        if visible:
            text, parameters = f"{text} AND {visible[0]}", [*parameters, *visible[1]]
        return text, parameters

    def _visible(self, resource_type: str, at: _At) -> list[Sql]:
        if not self.access.allows_type(resource_type):
            return [("1=0", [])]
        if not self.access.needs_compartment(resource_type):
            return []
        ids = self.access.patient_ids or frozenset()
        return [self.members(at.row, sorted(ids))] if ids else [("1=0", [])]

    def _test(self, condition: asked.Condition, at: _At) -> Sql:
        if _is_posted(condition):
            return self._posted(condition, at)
        match condition:
            case asked.AllOf(parts):
                return self._joined(" AND ", "1=1", parts, at)
            case asked.AnyOf(parts):
                return self._joined(" OR ", "1=0", _merged(parts), at)
            case asked.Not(inner):
                text, parameters = self._test(inner, at)
                return f"NOT ({text})", parameters
            case asked.Ids(resource_type, ids):
                return self._ids(resource_type, ids, at)
            case asked.Updated(low, high):
                name = self._name("u")
                bounds, parameters = _bounds([(f"{name}.last_updated", low, high)])
                return (
                    f"EXISTS (SELECT 1 FROM resource {name} WHERE {name}.row_id = {at.row}{bounds})",
                    parameters,
                )
            case asked.Content(value):
                name = self._name("u")
                contains = self.session.contains(self.session.body_text(f"{name}.body"))
                return (
                    (
                        f"EXISTS (SELECT 1 FROM resource {name} WHERE {name}.row_id = {at.row}"
                        f" AND {contains})"
                    ),
                    [value.replace("\x00", "").lower()],
                )
            case asked.Between(symbol) if symbol in self._main_dates:
                return self._main_date(condition, at)
            case asked.Chain(symbol, targets):
                return self._chain(symbol, targets, at)
            case asked.Has(resource_type, symbol, inner):
                return self._has(resource_type, symbol, inner, at)
            case asked.OnList(list_id):
                on = asked.Has("List", "List.item", asked.Ids("List", (list_id,)))
                return self._test(on, at)
            case _:
                text, parameters = self._rows(condition)
                return f"{at.row} IN ({text})", parameters

    def _joined(self, word: str, empty: str, parts: Sequence[asked.Condition], at: _At) -> Sql:
        tests = [self._test(part, at) for part in parts]
        if not tests:
            return empty, []
        text = word.join(f"({each[0]})" for each in tests)
        return f"({text})", [value for each in tests for value in each[1]]

    def _posted(self, condition: _Postings, at: _At) -> Sql:
        name = self._name("q")
        hashes = self._hashes(condition)
        where, parameters = self.session.among(f"{name}.hash", hashes)
        if len(hashes) > 64:
            return (
                f"{at.row} IN (SELECT {name}.row_id FROM posting {name} WHERE {where})",
                parameters,
            )
        return (
            (
                f"EXISTS (SELECT 1 FROM posting {name} WHERE {where}"
                f" AND {name}.date = {at.date} AND {name}.row_id = {at.row})"
            ),
            parameters,
        )

    def _ids(self, resource_type: str, ids: Sequence[str], at: _At) -> Sql:
        name = self._name("i")
        where, parameters = self.session.among(
            f"{name}.key", [resource_key(resource_type, each) for each in ids]
        )
        return f"{at.row} IN (SELECT {name}.row_id FROM resource {name} WHERE {where})", parameters

    def _chain(self, symbol: str, targets: Mapping[str, asked.Condition], at: _At) -> Sql:
        base = self.numbers[symbol] << 48
        texts, parameters = [], []
        for resource_type, condition in targets.items():
            inner, values = self.candidates(resource_type, condition)
            c, t, q = self._name("c"), self._name("t"), self._name("q")
            texts.append(
                f"SELECT {q}.row_id FROM ({inner}) {c} JOIN resource {t} ON {t}.row_id = {c}.row_id"
                f" JOIN posting {q} ON {q}.hash = ? + ({t}.key & ?)"
            )
            parameters += [*values, base, VALUE_MASK]
        return f"{at.row} IN ({' UNION ALL '.join(texts)})", parameters

    def _has(self, resource_type: str, symbol: str, condition: asked.Condition, at: _At) -> Sql:
        base = self.numbers[symbol] << 48
        inner, values = self.candidates(resource_type, condition)
        c, f, q, k = self._name("c"), self._name("f"), self._name("q"), self._name("k")
        return (
            (
                f"{at.row} IN (SELECT {k}.row_id FROM ({inner}) {c}"
                f" JOIN reference {f} ON {f}.row_id = {c}.row_id"
                f" JOIN posting {q} ON {q}.hash = ? + ({f}.target & ?)"
                f" AND {q}.date = {c}.date AND {q}.row_id = {c}.row_id"
                f" JOIN resource {k} ON {k}.key = {f}.target)"
            ),
            [*values, base, VALUE_MASK],
        )

    def _rows(self, condition: asked.Condition) -> Sql:
        """``SELECT row_id`` of everything that one of the value tables says."""
        match condition:
            case asked.Text(symbol, value, how, context):
                key = self._key(symbol, context)
                if how == "starts":
                    return (
                        "SELECT row_id FROM string_value WHERE key = ? AND value >= ? AND value < ?",
                        [key, value, value + _LAST],
                    )
                contains = self.session.contains("value")
                return f"SELECT row_id FROM string_value WHERE key = ? AND {contains}", [key, value]
            case asked.Term(symbol, value, how, coded):
                number = self.numbers[symbol] * (-1 if coded else 1)
                return self._term(number, value.replace("\x00", ""), how)
            case asked.Between():
                return self._between(condition)
            case asked.Measured():
                return self._measured(condition)
            case asked.Present(symbol, kind):
                return self._present(symbol, kind)
        raise TypeError(f"no rows for {type(condition).__name__}")

    def _term(self, number: int, value: str, how: str) -> Sql:
        head = (
            "SELECT q.row_id FROM term t JOIN posting q ON q.hash = t.hash WHERE t.number = ? AND "
        )
        if how == "contains":
            return head + self.session.contains("t.value"), [number, value]
        if how == "below":
            below = value.rstrip("/") + "/"
            return (
                head + "(t.value = ? OR (t.value >= ? AND t.value < ?))",
                [number, value, below, below + _LAST],
            )
        return head + "t.value >= ? AND t.value < ?", [number, value, value + _LAST]

    def _between(self, condition: asked.Between) -> Sql:
        """Regular intervals are at most a day wide, so that their start bounds a search."""
        low, high = condition.low_min, condition.low_max
        where, parameters = _bounds(
            [("low", low, high), ("high", condition.high_min, condition.high_max)]
        )
        head = "SELECT row_id FROM date_value WHERE key = ?"
        if condition.context:
            return head + where, [self._key(condition.symbol, condition.context), *parameters]
        number = self.numbers[condition.symbol]
        near_low = condition.high_min - _DAY if condition.high_min is not None else None
        near, near_parameters = _bounds([("low", near_low, condition.high_max)])
        return (
            f"{head}{where}{near} UNION ALL {head}{where}",
            [number, *parameters, *near_parameters, -number, *parameters],
        )

    def _main_date(self, condition: asked.Between, at: _At) -> Sql:
        """A regular interval of the main date begins at the row's own sort date.

        A single value and not EXISTS, so that no planner takes it for a join: it costs one
        look-up a row, which PostgreSQL does not see.
        """
        name, number = self._name("d"), self.numbers[condition.symbol]
        low, high = f"{name}.low", f"{name}.high"
        where, parameters = _bounds(
            [
                (low, condition.low_min, condition.low_max),
                (high, condition.high_min, condition.high_max),
            ]
        )
        text = (
            f"1 = (SELECT 1 FROM date_value {name} WHERE {name}.key = ?"
            f" AND {low} BETWEEN {at.date} * 10000 AND {at.date} * 10000 + 9999"
            f" AND {name}.row_id = {at.row}{where} LIMIT 1)"
        )
        if not self._has_irregular(condition.symbol):
            return text, [number, *parameters]
        where, more = _bounds(
            [
                ("low", condition.low_min, condition.low_max),
                ("high", condition.high_min, condition.high_max),
            ]
        )
        return (
            f"({text} OR {at.row} IN (SELECT row_id FROM date_value WHERE key = ?{where}))",
            [number, *parameters, -number, *more],
        )

    def _hulls(self, parts: list[asked.Condition], at: _At) -> list[Sql]:
        """Bounds on the sort date that conditions on the main date imply, for the index."""
        found = []
        for part in parts:
            each = part.conditions if isinstance(part, asked.AnyOf) else (part,)
            between = [one for one in each if isinstance(one, asked.Between)]
            symbols = {one.symbol for one in between}
            if not between or len(between) < len(each) or not symbols <= self._main_dates:
                continue
            if any(self._has_irregular(symbol) for symbol in symbols):
                continue
            text, parameters = _bounds([(at.date, *_hull(between))])
            if text:
                found.append((text.removeprefix(" AND "), parameters))
        return found

    def _has_irregular(self, symbol: str) -> bool:
        """Whether some resource has a long or a second interval under the main date."""
        if symbol not in self._irregular:
            row = self.session.one(
                "SELECT low FROM date_value WHERE key = ? ORDER BY low LIMIT 1",
                (-self.numbers[symbol],),
            )
            self._irregular[symbol] = row is not None
        return self._irregular[symbol]

    def _measured(self, condition: asked.Measured) -> Sql:
        """Points are one number, so that either bound limits both; ranges stand apart."""
        key = self._key(condition.symbol, condition.context)
        starts = [one for one in (condition.low_min, condition.high_min) if one is not None]
        ends = [one for one in (condition.low_max, condition.high_max) if one is not None]
        points, of_points = _bounds([("low", max(starts, default=None), min(ends, default=None))])
        ranges, of_ranges = _bounds(
            [
                ("low", condition.low_min, condition.low_max),
                ("high", condition.high_min, condition.high_max),
            ]
        )
        where, parameters = "", []
        if condition.system:
            where, parameters = " AND system = ?", [text_key(condition.system)]
        if condition.code is not None:
            code = text_key(condition.code)
            where, parameters = f"{where} AND (code = ? OR unit = ?)", [*parameters, code, code]
        head = "SELECT row_id FROM quantity_value WHERE key = ?"
        sign = -1 if condition.canonical else 1
        return (
            f"{head}{points}{where} UNION ALL {head}{ranges}{where}",
            [sign * key, *of_points, *parameters, sign * range_key(key), *of_ranges, *parameters],
        )

    def _present(self, symbol: str, kind: str) -> Sql:
        number = self.numbers[symbol]
        match kind:
            case "string" if not symbol.endswith("._text"):
                return "SELECT row_id FROM string_value WHERE key = ?", [number]
            case "date":
                return "SELECT row_id FROM date_value WHERE key IN (?, ?)", [number, -number]
            case "number" | "quantity":
                return (
                    "SELECT row_id FROM quantity_value WHERE key IN (?, ?)",
                    [number, range_key(number)],
                )
            case _:
                return "SELECT row_id FROM posting WHERE hash BETWEEN ? AND ?", [
                    *value_range(number)
                ]

    def _hashes(self, condition: _Postings) -> list[int]:
        return list(
            dict.fromkeys(
                posting(self.numbers[each.symbol], value)
                for each in _each_posted(condition)
                for value in each.values
            )
        )

    def _key(self, symbol: str, context: str) -> int:
        number = self.numbers[symbol]
        return context_key(number, (context,)) if context else number

    def _name(self, letter: str) -> str:
        self._names += 1
        return f"{letter}{self._names}"


def is_one_posting(condition: asked.Condition) -> bool:
    """Whether a condition asks for one exact value and nothing else."""
    parts = _conjuncts(condition)
    return len(parts) == 1 and isinstance(parts[0], asked.Posted)


def _conjuncts(condition: asked.Condition) -> list[asked.Condition]:
    """The parts that must all hold; alternatives under one index as one."""
    parts = list(condition.conditions) if isinstance(condition, asked.AllOf) else [condition]
    found: list[asked.Condition] = []
    for part in parts:
        if isinstance(part, asked.AllOf):
            found += _conjuncts(part)
        elif isinstance(part, asked.AnyOf):
            merged = _merged(part.conditions)
            found.append(merged[0] if len(merged) == 1 else replace(part, conditions=tuple(merged)))
        else:
            found.append(part)
    return found


def _merged(parts: Sequence[asked.Condition]) -> list[asked.Condition]:
    """Alternatives, with the postings of one symbol made one condition."""
    values: dict[str, list[str]] = {}
    others: list[asked.Condition] = []
    for part in parts:
        if isinstance(part, asked.Posted):
            values.setdefault(part.symbol, []).extend(part.values)
        else:
            others.append(part)
    return [*(asked.Posted(symbol, tuple(each)) for symbol, each in values.items()), *others]


def _is_posted(condition: asked.Condition) -> TypeGuard[_Postings]:
    """Whether a condition is about postings only, of one index or of several."""
    if isinstance(condition, asked.AnyOf):
        parts = condition.conditions
        return bool(parts) and all(isinstance(part, asked.Posted) for part in parts)
    return isinstance(condition, asked.Posted)


def _each_posted(condition: _Postings) -> Sequence[asked.Posted]:
    if isinstance(condition, asked.Posted):
        return (condition,)
    return [part for part in condition.conditions if isinstance(part, asked.Posted)]


def _rank(condition: _Postings) -> int:
    """How far postings are likely to narrow (small: far)."""
    return max(_rank_of_one(each) for each in _each_posted(condition))


def _rank_of_one(condition: asked.Posted) -> int:
    code = condition.symbol.partition(".")[2]
    if code in ("identifier", "url"):
        return 0
    value = condition.values[0]
    if "/" in value and value[:1].isupper():
        return 1
    if value.startswith("\x04"):
        return 1
    if code in (
        "status",
        "gender",
        "active",
        "category",
        "intent",
        "class",
        "deceased",
        "_profile",
    ):
        return 4
    return 3 if code.startswith("_") else 2


def _hull(between: list[asked.Between]) -> tuple[int | None, int | None]:
    """The least and greatest sort date (milliseconds) that any of the conditions allows."""
    lows: list[int | None] = []
    highs: list[int | None] = []
    for each in between:
        near = None if each.high_min is None else each.high_min - _DAY
        starts = [one for one in (each.low_min, near) if one is not None]
        ends = [one for one in (each.low_max, each.high_max) if one is not None]
        lows.append(max(starts) // 10_000 if starts else None)
        highs.append(min(ends) // 10_000 if ends else None)
    low = None if None in lows else min(one for one in lows if one is not None)
    high = None if None in highs else max(one for one in highs if one is not None)
    return low, high


def _bounds(columns: Sequence[tuple[str, float | None, float | None]]) -> Sql:
    """`` AND column >= ? AND column <= ?`` for the bounds that are given."""
    text, parameters = "", []
    for column, low, high in columns:
        if low is not None:
            text += f" AND {column} >= ?"
            parameters.append(low)
        if high is not None:
            text += f" AND {column} <= ?"
            parameters.append(high)
    return text, parameters
