"""Patches over HTTP: what each language changes and how each mistake is answered.

https://hl7.org/fhir/R4/http.html#patch, https://hl7.org/fhir/R4/fhirpatch.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.test_resources import JSON_PATCH, code
from tests.interactions.test_fhirpath_patch import operation

URL = "/fhir/Observation/o"
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "code": {"text": "a"},
    "identifier": [{"value": "1"}, {"value": "2"}],
    "valueQuantity": {"value": 1},
    "component": [{"code": {"text": "c"}, "valueString": "x"}],
}


@pytest.fixture
def server(client: FlaskClient) -> FlaskClient:
    """A server that holds one observation."""
    assert 201 == client.put(URL, json=OBSERVATION).status_code
    return client


def send(server: FlaskClient, body: Any) -> Any:
    """The answer to a FHIRPath Patch (an object) or a JSON Patch (anything else)."""
    media = "application/fhir+json" if isinstance(body, dict) else JSON_PATCH
    data = body if isinstance(body, str) else json.dumps(body)
    return server.patch(URL, data=data, content_type=media)


VALUES: dict[str, Any] = {
    "valueQuantity": {"value": 5, "unit": "mg"},
    "valueCodeableConcept": {"text": "x"},
    "valueString": "x",
    "valueBoolean": True,
    "valueInteger": 3,
    "valueRange": {"low": {"value": 1}},
    "valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 2}},
    "valueSampledData": {"origin": {"value": 0}, "period": 1, "dimensions": 1, "data": "1 2"},
    "valueTime": "10:00:00",
    "valueDateTime": "2026-01-01",
    "valuePeriod": {"start": "2026-01-01"},
}


@pytest.mark.parametrize("key", sorted(VALUES))
@pytest.mark.parametrize("kind", ["replace", "add"])
def test_a_choice_takes_a_value_of_each_of_its_types(
    server: FlaskClient, key: str, kind: str
) -> None:
    """The value's type names the element; the one that was there before goes."""
    value = {key: VALUES[key]}
    if kind == "add":
        assert 200 == send(server, operation("delete", path="Observation.value")).status_code
        body = operation("add", path="Observation", name="value", value=value)
    else:
        body = operation("replace", path="Observation.value", value=value)
    answer = send(server, body)
    assert 200 == answer.status_code, answer.text
    assert {key} == {each for each in answer.json if each.startswith("value")}
    assert VALUES[key] == answer.json[key]


@pytest.mark.parametrize(
    "body",
    [
        operation("replace", path="Observation.value", value={"valueAddress": {"city": "x"}}),
        operation("add", path="Observation", name="value", value={"valueString": "x"}),
        operation("insert", path="Observation.identifier", index=9, value={"valueIdentifier": {}}),
        operation("insert", path="Observation.identifier", index=-1, value={"valueIdentifier": {}}),
        operation("insert", path="Observation.code", index=0, value={"valueString": "x"}),
        operation("move", path="Observation.identifier", source=5, destination=0),
        operation("replace", path="Observation.issued", value={"valueInstant": "x"}),
        operation("delete", path="Observation.identifier"),
        operation("delete", path="Observation.nonsense"),
        operation("delete", path="Observation"),
        operation("delete", path="Observation.status"),
        operation("delete", path="Observation.id"),
        operation("replace", path="Observation.id", value={"valueId": "x"}),
        operation("delete", path="Patient.name"),
        operation("delete", path="Observation.note["),
        operation("replace", path="Observation.status", value={"valueCode": "nonsense"}),
        [{"op": "test", "path": "/status", "value": "x"}],
        [{"op": "remove", "path": "/nonsense"}],
        [{"op": "replace", "path": "/id", "value": "x"}],
        [{"op": "remove", "path": "/status"}],
        [{"op": "replace", "path": "/status", "value": "nonsense"}],
        [{"op": "add", "path": "/identifier/9", "value": {"value": "x"}}],
        [{"op": "add", "path": "/nonsense", "value": 1}],
        [{"op": "remove", "path": "/status"}, {"op": "test", "path": "/id", "value": "x"}],
    ],
    ids=json.dumps,
)
def test_what_does_not_fit_is_422_and_changes_nothing(server: FlaskClient, body: Any) -> None:
    """The patch is understood and cannot be applied, or leaves what FHIR does not allow."""
    answer = send(server, body)
    assert 422 == answer.status_code, answer.text
    assert 'W/"1"' == server.get(URL).headers["ETag"]


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Observation"},
        {"resourceType": "Parameters", "parameter": {}},
        {"resourceType": "Parameters", "parameter": [1]},
        {"resourceType": "Parameters", "parameter": [{"name": "x"}]},
        {"resourceType": "Parameters", "parameter": [{"name": "operation"}]},
        {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": {}}]},
        {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [1]}]},
        operation("frobnicate", path="Observation.note"),
        operation("delete"),
        operation("add", path="Observation", name="issued"),
        operation("add", path="Observation", value={"valueString": "x"}),
        operation("add", path="Observation", name="component", value={"part": [1]}),
        operation("add", path="Observation", name="component", value={"part": {}}),
        "nonsense",
        "",
        "{}",
        [1],
        [{"op": "add"}],
        [{"op": "nope", "path": "/status"}],
        [{"op": "add", "path": "/status"}],
        [{"op": "remove", "path": "status"}],
        [{"op": "replace", "path": "", "value": 5}],
    ],
    ids=json.dumps,
)
def test_what_is_no_patch_is_400(server: FlaskClient, body: Any) -> None:
    """Never a fault, whatever the shape."""
    answer = send(server, body)
    assert 400 == answer.status_code, answer.text
    assert code(answer) in ("FB-1001", "FB-4013", "FB-4020", "FB-4034")


def test_a_patch_that_changes_nothing_makes_no_version(server: FlaskClient) -> None:
    """200 with the present version."""
    for body in ([], [{"op": "test", "path": "/status", "value": "final"}],
                 operation("delete", path="Observation.issued")):  # fmt: skip
        answer = send(server, body)
        assert (200, 'W/"1"') == (answer.status_code, answer.headers["ETag"])


def test_the_last_of_a_list_takes_the_list_along(server: FlaskClient) -> None:
    """By either language; FHIR has no empty lists."""
    gone = send(server, [{"op": "remove", "path": "/identifier/0"}] * 2)
    assert (200, False) == (gone.status_code, "identifier" in gone.json)
    gone = send(server, operation("delete", path="Observation.component[0]"))
    assert (200, False) == (gone.status_code, "component" in gone.json)
