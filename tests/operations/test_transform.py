"""StructureMap/$transform: each mistake by its own status and code, none by a fault.

https://hl7.org/fhir/R4/structuremap-operation-transform.html
"""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_bridge.transform import Library
from tests.api.test_resources import PATIENT
from tests.api.world import World
from tests.operations.test_operations import MAP, parameters

URL = "/fhir/StructureMap/$transform"
SOURCE = "?source=http://example.org/StructureMap/copy"


@pytest.fixture
def client(world: World) -> FlaskClient:
    """A server with one map installed."""
    world.library = Library(None, [MAP])
    return world.client()


def codes(answer: Any) -> list[str]:
    """The catalogue codes of all issues."""
    return [each["details"]["coding"][0]["code"] for each in answer.json["issue"]]


def with_map(text: str) -> dict[str, Any]:
    """A call that sends its own map."""
    return parameters(srcMap={"valueString": text}, content={"resource": PATIENT})


@pytest.mark.parametrize(
    ("address", "body", "status", "found"),
    [
        (f"{URL}{SOURCE}", None, 400, "FB-4025"),
        (f"{URL}{SOURCE}", parameters(content={"valueString": "x"}), 400, "FB-4025"),
        (URL, PATIENT, 400, "FB-4025"),
        (f"{URL}{SOURCE}&source=x", PATIENT, 400, "FB-4025"),
        (
            URL,
            parameters(srcMap={"valueInteger": 5}, content={"resource": PATIENT}),
            400,
            "FB-4025",
        ),
        ("/fhir/StructureMap/none/$transform", PATIENT, 404, "FB-4001"),
        ("/fhir/Patient/li/$transform", PATIENT, 404, "FB-4028"),
        (f"{URL}?source=urn:none", PATIENT, 422, "FB-2104"),
        (URL, with_map("map x"), 422, "FB-2101"),
        (URL, with_map(MAP.replace("= g;", "= nonsense(g);")), 422, "FB-2106"),
        (URL, with_map(MAP.replace("tgt.gender", "tgt.nonsense")), 422, "FB-2109"),
        (URL, with_map(MAP.replace("as g", "as g check (g = 'x')")), 422, "FB-2110"),
        (
            URL,
            with_map(
                MAP.replace("src.gender as g -> tgt.gender = g", "src -> tgt then copy(src, tgt)")
            ),
            422,
            "FB-2117",
        ),
        (
            URL,
            parameters(sourceMap={"resource": PATIENT}, content={"resource": PATIENT}),
            422,
            "FB-2105",
        ),
    ],
)
def test_a_mistake_has_its_code(
    client: FlaskClient, address: str, body: Any, status: int, found: str
) -> None:
    """400 and 404 for the call, 422 with map, rule and line for the map."""
    answer = client.post(address, json=body) if body else client.post(address)
    assert status == answer.status_code, answer.text
    assert found in codes(answer)


def test_a_broken_rule_says_where(client: FlaskClient) -> None:
    """The map by its URL and the line of the rule."""
    answer = client.post(URL, json=with_map(MAP.replace("tgt.gender", "tgt.nonsense")))
    assert "http://example.org/StructureMap/copy, line 5" in str(answer.json["issue"])


def test_a_server_without_maps_says_so(world: World) -> None:
    """422 FB-7002."""
    answer = world.client().post(f"{URL}{SOURCE}", json=PATIENT)
    assert (422, ["FB-7002"]) == (answer.status_code, codes(answer))


def test_marks_of_a_map_do_not_show(client: FlaskClient) -> None:
    """What it supposes is there, what it takes back is not."""
    rules = MAP.replace(
        "tgt.gender = ", "tgt.active = usual(true), tgt.birthDate = null(), tgt.gender = "
    )
    assert rules != MAP

    answer = client.post(URL, json=with_map(rules))

    assert answer.status_code == 200
    assert answer.json["active"] is True
    assert "birthDate" not in answer.json
