"""Numbers and quantities within bounds, in the unit searched.

https://hl7.org/fhir/R4/search.html#number and #quantity
"""

from __future__ import annotations

from fhir_bridge.database import Sql
from fhir_bridge.search import conditions
from fhir_bridge.search.hashing import exact_key, range_key, text_key
from fhir_bridge.search.types.quantity import in_unit, listed_units
from fhir_bridge.store.select.bounds import bounds
from fhir_bridge.store.select.scope import Scope

__all__ = ["converted", "measured"]


def converted(scope: Scope, condition: conditions.Converted) -> Sql:
    """The same in each unit in use that compares, the one searched always among them."""
    rows = scope.session.all(
        "SELECT value FROM term WHERE number = ?",
        (listed_units(scope.numbers[condition.symbol]),),
    )
    units = dict.fromkeys((condition.code, *(row[0] for row in rows)))
    in_units = [measured(scope, each) for unit in units for each in in_unit(condition, unit)]
    return (
        " UNION ALL ".join(text for text, _ in in_units),
        [value for _, parameters in in_units for value in parameters],
    )


def measured(scope: Scope, condition: conditions.Measured) -> Sql:
    """Points are one number, so that either bound limits both; ranges stand apart."""
    key = scope.key(condition.symbol, condition.context)
    if condition.exact:
        key = exact_key(key, condition.exact)
    starts = [one for one in (condition.low_min, condition.high_min) if one is not None]
    ends = [one for one in (condition.low_max, condition.high_max) if one is not None]
    points, of_points = bounds([("low", max(starts, default=None), min(ends, default=None))])
    ranges, of_ranges = bounds(
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
    return (
        f"{head}{points}{where} UNION ALL {head}{ranges}{where}",
        [key, *of_points, *parameters, range_key(key), *of_ranges, *parameters],
    )
