"""Descriptions and mentions of one thing: the same result in whatever order they come."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from fhir_bridge.ingest.mention import MENTIONED, describe, mention

VISIT: dict[str, Any] = {"resourceType": "Encounter", "id": "e"}
ADMITTED = VISIT | {"status": "in-progress", "class": {"code": "IMP"}, "period": {"start": "2026"}}
DISCHARGED = ADMITTED | {"status": "finished", "period": {"start": "2026", "end": "2027"}}
RESULT = VISIT | {"status": "in-progress", "period": {"start": "2026"}, "type": [{"text": "a"}]}


def _said(*steps: tuple[Any, dict[str, Any]]) -> dict[str, Any]:
    present: dict[str, Any] | None = None
    for speak, stated in steps:
        present = speak(stated | {"meta": {"source": speak.__name__}}, present)
    assert present is not None
    return present


@pytest.mark.parametrize("places", list(permutations([0, 1, 2]))[:3])
def test_a_mention_changes_nothing_of_a_description(places: tuple[int, ...]) -> None:
    """Before, between or after two descriptions: the visit is finished, its type is known."""
    steps = [(describe, ADMITTED), (describe, DISCHARGED)]
    steps.insert(places[0], (mention, RESULT))
    visit = _said(*steps)
    extension = [{"url": MENTIONED, "valueString": "type"}]

    assert visit.pop("meta") == {"source": "describe", "extension": extension}
    assert visit == DISCHARGED | {"type": [{"text": "a"}]}


def test_the_latest_mention_counts_among_mentions() -> None:
    """Without a description the visit goes on with each mention and loses nothing."""
    visit = _said((mention, RESULT), (mention, VISIT | {"status": "finished"}))

    assert (visit["status"], visit["type"]) == ("finished", [{"text": "a"}])
    assert visit["meta"]["source"] == "mention"


def test_a_mention_may_take_back_what_only_it_said() -> None:
    """Its own element is replaced, also beside a description."""
    later = VISIT | {"type": [{"text": "b"}], "status": "unknown"}
    visit = _said((describe, ADMITTED), (mention, RESULT), (mention, later))

    assert (visit["status"], visit["type"]) == ("in-progress", [{"text": "b"}])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_choice_element_is_one_element(order: tuple[int, ...]) -> None:
    """A mentioned onset in words never stands beside a described date."""
    disease = {"resourceType": "Condition", "id": "c"}
    steps = [
        (describe, disease | {"onsetDateTime": "2019"}),
        (mention, disease | {"onsetString": "年轻时", "_recordedDate": {"id": "x"}}),
    ]
    condition = _said(*(steps[number] for number in order))

    assert "onsetString" not in condition
    assert (condition["onsetDateTime"], condition["_recordedDate"]) == ("2019", {"id": "x"})
