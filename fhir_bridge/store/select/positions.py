"""Positions within a distance of a point.

https://hl7.org/fhir/R4/location.html#positional; the coordinates are those of
`fhir_bridge.search.types.near`.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from fhir_bridge.database import Sql
from fhir_bridge.search import conditions
from fhir_bridge.search.types.near import AXES
from fhir_bridge.store.select.scope import Scope

__all__ = ["near"]


def near(scope: Scope, condition: conditions.Near) -> Sql:
    """A box around the point by the index, then the exact distance."""
    keys = [scope.key(condition.symbol, axis) for axis in AXES]
    boxes, parameters = [], []
    for name, key, middle in zip("abc", keys, condition.point, strict=True):
        boxes.append(f"{name}.key = ? AND {name}.low BETWEEN ? AND ?")
        parameters += [key, middle - condition.chord, middle + condition.chord]
    squares = " + ".join(f"({name}.low - ?) * ({name}.low - ?)" for name in "abc")
    twice = [middle for middle in condition.point for _ in (0, 1)]
    return (
        (
            "SELECT a.row_id FROM quantity_value a"
            " JOIN quantity_value b ON b.row_id = a.row_id JOIN quantity_value c ON c.row_id = a.row_id"
            f" WHERE {' AND '.join(boxes)} AND {squares} <= ?"
        ),
        [*parameters, *twice, condition.chord**2],
    )
