"""Locations near a point: ``near=latitude|longitude|distance|units``.

https://hl7.org/fhir/R4/location.html#positional.  A position is indexed as the point of the
unit sphere (x, y, z), so that "within a distance" is the length of a chord: the same answer as
the haversine formula gives, by multiplication alone, without a seam at the date line or the
poles.  The Earth is taken as a sphere of 6,371.0088 km (the mean radius of IUGG), which is off by
at most 0.6 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fhir_bridge import ucum
from fhir_bridge.search import conditions
from fhir_bridge.search.conditions import Condition, Present
from fhir_bridge.search.escaping import Written
from fhir_bridge.search.hashing import context_key
from fhir_bridge.search.rows import IndexRows
from fhir_bridge.search.types.number import double
from fhir_bridge.search.types.search_type import (
    Index,
    Parameter,
    SearchType,
    Slot,
    Typed,
    expected,
    over_indexes,
)

__all__ = ["AXES", "RADIUS", "Near", "NearValue"]

RADIUS = 6_371_008.8
"""Metres."""

_DEFAULT_DISTANCE = Decimal(50)
"""Kilometres, when a search names no distance."""

_FORM = "latitude|longitude|distance|unit such as 39.13|117.2|5|km (a UCUM unit of length)"
_MAX_LENGTH = 40
"""Characters of a number."""

AXES = ("x", "y", "z")
"""The contexts under which the three coordinates stand among the numbers."""


@dataclass(frozen=True, slots=True)
class NearValue:
    """A point of the unit sphere, and how long a chord from it may be."""

    point: tuple[float, float, float]
    chord: float


class Near(SearchType[NearValue]):
    """``near``, the position of a Location."""

    table = "quantities"
    is_comparable = False

    def read(self, parameter: Parameter, modifier: str, written: Written) -> NearValue:
        """``latitude|longitude[|distance[|unit]]``."""
        value = _near(written.fields())
        if value is None:
            raise expected(parameter, _FORM)
        return value

    def match(self, index: Index, value: NearValue) -> Condition:
        """The positions within the distance."""
        return conditions.Near(index.symbol, value.point, value.chord)

    def present(self, parameter: Parameter) -> Condition:
        """There is a first coordinate."""
        return over_indexes(
            parameter, lambda index: Present(index.symbol, self.table, context=AXES[0])
        )

    def extract(
        self, parameter: Parameter, slot: Slot, values: list[Typed], rows: IndexRows
    ) -> None:
        """The three coordinates of a position."""
        for _, value in values:
            point = _degrees(value.get("latitude"), value.get("longitude")) if value else None
            if point:
                for axis, part in zip(AXES, _unit_vector(*point), strict=True):
                    key = context_key(slot.number, (axis,))
                    rows.quantities.add((key, part, part, 0, 0, 0))


def _unit_vector(latitude: float, longitude: float) -> tuple[float, float, float]:
    """The point of the unit sphere at degrees north and east."""
    north, east = math.radians(latitude), math.radians(longitude)
    return (
        math.cos(north) * math.cos(east),
        math.cos(north) * math.sin(east),
        math.sin(north),
    )


def _near(parts: list[str]) -> NearValue | None:
    if not 2 <= len(parts) <= 4:
        return None
    point = _degrees(_number(parts[0]), _number(parts[1]))
    written, unit = (*parts[2:], "", "")[:2]
    distance = _number(written) if written else _DEFAULT_DISTANCE
    try:
        metres = ucum.canonical(distance, unit or "km") if distance is not None else None
    except ArithmeticError:  # no distance of this world
        return None
    if point is None or metres is None or metres[1] != "m" or metres[0] < 0:
        return None
    angle = min(float(metres[0]) / RADIUS, math.pi)
    return NearValue(_unit_vector(*point), 2 * math.sin(angle / 2))


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text) if len(text) <= _MAX_LENGTH else None
    except ArithmeticError:
        return None
    return value if value is not None and value.is_finite() else None


def _degrees(latitude: Any, longitude: Any) -> tuple[float, float] | None:
    given = (latitude, longitude)
    if not all(isinstance(each, int | float | Decimal) for each in given):
        return None
    north, east = double(latitude), double(longitude)
    if not (-90 <= north <= 90 and -180 <= east <= 180):
        return None
    return north, east
