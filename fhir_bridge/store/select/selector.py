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
from fhir_bridge.store.select import dates, narrowing, positions, quantities, references, texts
from fhir_bridge.store.select.driving import conjuncts, driver_of, is_posted, merged, names_few
from fhir_bridge.store.select.postings import hashes, posted
from fhir_bridge.store.select.presence import present
from fhir_bridge.store.select.scope import At, Scope
from fhir_bridge.store.select.visible import same_patients, visible

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
        own = narrowing.head(self, resource_type, driver)
        if own is not None:
            name = self.name("p")
            at = At(f"{name}.row_id", f"{name}.date", few=True)
            head = f"SELECT {at.row} AS row_id, {at.date} AS date FROM ({own[0]}) {name} WHERE 1=1"
            parameters: list[object] = own[1]
        elif driver is None:
            name = self.name("r")
            at = At(f"{name}.row_id", f"{name}.sort_date")
            head = f"SELECT {at.row} AS row_id, {at.date} AS date FROM resource {name} WHERE {name}.type = ?"
            parameters = [self.numbers[resource_type]]
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
            *(self.test(part, at) for part in parts),
        ]
        seen = self.visible(resource_type, at)
        if seen is not None:
            tests.append(seen)
        text = " AND ".join([head, *_grouped(" AND ", [each[0] for each in tests])])
        return text, [*parameters, *(value for each in tests for value in each[1])]

    def live(self, row: str) -> Sql:
        """A condition that the row is a current version (at the pinned time)."""
        return self._live(At(row, "0"))

    def visible(self, resource_type: str, at: At) -> Sql | None:
        """A condition that a row of the type is within the rights; None where every row is.

        Its own names begin with other letters than those of the rows it is asked of, so that it may
        be kept and used again beside other names.
        """
        kept = self.rights.access.predicates
        if kept is None:
            return visible(self, self.test, resource_type, at)
        key = (resource_type, self.rights.interaction, at.row, at.date, bool(self.main_dates))
        if key not in kept:
            kept[key] = visible(self, self.test, resource_type, at)
        found: Sql | None = kept[key]
        return found

    def of_same_patients(self, resource_type: str, row: str) -> Sql | None:
        """A condition that an old version is itself of those whom the rights name; None: not asked."""
        return same_patients(self, self.test, resource_type, row)

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

    def test(self, condition: conditions.Condition, at: At) -> Sql:
        """A condition on the row that `at` names."""
        if is_posted(condition):
            return posted(self, condition, at)
        match condition:
            case conditions.AllOf(parts):
                return self._joined(" AND ", "1=1", parts, at)
            case conditions.AnyOf(parts):
                return self._joined(" OR ", "1=0", merged(parts), at)
            case conditions.Not(inner):
                text, parameters = self.test(inner, at)
                return f"({text}) IS NOT TRUE", parameters  # a look-up that finds no row is null
            case conditions.Ids():
                return references.ids(self, condition, at)
            case conditions.Updated():
                return dates.updated(self, condition, at)
            case conditions.Content():
                return texts.content(self, condition, at)
            case conditions.Chain():
                return references.chain(self, condition, at, self._candidates)
            case conditions.Has():
                return references.has(self, condition, at, self._candidates)
            case conditions.OnList(list_id):
                on = conditions.Has("List", "List.item", conditions.Ids("List", (list_id,)))
                return self.test(on, at)
            case _:
                return self._valued(condition, at)

    def _valued(self, condition: conditions.Condition, at: At) -> Sql:
        """What a value table says of the row, by the row itself where its values are at hand."""
        if isinstance(condition, conditions.Between):
            found = dates.of_row(self, condition, at)
            if found is not None:
                return found
        text, parameters = self._rows(condition)
        return f"{at.row} IN ({text})", parameters

    def _joined(self, word: str, empty: str, parts: Sequence[conditions.Condition], at: At) -> Sql:
        tests = [self.test(part, at) for part in parts]
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
