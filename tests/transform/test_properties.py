"""Laws that hold for any map and any input."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions, render_json
from fhir_bridge.fml import StructureMap
from fhir_bridge.transform import Library
from tests.fml.some_maps import MAPS, ORDINARY, TEXTS, positioned

TREES = some.recursive(
    some.one_of(TEXTS, some.booleans(), some.integers(), some.decimals(0, 9, places=2)),
    lambda inner: some.one_of(
        some.lists(inner, max_size=3),
        some.dictionaries(some.sampled_from(["a", "b", "name", "value", "src"]), inner, max_size=3),
    ),
    max_leaves=8,
)


@ORDINARY
@given(MAPS, some.dictionaries(some.sampled_from(["a", "b", "name", "value"]), TREES, max_size=4))
def test_any_map_compiles_and_runs_or_gives_a_positioned_error(
    structure_map: StructureMap, source: dict[str, Any]
) -> None:
    """On any input: a target that is JSON, or an error that names the rule."""
    try:
        compiled = Library(definitions(), [structure_map]).compile(structure_map.url)
        done = compiled.run(source)
    except BridgeError as refused:
        lawful = positioned(refused)
    else:
        lawful = bool(render_json(done.target))
    assert lawful


@ORDINARY
@given(TREES)
def test_a_copied_tree_is_finished_without_empty_parts(tree: Any) -> None:
    """No empty object, list or text is left in a target, however the input looks."""
    text = (
        'map "http://x/y" = "y"\nuses "http://hl7.org/fhir/StructureDefinition/Patient" '
        "alias Patient as target\ngroup G(source src, target tgt : Patient) "
        "{ src.a as a -> tgt.name = a; src.a as a -> tgt.active = a; src.a as a -> tgt.id = a; }"
    )
    done = Library(None, [text]).compile("http://x/y").run({"a": tree})

    def full(node: Any) -> bool:
        if isinstance(node, dict):
            return bool(node) and all(map(full, node.values()))
        if isinstance(node, list):
            return bool(node) and all(map(full, node))
        return node not in ("", None) or isinstance(node, bool | int | Decimal)

    assert full(done.target)
