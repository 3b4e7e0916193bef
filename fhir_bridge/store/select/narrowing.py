"""Where a search of somebody who may see few patients begins: with what is theirs.

Only a hint: what it finds is a little more than may be seen, and the predicate of access
(`visible`) is asked of each row all the same.  So a person's search costs what the person has, and
not what the record has.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Iterable

from fhir_bridge.access import Rule
from fhir_bridge.database import Sql
from fhir_bridge.search.hashing import VALUE_BITS, VALUE_MASK, posting, resource_key
from fhir_bridge.store.select.driving import Postings, names_few
from fhir_bridge.store.select.scope import Scope

__all__ = ["head"]

_MAX_PATIENTS = 20
"""Patients of whom everything is looked through; of more a search begins as everybody's does."""


def head(scope: Scope, resource_type: str, driver: Postings | None) -> Sql | None:
    """``SELECT row_id, date`` of all rows of the type that are of the few patients whom the rights name.

    None where the rights are wider, and where `driver` narrows as much.
    """
    if driver is not None and names_few(driver):
        return None
    limits = scope.rights.of(resource_type)
    if not limits or any(limit.patients is None for limit in limits):
        return None
    patients = sorted(frozenset[str]().union(*(limit.patients or () for limit in limits)))
    return _theirs(scope, resource_type, patients, ()) if len(patients) <= _MAX_PATIENTS else None


def _theirs(
    scope: Scope, resource_type: str, patients: list[str], through: tuple[str, ...]
) -> Sql | None:
    """The rows of the type that name the patients, and those that rules bring to them."""
    rules = scope.rights.rules(resource_type)
    parts = _naming(scope, [resource_type], patients)
    if resource_type == "Patient":
        keys = [resource_key("Patient", each) for each in patients]
        where, parameters = scope.session.among("k.key", keys)
        parts.append(
            (f"SELECT k.row_id, k.sort_date AS date FROM resource k WHERE {where}", parameters)
        )
    for rule in rules if resource_type not in through else ():
        if not rule.by:
            parts += _linked(scope, rule, patients, (*through, resource_type))
    if not parts:
        return None
    text = " UNION ".join(each[0] for each in parts)
    return text, [value for each in parts for value in each[1]]


def _naming(scope: Scope, types: Iterable[str], patients: list[str]) -> list[Sql]:
    """The rows of the types that name one of the patients so that they are theirs; none or one."""
    registry = scope.rights.registry
    symbols: set[str] = set()
    for each in types:
        own = (rule.by for rule in scope.rights.rules(each) if rule.by)
        for code in (*registry.compartment(each), *own):
            symbols.update(registry.indexes(each, code))
    hashes = [
        posting(scope.numbers[symbol], f"Patient/{each}")
        for symbol in sorted(symbols)
        for each in patients
    ]
    if not hashes:
        return []
    where, parameters = scope.session.among("p.hash", hashes)
    distinct = "DISTINCT " if len(hashes) > 1 else ""
    return [(f"SELECT {distinct}p.row_id, p.date FROM posting p WHERE {where}", parameters)]


def _linked(scope: Scope, rule: Rule, patients: list[str], through: tuple[str, ...]) -> list[Sql]:
    """The rows that a rule brings through another resource; none or one."""
    numbers, registry = scope.numbers, scope.rights.registry
    other = rule.referrer[0] or rule.of
    if other:
        theirs = _theirs(scope, other, patients, through)
        inner = [theirs] if theirs is not None else []
    else:
        inner = _naming(scope, registry.settings.resource_types, patients)
    if not inner:
        return []
    (text, values) = inner[0]
    o, k, q = scope.name("o"), scope.name("k"), scope.name("q")
    if rule.referrer[0]:
        tables = (
            f"({text}) {o} JOIN reference {q} ON {q}.row_id = {o}.row_id"
            f" JOIN resource {k} ON {k}.key = {q}.target AND {k}.type = ?"
        )
        sql = f"SELECT {k}.row_id, {k}.sort_date AS date FROM {tables}"
        return [(sql, [*values, numbers[rule.resource_type]])]
    indexes = registry.indexes(rule.resource_type, rule.through)
    bases = [numbers[each] << VALUE_BITS for each in indexes]
    places = ", ".join(f"? + ({k}.key & ?)" for _ in bases)
    tables = (
        f"({text}) {o} JOIN resource {k} ON {k}.row_id = {o}.row_id"
        f" JOIN posting {q} ON {q}.hash IN ({places})"
    )
    masked = [value for base in bases for value in (base, VALUE_MASK)]
    return [(f"SELECT {q}.row_id, {q}.date FROM {tables}", [*values, *masked])]
