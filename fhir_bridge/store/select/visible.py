"""The one predicate of access: whether a row may be seen, as SQL beside whatever else is asked of it.

What is of a patient: the resource is a member of the compartment
(https://hl7.org/fhir/R4/compartmentdefinition-patient.html; the index says so, also of old
versions), or a rule of `fhir_bridge.access.Compartment` brings it there.  Whoever else the rights
hang on (an agreement, a team, a task) is looked up as it is now, whatever time a page shows.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fhir_bridge.access import Limit, Related, Rule
from fhir_bridge.database import Sql
from fhir_bridge.search import conditions
from fhir_bridge.search.hashing import VALUE_BITS, VALUE_MASK, resource_key
from fhir_bridge.store.select.scope import At, Scope

__all__ = ["any_of", "same_patients", "visible"]

Test = Callable[[conditions.Condition, At], Sql]
"""A condition of a search on a row: `Selector.test`."""

_NEVER: Sql = ("1=0", [])
_ALWAYS: Sql = ("1=1", [])


def visible(scope: Scope, test: Test, resource_type: str, at: At) -> Sql | None:
    """The row, of this type, is within the rights; None where every row is."""
    limits = scope.rights.of(resource_type)
    if limits is None:
        return None
    return any_of([_Within(scope, test, limit).holds(resource_type, at) for limit in limits])


def same_patients(scope: Scope, test: Test, resource_type: str, row: str) -> Sql | None:
    """An old version names one of the patients itself; None where that is not asked.

    Rules beyond the compartment look at values that old versions have no index of.
    """
    limits = scope.rights.of(resource_type) or ()
    if scope.rights.rules(resource_type):
        return None
    if not all(each.is_of_patients for each in limits):
        return None
    return any_of([_Within(scope, test, each).is_member(row) for each in limits])


@dataclass(frozen=True, slots=True)
class _Way:
    """A way from a row to somebody: tables to go through, what holds on the way, whose key is at its end.

    Ways are written as joins in their order and not as queries within queries, of which a
    database parses only so many (SQLite: a stack of 100).
    """

    tables: tuple[str, ...]
    tests: tuple[Sql, ...]
    end: str

    def further(self, tables: Sequence[str], tests: Sequence[Sql], end: str = "") -> _Way:
        """The way goes on."""
        return _Way((*self.tables, *tables), (*self.tests, *tests), end or self.end)

    @property
    def exists(self) -> Sql:
        """It leads somewhere."""
        text = " AND ".join(each[0] for each in self.tests)
        values = [value for each in self.tests for value in each[1]]
        return f"EXISTS (SELECT 1 FROM {' CROSS JOIN '.join(self.tables)} WHERE {text})", values


@dataclass(frozen=True, slots=True)
class _Within:
    """What a row satisfies that is within one limit of the rights."""

    scope: Scope
    test: Test
    limit: Limit

    def holds(self, resource_type: str, at: At) -> Sql:
        """The row satisfies every part of the limit."""
        limit, condition = self.limit, self.scope.rights.condition
        tests: list[Sql] = []
        if limit.is_of_patients:
            tests.append(self._leads(self._ways(resource_type, at, ())))
        tests += [self.test(condition(resource_type, query), at) for query in limit.only]
        for query in limit.never:
            text, parameters = self.test(condition(resource_type, query), at)
            tests.append((f"({text}) IS NOT TRUE", parameters))
        return _all_of(tests)

    def is_member(self, row: str) -> Sql:
        """The row names one of the patients in such a way that it is in the compartment."""
        return self._leads([self._member(row)])

    def _leads(self, ways: Sequence[_Way]) -> Sql:
        """One of the ways ends at one of the patients."""
        limit = self.limit
        if limit.patients is not None:
            if not limit.patients:
                return _NEVER
            keys = [resource_key("Patient", each) for each in sorted(limit.patients)]
            ways = [each.further((), [self.scope.session.among(each.end, keys)]) for each in ways]
        if limit.related is not None:
            ways = [self._referred(each, related) for each in ways for related in limit.related]
        return any_of([each.exists for each in ways])

    def _referred(self, way: _Way, related: Related) -> _Way:
        """The way, when a current resource names its end and satisfies what is asked of it."""
        name = self.scope.name("n")
        at = At(f"{name}.row_id", f"{name}.date")
        posted = _posted(self.scope, (related.resource_type, related.by), name, way.end)
        tests = [posted, _current(at.row)]
        if related.query:
            condition = self.scope.rights.condition(related.resource_type, related.query)
            tests.append(self.test(condition, at))
        if related.of is None:
            return way.further([f"posting {name}"], tests)
        outer = self.scope.name("o")
        tests.append((f"{outer}.row_id = {at.row}", []))
        tables = [f"posting {name}", f"resource {outer}"]
        return self._referred(way.further(tables, tests, f"{outer}.key"), related.of)

    def _ways(self, resource_type: str, at: At, through: tuple[str, ...]) -> list[_Way]:
        """All ways to a patient; `through` are the types of the rules that led here."""
        ways = [self._member(at.row)]
        if resource_type not in through:
            for rule in self.scope.rights.rules(resource_type):
                ways += self._by_rule(rule, at, (*through, resource_type))
        return ways

    def _member(self, row: str) -> _Way:
        """In the compartment: the index says whose."""
        name = self.scope.name("m")
        test = (f"{name}.row_id = {row} AND {name}.member = 1", list[object]())
        return _Way((f"reference {name}",), (test,), f"{name}.target")

    def _by_rule(self, rule: Rule, at: At, through: tuple[str, ...]) -> list[_Way]:
        """By a rule beyond the compartment."""
        name, value = self.scope.name("f"), self.scope.name("v")
        if rule.referrer[0]:
            other = At(f"{value}.row_id", f"{value}.date")
            way = _Way(
                (f"resource {name}", f"posting {value}"),
                (
                    (f"{name}.row_id = {at.row}", []),
                    _posted(self.scope, rule.referrer, value, f"{name}.key"),
                    _current(other.row),
                ),
                "",
            )
            return self._joined(way, self._ways(rule.referrer[0], other, through))
        named = (rule.resource_type, rule.by or rule.through)
        way = _Way(
            (f"reference {name}", f"posting {value}"),
            (
                (f"{name}.row_id = {at.row}", []),
                _posted(self.scope, named, value, f"{name}.target"),
                (f"{value}.date = {at.date} AND {value}.row_id = {name}.row_id", []),
            ),
            f"{name}.target",
        )
        if rule.by:
            return [way]
        outer = self.scope.name("o")
        other = At(f"{outer}.row_id", f"{outer}.sort_date")
        tests = [(f"{outer}.key = {name}.target", list[object]()), _current(other.row)]
        if not rule.of:
            return self._joined(
                way.further([f"resource {outer}"], tests), [self._member(other.row)]
            )
        tests.append((f"{outer}.type = ?", [self.scope.numbers[rule.of]]))
        way = way.further([f"resource {outer}"], tests)
        return self._joined(way, self._ways(rule.of, other, through))

    def _joined(self, way: _Way, ways: Sequence[_Way]) -> list[_Way]:
        return [way.further(each.tables, each.tests, each.end) for each in ways]


def _posted(scope: Scope, named: tuple[str, str], posting: str, target: str) -> Sql:
    """A posting says that a resource (type, parameter) names the one with the key `target`."""
    symbols = scope.rights.registry.indexes(*named)
    places = ", ".join(f"? + ({target} & ?)" for _ in symbols)
    bases = [scope.numbers[symbol] << VALUE_BITS for symbol in symbols]
    return f"{posting}.hash IN ({places})", [each for base in bases for each in (base, VALUE_MASK)]


def _current(row: str) -> Sql:
    return f"NOT EXISTS (SELECT 1 FROM superseded s WHERE s.row_id = {row})", []


def any_of(alternatives: Sequence[Sql]) -> Sql:
    """At least one holds (none: never)."""
    return _joined(" OR ", alternatives) if alternatives else _NEVER


def _all_of(tests: Sequence[Sql]) -> Sql:
    return _joined(" AND ", tests) if tests else _ALWAYS


def _joined(word: str, tests: Sequence[Sql]) -> Sql:
    if len(tests) == 1:
        return tests[0]
    text = word.join(each[0] for each in tests)
    return f"({text})", [value for each in tests for value in each[1]]
