"""What a client sends to be evaluated is bounded: each door ends it with its own code."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from fhir_bridge.budget import Bounds
from fhir_bridge.transform import Library
from tests.api.test_resources import code
from tests.api.world import World

PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "li", "name": [{"given": ["Li"] * 30}]}
MAP = """
map "http://example.org/StructureMap/sent" = "Sent"
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
group Main(source src : Patient, target tgt : Basic) {{
  src.name as n then {{ {rule} }} "r";
}}
{more}
"""


@pytest.fixture
def bounded_world(world: World) -> World:
    """A server of small bounds, with a patient."""
    world.library = Library()
    world.client().put("/fhir/Patient/li", json=PATIENT)
    bounds = Bounds(steps=20_000, bytes=2_000_000)
    world.settings = replace(world.settings, evaluation=bounds)
    return world


def _transformed(world: World, rule: str, more: str = "") -> Any:
    parts = [
        {"name": "srcMap", "valueString": MAP.format(rule=rule, more=more)},
        {"name": "content", "resource": PATIENT},
    ]
    body = {"resourceType": "Parameters", "parameter": parts}
    return world.client().post("/fhir/StructureMap/$transform", json=body)


def _nested(depth: int, last: str) -> str:
    """Rules inside rules, each of which takes all given names."""
    if not depth:
        return last
    return f'n.given as g{depth} then {{ {_nested(depth - 1, last)} }} "r{depth}";'


GROWING = [
    (_nested(5, "n.given as g -> tgt.language = 'x' 'y';"), "FB-2008"),
    (_nested(2, "n -> tgt.extension = n 'y';"), "FB-2010"),
    (_nested(3, "n.given as g -> tgt.extension as e, e.value = create('string') 'y';"), "FB-2008"),
    (
        "n where (given.where(%n.given.where(%n.given.where(false)))) -> tgt.id = 'x' 'y';",
        "FB-2008",
    ),
    ("n where (given.repeat($this & 'a').exists()) -> tgt.id = 'x' 'y';", "FB-2010"),
    ("n -> tgt.id = (given.repeat($this & 'a').first()) 'y';", "FB-2010"),
]


@pytest.mark.parametrize(("rule", "expected"), GROWING)
def test_a_map_that_multiplies_is_ended(bounded_world: World, rule: str, expected: str) -> None:
    """422 with the bound and the rule, at once."""
    start = time.process_time()
    refused = _transformed(bounded_world, rule)
    assert (422, expected) == (refused.status_code, code(refused)), refused.text[:300]
    assert "sent" in refused.text
    assert time.process_time() - start < 3


def test_a_text_that_doubles_is_ended(bounded_world: World) -> None:
    """``append(a, a)`` forty times over is a terabyte."""
    groups = " ".join(
        f"group G{n}(source s, target t) {{ s -> t.language = append(s, s) as b then G{n + 1}(b, t) 'x'; }}"
        for n in range(40)
    )
    more = f"{groups} group G40(source s, target t) {{ }}"
    refused = _transformed(bounded_world, "n.given first as g then G0(g, tgt) 'y';", more)
    assert (422, "FB-2010") == (refused.status_code, code(refused)), refused.text[:300]


def test_one_long_text_in_many_places_is_ended(bounded_world: World) -> None:
    """What is written out counts, though the tree holds it once."""
    parts = [
        {
            "name": "srcMap",
            "valueString": MAP.format(
                rule="n.given -> tgt.extension as e, e.value = %long 'y';", more=""
            ).replace("%long", "append(n.family, 'x')"),
        },
        {
            "name": "content",
            "resource": {**PATIENT, "name": [{"given": ["a"] * 100, "family": "b" * 9_000}]},
        },
    ]
    body = {"resourceType": "Parameters", "parameter": parts}
    refused = bounded_world.client().post("/fhir/StructureMap/$transform", json=body)
    assert (422, "FB-2010") == (refused.status_code, code(refused)), refused.text[:300]


def _patched(world: World, path: str) -> Any:
    parts = [
        {"name": "type", "valueCode": "delete"},
        {"name": "path", "valueString": path},
    ]
    body = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    return world.client().patch("/fhir/Patient/li", json=body)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Patient.name.where(given.repeat($this & 'a').exists())", "FB-2010"),
        (
            "Patient.name.where(given.select(%context.given.select(%context.given)).count() > 1)",
            "FB-2008",
        ),
        ("Patient.name.where(given.first().matches('(?=a)'))", "FB-4023"),
    ],
)
def test_a_fhirpath_patch_is_ended(bounded_world: World, path: str, expected: str) -> None:
    """422, and the resource is as it was."""
    refused = _patched(bounded_world, path)
    assert (422, expected) == (refused.status_code, code(refused)), refused.text[:300]
    assert "1" == bounded_world.client().get("/fhir/Patient/li").json["meta"]["versionId"]


def test_a_json_patch_that_doubles_is_ended(bounded_world: World) -> None:
    """Thirty copies of a list into itself are two to the power of thirty."""
    operations = [{"op": "copy", "from": "/name", "path": "/name/0/given/-"}] * 30
    headers = {"Content-Type": "application/json-patch+json"}
    refused = bounded_world.client().patch("/fhir/Patient/li", json=operations, headers=headers)
    assert (422, "FB-2010") == (refused.status_code, code(refused)), refused.text[:300]
