"""Requests generated from the OpenAPI document: no answer is a server fault, and many are taken.

https://schemathesis.readthedocs.io

A schema says what a resource looks like, not that its type must be the one of the address.
Where a resource belongs, four of five bodies are therefore made from the definitions for the
type and id that the generated address names; the rest stays as the document alone allows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fhir_bridge.fhir import definitions
from tests.api.bodies import bodies
from tests.api.world import World, open_world

_EXAMPLES = 12
_SLOW_OK = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
_LEAST_ACCEPTED = 0.75


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Any]]:
    """A server, and the operations of its own document."""
    folder = tmp_path_factory.mktemp("generated")
    world = open_world(f"sqlite:///{folder / 'record.sqlite3'}")
    application = world.client().application
    schema = schemathesis.openapi.from_wsgi("/fhir/openapi.json", application)
    yield world, schema
    world.store.close()


def fit(case: Any, data: st.DataObject) -> bool:
    """Give the case a body that fits its address, four times of five; whether it was done."""
    path = case.path
    if case.method not in ("POST", "PUT") or path not in ("/", "/{type}", "/{type}/{id}"):
        return False
    if data.draw(st.integers(0, 4)) == 0:
        return False
    if path == "/":
        kind = data.draw(st.sampled_from(["batch", "transaction"]))
        types = data.draw(st.lists(st.sampled_from(["Patient", "Basic", "Location"]), max_size=3))
        entries = [
            {"resource": data.draw(bodies(name)), "request": {"method": "POST", "url": name}}
            for name in types
        ]
        case.body = {"resourceType": "Bundle", "type": kind, "entry": entries}
    else:
        resource_type = str(case.path_parameters["type"])
        case.body = data.draw(bodies(resource_type, str(case.path_parameters.get("id", ""))))
    case.media_type = "application/fhir+json"
    for name in ("If-Match", "If-None-Match", "If-None-Exist"):
        case.headers.pop(name, None)
    if case.method == "PUT" and path == "/{type}":
        case.query = {"_id": case.body.get("id", "none")}
    return True


@pytest.mark.filterwarnings("ignore")
def test_no_generated_request_is_a_server_fault(generated: tuple[World, Any]) -> None:
    """A bounded number for every operation of the document; most fitting bodies are stored."""
    _, schema = generated
    outcomes: Counter[bool] = Counter()
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        tried += 1

        @settings(
            max_examples=_EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=_SLOW_OK,
        )
        @given(case=operation.as_strategy(), data=st.data())
        def attempt(case: Any, data: st.DataObject) -> None:
            is_fitting = fit(case, data)
            answer = case.call()
            assert answer.status_code < 500, (case.method, case.formatted_path, answer.text[:500])
            if is_fitting:
                outcomes[answer.status_code < 300] += 1

        attempt()
    assert tried > 30
    assert outcomes.total() >= 20
    assert outcomes[True] / outcomes.total() >= _LEAST_ACCEPTED, outcomes


@settings(
    max_examples=150,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=_SLOW_OK,
)
@given(st.sampled_from(sorted(definitions().resource_types)).flatmap(bodies))
def test_resources_of_every_type_come_back_as_they_were_sent(
    generated: tuple[World, Any], body: dict[str, Any]
) -> None:
    """Created or refused with 422; what is created reads back equal but for id and meta."""
    client = generated[0].client()
    sent = json.dumps(body, ensure_ascii=False).encode()
    created = client.post(
        f"/fhir/{body['resourceType']}", data=sent, content_type="application/fhir+json"
    )
    assert created.status_code in (201, 422), created.text[:500]
    if created.status_code == 201:
        found = client.get(created.headers["Location"].removeprefix("http://localhost")).json
        assert body == {key: found[key] for key in found if key not in ("id", "meta")}


def test_every_example_of_the_document_is_accepted(world: World) -> None:
    """Whoever tries what the document shows is answered 2xx."""
    client = world.client()
    document = client.get("/fhir/openapi.json").json
    tried = 0
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            for media, content in described.get("requestBody", {}).get("content", {}).items():
                if "$" in path:
                    continue
                example = content["example"]
                client.put("/fhir/Patient/p1", json={"resourceType": "Patient", "id": "p1"})
                address = path.replace("{type}", "Patient").replace("{id}", "p1")
                if "_search" in path:
                    answer = client.post(f"/fhir{address}", data=example)
                else:
                    fitting = (
                        {**example, "id": "p1"}
                        if path == "/{type}/{id}" and method == "put"
                        else example
                    )
                    data = fitting if isinstance(fitting, str) else json.dumps(fitting)
                    query = {"_id": "p1"} if path == "/{type}" and method != "post" else None
                    answer = client.open(
                        f"/fhir{address}", method=method.upper(), data=data,
                        content_type=media, query_string=query,
                    )  # fmt: skip
                assert answer.status_code < 300, (method, path, media, answer.text[:300])
                tried += 1
    assert tried >= 10
