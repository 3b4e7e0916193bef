"""Maps as StructureMap resources."""

from __future__ import annotations

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import parse_json, render_json
from fhir_bridge.fml import from_structure_map_resource, parse_map, to_structure_map_resource
from tests.fml.test_parse import EVERYTHING


def test_a_resource_reads_back_as_the_same_resource() -> None:
    """Map to resource to map to resource changes nothing."""
    resource = to_structure_map_resource(parse_map(EVERYTHING))
    assert to_structure_map_resource(from_structure_map_resource(resource)) == resource


def test_a_simple_rule_is_a_create_without_type() -> None:
    """``a.b -> c.d`` is written as R4 tools write it, and read back as simple."""
    structure_map = parse_map("group G(source s, target t) { s.a -> t.b; }")
    rule = to_structure_map_resource(structure_map)["group"][0]["rule"][0]
    assert rule["source"][0]["variable"] == rule["target"][0]["variable"]
    assert rule["target"][0]["transform"] == "create"
    resource = to_structure_map_resource(structure_map)
    assert from_structure_map_resource(resource).groups[0].rules[0].is_simple


def test_the_r5_shape_is_read() -> None:
    """Typed parameters of a call, constants, and a group without type mode."""
    resource = {
        "resourceType": "StructureMap",
        "url": "http://example.org/m",
        "name": "m",
        "const": [{"name": "x", "value": "'y'"}],
        "group": [
            {
                "name": "G",
                "input": [{"name": "s", "mode": "source"}, {"name": "t", "mode": "target"}],
                "rule": [
                    {
                        "source": [{"context": "s"}],
                        "dependent": [
                            {"name": "G", "parameter": [{"valueId": "s"}, {"valueString": "a"}]}
                        ],
                    }
                ],
            }
        ],
    }
    structure_map = from_structure_map_resource(resource)
    assert [one.kind for one in structure_map.groups[0].rules[0].calls[0].parameters] == [
        "name",
        "string",
    ]
    assert structure_map.constants[0].expression == "'y'"


@pytest.mark.parametrize("resource", [{}, {"group": [{}]}, {"group": 5}])
def test_what_is_no_map_is_refused(resource: dict[str, object]) -> None:
    """FB-2105, not a Python error."""
    with pytest.raises(BridgeError, match="FB-2105"):
        from_structure_map_resource(resource)


def test_literals_of_a_call_stay_literals() -> None:
    """R4 has only variables there; an extension says which text is a literal of which kind."""
    text = "group G(source s, target t) { s then H(s, 'x', 1, 1.50, true, @2020-01-01) 'n'; }"
    structure_map = parse_map(text)
    resource = parse_json(render_json(to_structure_map_resource(structure_map)))
    call = resource["group"][0]["rule"][0]["dependent"][0]
    assert call["variable"] == ["s", "x", "1", "1.50", "true", "2020-01-01"]
    calls = from_structure_map_resource(resource).groups[0].rules[0].calls
    assert calls == structure_map.groups[0].rules[0].calls


def test_a_date_is_no_parameter_of_r4() -> None:
    """It is written as string, which R4 has, and read back as the date."""
    structure_map = parse_map("group G(source s, target t) { s -> t.a = @2020-01-01 'n'; }")
    resource = to_structure_map_resource(structure_map)
    parameter = resource["group"][0]["rule"][0]["target"][0]["parameter"][0]
    assert parameter["valueString"] == "2020-01-01"
    assert from_structure_map_resource(resource).groups == structure_map.groups
