"""Locations near a point: ``near=latitude|longitude|distance|units``.

https://hl7.org/fhir/R4/location.html#positional.  A position is indexed as the point of the
unit sphere (x, y, z), so that "within a distance" is the length of a chord: the same answer as
the haversine formula gives, by multiplication alone, without a seam at the date line or the
poles.  The Earth is taken as a sphere of 6,371.0088 km (the mean radius of IUGG), which is off by
at most 0.6 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from fhir_bridge import ucum
from fhir_bridge.search.composite import context_key
from fhir_bridge.search.conditions import Near
from fhir_bridge.search.quantity import double
from fhir_bridge.search.rows import IndexRows

__all__ = ["AXES", "DEFAULT_DISTANCE", "EXPECTED", "extract", "near", "unit_vector"]

RADIUS = 6_371_008.8
"""Metres."""

DEFAULT_DISTANCE = Decimal(50)
"""Kilometres, when a search names no distance."""

EXPECTED = "latitude|longitude|distance|unit such as 39.13|117.2|5|km (a UCUM unit of length)"

AXES = ("x", "y", "z")
"""The contexts under which the three coordinates stand among the numbers."""


def unit_vector(latitude: float, longitude: float) -> tuple[float, float, float]:
    """The point of the unit sphere at degrees north and east."""
    north, east = math.radians(latitude), math.radians(longitude)
    return (
        math.cos(north) * math.cos(east),
        math.cos(north) * math.sin(east),
        math.sin(north),
    )


def extract(values: Iterable[tuple[str, Any]], number: int, rows: IndexRows) -> None:
    """Adds the three coordinates of a Location's position."""
    for _, value in values:
        point = _degrees(value.get("latitude"), value.get("longitude")) if value else None
        if point:
            for axis, part in zip(AXES, unit_vector(*point), strict=True):
                rows.quantities.add((context_key(number, (axis,)), part, part, 0, 0, 0))


def near(symbol: str, parts: list[str]) -> Near | None:
    """The condition of ``latitude|longitude[|distance[|unit]]``; None when it is not that."""
    if not 2 <= len(parts) <= 4:
        return None
    point = _degrees(_number(parts[0]), _number(parts[1]))
    written = parts[2] if len(parts) > 2 else ""
    unit = parts[3] if len(parts) > 3 else ""
    distance = _number(written) if written else DEFAULT_DISTANCE
    try:
        metres = ucum.canonical(distance, unit or "km") if distance is not None else None
    except ArithmeticError:  # no distance of this world
        return None
    if point is None or metres is None or metres[1] != "m" or metres[0] < 0:
        return None
    angle = min(float(metres[0]) / RADIUS, math.pi)
    return Near(symbol, unit_vector(*point), 2 * math.sin(angle / 2))


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text) if len(text) <= 40 else None
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
