"""Rows that are found already: which of them the caller may see.

A current row is seen when the predicate of access holds of it.  An old version is seen when it holds
of the newest version of the resource, and the version itself was of the same patients: what was put
right since is not shown to whom it never should have been.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Iterable

from fhir_bridge.database import Sql
from fhir_bridge.store.records import Stored
from fhir_bridge.store.select import At, Selector, any_of

__all__ = ["seen_version", "seen_versions", "visible_rows", "visible_versions"]

_ROW = At("r.row_id", "r.sort_date")


def visible_rows(selector: Selector, rows: Iterable[Stored]) -> list[Stored]:
    """Those of `rows`, current versions, that the caller may see."""
    return _kept(selector, list(rows), current=True)


def visible_versions(selector: Selector, rows: Iterable[Stored]) -> list[Stored]:
    """The same of any versions."""
    return _kept(selector, list(rows), current=False)


def _kept(selector: Selector, rows: list[Stored], *, current: bool) -> list[Stored]:
    by_type: dict[str, list[int]] = {}
    for each in rows:
        by_type.setdefault(each.resource_type, []).append(each.row_id)
    hidden: set[int] = set()
    for resource_type, numbers in by_type.items():
        test = (
            selector.visible(resource_type, _ROW)
            if current
            else seen_version(selector, resource_type)
        )
        if test is None:
            continue
        with selector.naming() as written:
            among, listed = selector.session.among("r.row_id", numbers)
            sql = f"SELECT r.row_id FROM resource r WHERE {among} AND {test[0]}"
            seen = selector.session.all(*written((sql, [*listed, *test[1]])))
        hidden.update(set(numbers).difference(row[0] for row in seen))
    return [each for each in rows if each.row_id not in hidden]


def seen_version(selector: Selector, resource_type: str) -> Sql | None:
    """A condition that the version ``r``, of this type, may be seen; None where every one may."""
    name = selector.name("j")
    newest = selector.visible(resource_type, At(f"{name}.row_id", f"{name}.sort_date"))
    if newest is None:
        return None
    text, parameters = newest
    text = (
        f"EXISTS (SELECT 1 FROM resource {name} WHERE {name}.key = r.key AND {name}.version ="
        f" (SELECT max(v.version) FROM resource v WHERE v.key = r.key) AND {text})"
    )
    own = selector.of_same_patients(resource_type, "r.row_id")
    return (text, parameters) if own is None else (f"{text} AND {own[0]}", [*parameters, *own[1]])


def seen_versions(selector: Selector, types: dict[int, str]) -> Sql | None:
    """A condition that the version ``r``, of any of the types, may be seen; None where every one may.

    Types with the same rights share one test.
    """
    alike: dict[object, list[int]] = {}
    for number, resource_type in types.items():
        limits = selector.rights.of(resource_type)
        if limits == ():
            continue
        rules = selector.rights.rules(resource_type)
        is_own = rules or any(each.only or each.never for each in limits or ())
        alike.setdefault(resource_type if limits and is_own else limits, []).append(number)
    if list(alike) == [None] and len(alike[None]) == len(types):
        return None
    ways: list[Sql] = []
    for numbers in alike.values():
        among = f"r.type IN ({','.join('?' * len(numbers))})"
        test = seen_version(selector, types[numbers[0]])
        ways.append(
            (among, [*numbers])
            if test is None
            else (f"{among} AND {test[0]}", [*numbers, *test[1]])
        )
    return any_of(ways)
