"""Numbers with more digits than a double holds are found by themselves, not by their neighbours.

https://hl7.org/fhir/R4/search.html#quantity; on both databases.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_bridge.search import Registry, parse_search, plan
from fhir_bridge.store import Store

NUMBERS = (
    "9007199254740992",
    "9007199254740993",
    "-9007199254740993",
    "0.12345678901234567",
    "5.40",
)


@pytest.fixture
def filled(store: Store) -> Store:
    """An Observation of each number, its id the place in the list."""
    with store.transaction() as transaction:
        transaction.put_many(
            {
                "resourceType": "Observation",
                "id": f"n{place}",
                "status": "final",
                "code": {"text": "x"},
                "valueQuantity": {
                    "value": Decimal(text),
                    "system": "http://unitsofmeasure.org",
                    "code": "g",
                },
            }
            for place, text in enumerate(NUMBERS)
        )
    return store


@pytest.mark.parametrize("unit", ["", "|http://unitsofmeasure.org|g", "||g"])
@pytest.mark.parametrize("place", range(len(NUMBERS)))
def test_a_number_is_found_by_its_own_digits(
    filled: Store, registry: Registry, place: int, unit: str
) -> None:
    """Also with a unit, and also one that differs in the last digit only."""
    pairs = [("value-quantity", f"{NUMBERS[place]}{unit}")]
    page = filled.find(plan(parse_search("Observation", pairs, registry), registry))

    assert [match.id for match in page.matches] == [f"n{place}"]


@pytest.mark.parametrize("asked", ["5.4000000000000000000", "5.40", "5.4"])
def test_more_zeros_than_a_double_tells_apart_find_the_number(
    filled: Store, registry: Registry, asked: str
) -> None:
    """A window narrower than the distance of two doubles still holds its middle."""
    pairs = [("value-quantity", asked)]
    page = filled.find(plan(parse_search("Observation", pairs, registry), registry))

    assert [match.id for match in page.matches] == ["n4"]
