"""Profiles, value sets and code systems by URL."""

from pathlib import Path

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, render_json

OURS = "https://fhir-bridge.org/fhir"


def _system(url: str = "urn:x:s", content: str = "complete") -> Resource:
    return {
        "resourceType": "CodeSystem",
        "url": url,
        "content": content,
        "concept": [{"code": "a", "concept": [{"code": "a1", "concept": [{"code": "a11"}]}]}, {"code": "b"}],
    }  # fmt: skip


def _codes(compose: Resource, *more: Resource) -> dict[str, set[str]] | None:
    value_set = {"resourceType": "ValueSet", "url": "urn:x:v", "compose": compose}
    codes = Profiles([value_set, _system(), *more]).codes("urn:x:v")
    return None if codes is None else {system: set(listed) for system, listed in codes.items()}


def test_a_whole_code_system_is_listed_with_its_children() -> None:
    """An include without concepts takes them all."""
    assert {"urn:x:s": {"a", "a1", "a11", "b"}} == _codes({"include": [{"system": "urn:x:s"}]})


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [("is-a", "a", {"a", "a1", "a11"}), ("descendent-of", "a", {"a1", "a11"}), ("is-not-a", "a1", {"a", "b"}), ("in", "a,b", {"a", "b"}), ("=", "b", {"b"})],
)  # fmt: skip
def test_filters_on_the_hierarchy(operator: str, value: str, expected: set[str]) -> None:
    """The operators of a concept hierarchy."""
    rule = {"property": "concept", "op": operator, "value": value}

    assert {"urn:x:s": expected} == _codes({"include": [{"system": "urn:x:s", "filter": [rule]}]})


def test_excluded_codes_are_taken_away() -> None:
    """Include first, exclude then."""
    compose = {"include": [{"system": "urn:x:s"}], "exclude": [{"system": "urn:x:s", "concept": [{"code": "b"}]}]}  # fmt: skip

    assert {"urn:x:s": {"a", "a1", "a11"}} == _codes(compose)


def test_value_sets_include_each_other() -> None:
    """Other value sets, R4's own among them; a circle cannot be listed."""
    other = {"resourceType": "ValueSet", "url": "urn:x:w", "compose": {"include": [{"system": "urn:x:s", "concept": [{"code": "a"}]}]}}  # fmt: skip
    gender = "http://hl7.org/fhir/ValueSet/administrative-gender"

    assert {"urn:x:s": {"a"}} == _codes({"include": [{"valueSet": ["urn:x:w"]}]}, other)
    assert {"http://hl7.org/fhir/administrative-gender": {"male", "female", "other", "unknown"}} == _codes({"include": [{"valueSet": [gender]}]})  # fmt: skip
    assert _codes({"include": [{"valueSet": ["urn:x:v"]}]}) is None


def test_what_cannot_be_listed_is_none_and_never_empty() -> None:
    """An unknown system or a fragment would refuse codes that are right."""
    assert _codes({"include": [{"system": "http://snomed.info/sct"}]}) is None
    assert _codes({"include": [{"system": "urn:x:f"}]}, _system("urn:x:f", "fragment")) is None


def test_a_url_is_found_with_and_without_version() -> None:
    """Another version than the one that is here is another profile."""
    profile = {"resourceType": "StructureDefinition", "url": "urn:x:p", "version": "1.0"}
    profiles = Profiles([profile])

    assert profile == profiles.structure_definition("urn:x:p")
    assert profile == profiles.structure_definition("urn:x:p|1.0")
    assert profiles.structure_definition("urn:x:p|2.0") is None


def test_our_files_are_found_and_a_site_adds_its_own(tmp_path: Path) -> None:
    """An overlay folder lies over ours."""
    folder = tmp_path / "profiles" / "site"
    folder.mkdir(parents=True)
    own = {"resourceType": "SearchParameter", "url": "urn:x:sp", "code": "x"}
    folder.joinpath("SearchParameter-x.json").write_bytes(render_json(own))

    profiles = Profiles.from_artifacts(Artifacts(tmp_path))

    assert "urn:x:sp" in profiles.search_parameters
    assert f"{OURS}/StructureDefinition/fd-patient" in profiles.structure_definitions
    assert f"{OURS}/StructureDefinition/ethnic-group" in profiles.extensions
    assert (
        "gp" in (profiles.codes(f"{OURS}/ValueSet/team-role") or {})[f"{OURS}/CodeSystem/team-role"]
    )


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    """Whoever keeps the folder must know which file it is."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    folder.joinpath("broken.json").write_text("{")

    with pytest.raises(BridgeError) as caught:
        Profiles.from_artifacts(Artifacts(tmp_path))

    assert caught.value.issues[0].where == "profiles/broken.json"
