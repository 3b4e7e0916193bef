"""Locations near a point: by distance on the sphere, on both databases."""

from __future__ import annotations

import math
import random

from fhir_bridge.search.types.near import RADIUS
from fhir_bridge.store import Store
from tests.store.asking import ids


def _location(id_: str, latitude: float, longitude: float) -> dict[str, object]:
    position = {"latitude": latitude, "longitude": longitude}
    return {"resourceType": "Location", "id": id_, "position": position}


def _haversine(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Kilometres between two points in degrees."""
    (a, b), (c, d) = [tuple(map(math.radians, each)) for each in (one, other)]
    half = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * RADIUS / 1000 * math.asin(math.sqrt(half))


def test_places_within_a_distance_are_those_of_the_haversine_formula(store: Store) -> None:
    """Also across the date line and round a pole."""
    chance = random.Random(7)
    centres = [(39.13, 117.2), (0.0, 179.99), (89.9, 10.0), (-90.0, 0.0)]
    places = {
        f"p{number}": (
            max(-90.0, min(90.0, centre[0] + chance.uniform(-3, 3))),
            (centre[1] + chance.uniform(-4, 4) + 180) % 360 - 180,
        )
        for number, centre in enumerate(centres * 40)
    }
    with store.transaction() as tx:
        tx.put_many([_location(id_, *place) for id_, place in places.items()])
    for latitude, longitude in centres:
        for distance in (1, 20, 150, 400):
            near = f"near={latitude}|{longitude}|{distance}|km&_count=1000"
            expected = {
                id_
                for id_, place in places.items()
                if _haversine((latitude, longitude), place) <= distance
            }
            assert set(ids(store, "Location", near)) == expected


def test_a_distance_has_a_unit_and_a_default(store: Store) -> None:
    """US miles by their UCUM code; without a unit kilometres, without a distance 50 of them."""
    with store.transaction() as tx:
        tx.put_many(
            [
                _location("here", 39.0, 117.0),
                _location("north", 39.05, 117.0),  # 5.56 km
                _location("far", 40.0, 117.0),  # 111 km
                {"resourceType": "Location", "id": "nowhere", "name": "x"},
            ]
        )
    assert ids(store, "Location", "near=39|117|0|km") == ["here"]
    assert ids(store, "Location", "near=39|117|5") == ["here"]
    assert sorted(ids(store, "Location", "near=39|117|6")) == ["here", "north"]
    assert sorted(ids(store, "Location", "near=39|117|5|[mi_us]")) == ["here", "north"]
    assert sorted(ids(store, "Location", "near=39|117")) == ["here", "north"]
    assert sorted(ids(store, "Location", "near=39|117|6,40|117|1")) == ["far", "here", "north"]
    assert ids(store, "Location", "near:missing=true") == ["nowhere"]
    assert len(ids(store, "Location", "near=39|117|30000|km")) == 3
