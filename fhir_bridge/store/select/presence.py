"""Whether a row holds any value under a parameter.

https://hl7.org/fhir/R4/search.html#modifiers (``:missing``)
"""

from __future__ import annotations

from fhir_bridge.database import Sql
from fhir_bridge.search import conditions
from fhir_bridge.search.hashing import range_key, value_range
from fhir_bridge.store.select.scope import Scope

__all__ = ["present"]


def present(scope: Scope, condition: conditions.Present) -> Sql:
    """Rows with a value in the table of the parameter's type."""
    number, key = scope.numbers[condition.symbol], scope.key(condition.symbol, condition.context)
    match condition.table:
        case "texts":
            return "SELECT row_id FROM string_value WHERE key = ?", [key]
        case "dates":
            return "SELECT row_id FROM date_value WHERE key IN (?, ?)", [key, -key]
        case "quantities":
            return "SELECT row_id FROM quantity_value WHERE key IN (?, ?)", [key, range_key(key)]
        case "postings":
            return "SELECT row_id FROM posting WHERE hash BETWEEN ? AND ?", [*value_range(number)]
