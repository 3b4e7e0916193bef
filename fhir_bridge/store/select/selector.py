"""From a plan's conditions to SQL: which rows satisfy them, by which index.

A type's rows are driven by the most selective condition; the others are checked row by row.
A posting knows the row's sort date, so that checking another posting of the same row is one
look-up by full key.  All text is fixed; every value is a parameter.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Sequence

from fhir_bridge.database import Sql
from fhir_bridge.search import conditions
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.select import dates, positions, quantities, references, texts
from fhir_bridge.store.select.driving import conjuncts, driver_of, is_posted, merged, names_few
from fhir_bridge.store.select.postings import hashes, posted
from fhir_bridge.store.select.presence import present
from fhir_bridge.store.select.scope import At, Scope

__all__ = ["Selector"]

_MAX_JOINED = 50
"""Tests joined in one row; more are joined in groups, as SQLite bounds an expression's depth."""


class Selector(Scope):
    """Builds the SQL of whole conditions within its scope."""

    def candidates(self, resource_type: str, condition: conditions.Condition) -> Sql:
        """``SELECT row_id, date`` of the visible current resources that satisfy `condition`."""
        with self.naming() as written:
            return written(self._candidates(resource_type, condition))

    def _candidates(self, resource_type: str, condition: conditions.Condition) -> Sql:
        parts = conjuncts(condition)
        for part in parts if self.session.body_text("r") is None else ():
            if isinstance(part, conditions.Content):
                # Bodies are read here: only those that everything else leaves.
                parts.remove(part)
                rest = self.candidates(resource_type, conditions.AllOf(tuple(parts)))
                return texts.with_content(self, rest, part)
        driver = driver_of(parts)
        if driver is None:
            name = self.name("r")
            at = At(f"{name}.row_id", f"{name}.sort_date")
            head = f"SELECT {at.row} AS row_id, {at.date} AS date FROM resource {name} WHERE {name}.type = ?"
            parameters: list[object] = [self.numbers[resource_type]]
        else:
            parts.remove(driver)
            name = self.name("p")
            at = At(f"{name}.row_id", f"{name}.date", names_few(driver))
            values = hashes(self, driver)
            where, parameters = self.session.among(f"{name}.hash", values)
            distinct = "DISTINCT " if len(values) > 1 else ""
            head = f"SELECT {distinct}{at.row} AS row_id, {at.date} AS date FROM posting {name} WHERE {where}"
        tests = [
            *dates.hulls(self, parts, at),
            self._live(at),
            *(self._test(part, at) for part in parts),
            *self._visible(resource_type, at),
        ]
        text = " AND ".join([head, *_grouped(" AND ", [each[0] for each in tests])])
        return text, [*parameters, *(value for each in tests for value in each[1])]

    def live(self, row: str) -> Sql:
        """A condition that the row is a current version (at the pinned time)."""
        return self._live(At(row, "0"))

    def members(self, row: str, ids: Sequence[str]) -> Sql:
        """A condition that the row is in the compartment of one of the patients."""
        where, parameters = self.session.among(
            "m.target", [resource_key("Patient", each) for each in ids]
        )
        return (
            f"EXISTS (SELECT 1 FROM reference m WHERE m.row_id = {row} AND m.member = 1 AND {where})",
            parameters,
        )

    def _live(self, at: At) -> Sql:
        if self.pin is None:
            return f"NOT EXISTS (SELECT 1 FROM superseded s WHERE s.row_id = {at.row})", []
        pin = self.pin
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

    def _visible(self, resource_type: str, at: At) -> list[Sql]:
        if not self.access.allows_type(resource_type):
            return [("1=0", [])]
        if not self.access.needs_compartment(resource_type):
            return []
        ids = self.access.patient_ids or frozenset()
        return [self.members(at.row, sorted(ids))] if ids else [("1=0", [])]

    def _test(self, condition: conditions.Condition, at: At) -> Sql:
        """A condition on the row that `at` names."""
        if is_posted(condition):
            return posted(self, condition, at)
        match condition:
            case conditions.AllOf(parts):
                return self._joined(" AND ", "1=1", parts, at)
            case conditions.AnyOf(parts):
                return self._joined(" OR ", "1=0", merged(parts), at)
            case conditions.Not(inner):
                text, parameters = self._test(inner, at)
                return f"NOT ({text})", parameters
            case conditions.Ids():
                return references.ids(self, condition, at)
            case conditions.Updated():
                return dates.updated(self, condition, at)
            case conditions.Content():
                return texts.content(self, condition, at)
            case conditions.Between(symbol) if symbol in self.main_dates:
                return dates.main_date(self, condition, at)
            case conditions.Chain():
                return references.chain(self, condition, at, self._candidates)
            case conditions.Has():
                return references.has(self, condition, at, self._candidates)
            case conditions.OnList(list_id):
                on = conditions.Has("List", "List.item", conditions.Ids("List", (list_id,)))
                return self._test(on, at)
            case _:
                text, parameters = self._rows(condition)
                return f"{at.row} IN ({text})", parameters

    def _joined(self, word: str, empty: str, parts: Sequence[conditions.Condition], at: At) -> Sql:
        tests = [self._test(part, at) for part in parts]
        if not tests:
            return empty, []
        joined = word.join(_grouped(word, [f"({each[0]})" for each in tests]))
        return f"({joined})", [value for each in tests for value in each[1]]

    def _rows(self, condition: conditions.Condition) -> Sql:
        """``SELECT row_id`` of everything that one of the value tables says."""
        match condition:
            case conditions.Text():
                return texts.text(self, condition)
            case conditions.Term():
                return texts.term(self, condition)
            case conditions.Between():
                return dates.between(self, condition)
            case conditions.Measured():
                return quantities.measured(self, condition)
            case conditions.Converted():
                return quantities.converted(self, condition)
            case conditions.Near():
                return positions.near(self, condition)
            case conditions.Present():
                return present(self, condition)
        raise TypeError(f"no rows for {type(condition).__name__}")


def _grouped(word: str, tests: list[str]) -> list[str]:
    """The same in groups, so that joining them by `word` does not nest too deep."""
    while len(tests) > _MAX_JOINED:
        tests = [
            f"({word.join(tests[start : start + _MAX_JOINED])})"
            for start in range(0, len(tests), _MAX_JOINED)
        ]
    return tests
