"""Whether a row holds any value under a parameter.

https://hl7.org/fhir/R4/search.html#modifiers (``:missing``)
"""

from __future__ import annotations

from fhir_bridge.database import Sql
from fhir_bridge.search import conditions as asked
from fhir_bridge.search.hashing import range_key, value_range
from fhir_bridge.search.position import AXES
from fhir_bridge.store.select.scope import Scope

__all__ = ["present"]


def present(scope: Scope, condition: asked.Present) -> Sql:
    """Rows with a value in the table of the parameter's type."""
    number = scope.numbers[condition.symbol]
    match condition.kind:
        case "string" if not condition.symbol.endswith("._text"):
            return "SELECT row_id FROM string_value WHERE key = ?", [number]
        case "date":
            return "SELECT row_id FROM date_value WHERE key IN (?, ?)", [number, -number]
        case "number" | "quantity":
            return (
                "SELECT row_id FROM quantity_value WHERE key IN (?, ?)",
                [number, range_key(number)],
            )
        case "special":
            return "SELECT row_id FROM quantity_value WHERE key = ?", [
                scope.key(condition.symbol, AXES[0])
            ]
        case _:
            return "SELECT row_id FROM posting WHERE hash BETWEEN ? AND ?", [*value_range(number)]
