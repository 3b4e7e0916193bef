"""Laws that hold for any map text and any map."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import parse_json, render_json
from fhir_bridge.fml import (
    StructureMap,
    from_structure_map_resource,
    parse_map,
    render_map,
    to_structure_map_resource,
)
from tests.fml.some_maps import MAPS, ORDINARY, positioned

WORDS = "group source target then where check log default as -> ; , { } ( ) . : = <<types>> 'x' \"y\" `z` src tgt 1 1.5 @2020 // /* */ first share let conceptmap prefix s:a == t:b /// url"
PIECES = some.one_of(some.sampled_from(WORDS.split()), some.text(max_size=6))


@ORDINARY
@given(some.lists(PIECES, max_size=40).map(" ".join))
def test_any_text_is_a_map_or_a_positioned_error(text: str) -> None:
    """Never another exception, never a hang."""
    try:
        structure_map = parse_map(f"group G(source src, target tgt) {{ {text}")
    except BridgeError as refused:
        lawful = positioned(refused)
    else:
        lawful = parse_map(render_map(structure_map)) == structure_map
    assert lawful


@ORDINARY
@given(MAPS)
def test_any_map_reads_back_from_its_text(structure_map: StructureMap) -> None:
    """Parse undoes render, whatever stands in names and strings."""
    assert parse_map(render_map(structure_map)) == structure_map


@ORDINARY
@given(MAPS)
def test_any_map_reads_back_from_its_resource(structure_map: StructureMap) -> None:
    """The resource of a map makes the same resource again, through JSON."""
    resource = to_structure_map_resource(structure_map)
    again = from_structure_map_resource(parse_json(render_json(resource)))
    assert to_structure_map_resource(again) == resource
