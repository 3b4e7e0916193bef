"""Plain paths give what FHIRPath gives, on every published example and parameter."""

from __future__ import annotations

from pathlib import Path

from fhir_bridge import fhirpath
from fhir_bridge.fhir import parse_json_lines, render_json
from fhir_bridge.search import Registry
from fhir_bridge.search.paths import plain_paths, walk
from fhir_bridge.search.types import target_type

_EXAMPLES_OF_A_TYPE = 8


def test_plain_paths_answer_as_fhirpath_does(registry: Registry, shared: Path) -> None:
    """Values are the same set for every expression that is walked directly."""
    environment = fhirpath.Environment(
        resolve=lambda text: {"resourceType": target_type(text)} if target_type(text) else None
    )
    compared, differing = 0, []
    for file in sorted((shared / "conformance" / "examples" / "r4").glob("*.ndjson")):
        resource_type = file.stem
        if resource_type not in registry.definitions.resource_types:
            continue
        lines = file.read_bytes().split(b"\n")[:_EXAMPLES_OF_A_TYPE]
        for resource in parse_json_lines(b"\n".join(lines)):
            for code, parameter in registry.parameters(resource_type).items():
                paths = plain_paths(registry.definitions, resource_type, parameter.expression)
                if paths is None or not parameter.expression or parameter.type == "composite":
                    continue
                walked = {
                    _text(each)
                    for path in paths
                    for _, each in walk(path)(resource)
                    if not _is_contained(each)
                }
                evaluate = fhirpath.compile(
                    parameter.expression,
                    definitions=registry.definitions,
                    root_type=resource_type,
                )
                values = evaluate(resource, environment=environment)
                expected = {_text(each) for each in values if not _is_contained(each)}
                compared += bool(expected)
                if walked != expected:
                    differing.append((resource_type, resource.get("id"), code))
    assert not differing, differing[:5]
    assert compared > 1_000


def test_what_is_more_than_a_path_is_left_to_fhirpath(registry: Registry) -> None:
    """Conditions in the middle, functions and unknown names are not guessed."""
    for expression in (
        "Patient.deceased.exists() and Patient.deceased != false",
        "Bundle.entry[0].resource",
        "Patient.contact.where(gender='male').name",
        "Patient.unknown",
    ):
        assert plain_paths(registry.definitions, "Patient", expression) is None


def test_a_path_on_another_type_leads_nowhere(registry: Registry) -> None:
    """A parameter of several types is walked for each type by its own part."""
    paths = plain_paths(registry.definitions, "Patient", "Person.name | Patient.name | name.given")
    assert paths is not None
    assert [path.keys for path in paths] == [("name",), ("name", "given")]


def _is_contained(value: object) -> bool:
    """FHIRPath resolves a contained resource, which no search by reference asks for."""
    return isinstance(value, dict) and str(value.get("reference", "")).startswith("#")


def _text(value: object) -> bytes:
    return render_json(value)
