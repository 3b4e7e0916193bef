"""Concept maps: equivalences, unmapped modes, shapes of R4 and R5."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.terminology import ConceptMaps, Translation

URL = "http://example.org/ConceptMap/sex"


def concept_map(*, unmapped: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A map of two codes, with what the test adds."""
    group: dict[str, Any] = {
        "source": "urn:a",
        "target": "urn:b",
        "element": [
            {"code": "1", "target": [{"code": "male", "equivalence": "equivalent"}]},
            {
                "code": "2",
                "target": [
                    {"code": "wide", "equivalence": "wider"},
                    {"code": "female", "display": "Female", "equivalence": "equal"},
                ],
            },
            {"code": "3", "target": [{"equivalence": "unmatched"}]},
        ],
    }
    if unmapped:
        group["unmapped"] = unmapped
    return {"resourceType": "ConceptMap", "id": "sex", "url": URL, "group": [group], **more}


def test_the_closest_equivalence_wins_whatever_its_place() -> None:
    """An equal target is preferred to a wider one that is listed before it."""
    maps = ConceptMaps([concept_map()])
    assert maps.translate(URL, "urn:a", "2") == Translation("urn:b", "female", "Female", "equal")


def test_a_code_without_mapping_gives_none() -> None:
    """Nothing is invented for a code that the map does not know."""
    assert ConceptMaps([concept_map()]).translate(URL, "urn:a", "9") is None


def test_a_code_of_another_system_is_not_mapped() -> None:
    """A group speaks of its own source system only."""
    assert ConceptMaps([concept_map()]).translate(URL, "urn:other", "1") is None


def test_without_a_system_every_group_is_asked() -> None:
    """A bare code of HL7 v2 or a table finds its group."""
    found = ConceptMaps([concept_map()]).translate(URL, "", "1")
    assert found is not None
    assert found.code == "male"


def test_provided_passes_the_code_on() -> None:
    """The unmapped mode ``provided`` keeps the source code, in the target system."""
    maps = ConceptMaps([concept_map(unmapped={"mode": "provided"})])
    assert maps.translate(URL, "", "9") == Translation("urn:b", "9")


def test_fixed_gives_its_code() -> None:
    """The unmapped mode ``fixed`` gives one code for the rest."""
    maps = ConceptMaps([concept_map(unmapped={"mode": "fixed", "code": "other"})])
    found = maps.translate(URL, "", "9")
    assert found is not None
    assert found.code == "other"


def test_unmapped_modes_do_not_touch_a_code_that_is_said_to_have_no_counterpart() -> None:
    """An unmatched code stays unmapped although the group passes the rest on."""
    maps = ConceptMaps([concept_map(unmapped={"mode": "provided"})])
    assert maps.translate(URL, "", "3") is None


def test_other_map_is_asked() -> None:
    """The unmapped mode ``other-map`` goes on in the map that it names."""
    other = concept_map(url="http://example.org/other", id="other")
    other["group"][0]["element"] = [{"code": "9", "target": [{"code": "nine"}]}]
    first = concept_map(unmapped={"mode": "other-map", "url": "http://example.org/other"})
    found = ConceptMaps([first, other]).translate(URL, "urn:a", "9")
    assert found is not None
    assert found.code == "nine"


def test_maps_that_point_at_one_another_end() -> None:
    """A circle of other-map is refused instead of followed for ever."""
    circle = concept_map(unmapped={"mode": "other-map", "url": URL})
    with pytest.raises(BridgeError, match="FB-2202"):
        ConceptMaps([circle]).translate(URL, "", "9")


def test_a_map_is_found_by_version_and_by_id() -> None:
    """``url|version``, an unknown version of a known URL, and the id all lead to it."""
    maps = ConceptMaps([concept_map(version="2")])
    for name in (f"{URL}|2", f"{URL}|1", "sex"):
        assert maps.translate(name, "", "1") is not None


def test_an_unknown_map_is_named() -> None:
    """The error says which map is missing."""
    with pytest.raises(BridgeError, match=r"http://example\.org/none"):
        ConceptMaps().translate("http://example.org/none", "", "1")


def test_a_map_that_is_none_is_refused() -> None:
    """A group that is no object is FB-2203, not a Python error."""
    with pytest.raises(BridgeError, match="FB-2203"):
        ConceptMaps([{"resourceType": "ConceptMap", "url": URL, "group": ["no"]}])


def test_the_r5_shape_is_read() -> None:
    """``relationship`` and ``use-source-code`` are what R5 calls the same things."""
    resource = concept_map(unmapped={"mode": "use-source-code"})
    resource["group"][0]["element"] = [
        {"code": "1", "target": [{"code": "x", "relationship": "not-related-to"}]},
        {"code": "2", "target": [{"code": "y", "relationship": "equivalent"}]},
    ]
    maps = ConceptMaps([resource])
    assert maps.translate(URL, "", "1") is None
    assert maps.translate(URL, "", "2") == Translation("urn:b", "y")
    assert maps.translate(URL, "", "8") == Translation("urn:b", "8")
