"""Parts of resources, without a server."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import parse_json
from fhir_bridge.interactions import parse_subset

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "o",
    "meta": {"versionId": "1", "tag": [{"code": "a"}]},
    "text": {"status": "generated", "div": "<div/>"},
    "status": "final",
    "_status": {"id": "s"},
    "code": {"text": "x"},
    "note": [{"text": "n"}],
    "valueQuantity": {"value": 1},
    "component": [{"code": {"text": "y"}, "valueString": "z", "referenceRange": [{"text": "r"}]}],
}


def keys(mode: str, elements: str = "") -> set[str]:
    """The properties that stay beside those that always do."""
    subset = parse_subset(mode, elements, "Observation")
    assert subset is not None
    return set(subset.of(OBSERVATION)) - {"resourceType", "id", "meta", "status", "_status", "code"}


def test_each_mode_keeps_its_part() -> None:
    """What is mandatory stays in each of them but data, which loses the narrative alone."""
    assert {"valueQuantity", "component"} == keys("true")
    assert {"text"} == keys("text")
    assert {"note", "valueQuantity", "component"} == keys("data")


def test_elements_are_chosen_by_name_or_by_their_choice() -> None:
    """``value`` means valueQuantity; a type in front is allowed."""
    assert {"valueQuantity"} == keys("", "value")
    assert {"note"} == keys("", "Observation.note")


def test_a_summary_goes_below_nested_types() -> None:
    """A component keeps what is summary in it."""
    subset = parse_subset("true", "", "Observation")
    assert subset is not None
    assert {"code", "valueString"} == subset.of(OBSERVATION)["component"][0].keys()


def test_a_part_says_that_it_is_one() -> None:
    """SUBSETTED stands beside the resource's own tags, and numbers keep their text."""
    subset = parse_subset("", "value", "Observation")
    assert subset is not None
    body = b'{"resourceType":"Observation","meta":{"tag":[{"code":"a"}]},"valueQuantity":{"value":1.50}}'
    part = subset.apply(body)
    assert ["a", "SUBSETTED"] == [tag["code"] for tag in parse_json(part)["meta"]["tag"]]
    assert b"1.50" in part


def test_nothing_asked_is_no_part() -> None:
    """``_summary=false`` and no elements mean whole resources."""
    assert parse_subset("false", "", "Observation") is None
    assert parse_subset("", "", "Observation") is None


@pytest.mark.parametrize(("mode", "elements"), [("some", ""), ("", "nonsense")])
def test_unknown_parts_are_refused(mode: str, elements: str) -> None:
    """FB-4025 names the parameter."""
    with pytest.raises(BridgeError) as raised:
        parse_subset(mode, elements, "Observation")
    assert raised.value.code == "FB-4025"
