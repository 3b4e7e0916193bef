"""Each claim of the CapabilityStatement is compared with what the server does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from fhir_bridge.api import write_response
from fhir_bridge.fhir import definitions, render_json, render_xml
from tests.api.test_resources import PATIENT
from tests.api.world import World, open_world

NAMELESS = {"resourceType": "Patient", "gender": "male"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """One server for all claims."""
    folder: Path = tmp_path_factory.mktemp("claims")
    world = open_world(f"sqlite:///{folder / 'record.sqlite3'}")
    yield world.client("shape")
    world.store.close()


@pytest.fixture(scope="module")
def claims(server: FlaskClient) -> dict[str, Any]:
    """The ``rest`` part of what the server says of itself."""
    statement: dict[str, Any] = server.get("/fhir/metadata").json
    assert "4.0.1" == statement["fhirVersion"]
    rest: dict[str, Any] = statement["rest"][0]
    return rest


def test_the_statement_is_valid(server: FlaskClient) -> None:
    """It passes its own server's $validate."""
    statement = server.get("/fhir/metadata").json
    issues = server.post("/fhir/CapabilityStatement/$validate", json=statement).json["issue"]
    assert [] == [each for each in issues if each["severity"] in ("error", "fatal")]


def test_every_interaction_of_every_type_is_served(
    server: FlaskClient, claims: dict[str, Any]
) -> None:
    """No claimed interaction answers "not supported" for any of the types."""
    for resource in claims["resource"]:
        name = resource["type"]
        body = {"resourceType": name, "id": "claim"}
        patch = '[{"op":"add","path":"/language","value":"zh"}]'
        served = {
            "update": server.put(f"/fhir/{name}/claim", json=body),
            "create": server.post(f"/fhir/{name}", json=body),
            "read": server.get(f"/fhir/{name}/claim"),
            "vread": server.get(f"/fhir/{name}/claim/_history/1"),
            "patch": server.patch(
                f"/fhir/{name}/claim", data=patch, content_type="application/json-patch+json"
            ),
            "history-instance": server.get(f"/fhir/{name}/claim/_history"),
            "history-type": server.get(f"/fhir/{name}/_history"),
            "search-type": server.get(f"/fhir/{name}?_id=claim"),
            "delete": server.delete(f"/fhir/{name}/claim"),
        }
        claimed = {each["code"] for each in resource["interaction"]}
        if name == "AuditEvent":  # who looked at the record is added, and never changed
            assert {served.pop(each).status_code for each in ("patch", "delete")} == {403}
            del served["update"]
        assert served.keys() == claimed
        bad = {
            key: answer.status_code for key, answer in served.items() if answer.status_code >= 300
        }
        assert not bad, (name, bad)


_SAMPLES = {
    "number": "1",
    "date": "2020-01-01",
    "string": "a",
    "token": "a",
    "quantity": "5.4|http://unitsofmeasure.org|mg",
    "uri": "urn:a",
}
_SPECIAL = {"near": "31.2|121.5|10|km", "_filter": "_id eq a", "_list": "none"}


def _sample(resource_type: str, name: str, kind: str) -> str:
    """A value that is right for the claimed type of the parameter."""
    if kind == "special":
        return _SPECIAL.get(name, "a")
    known = definitions().search_parameters.get((resource_type, name))
    if kind == "reference":
        return f"{(known.targets if known and known.targets else ('Patient',))[0]}/1"
    if kind == "composite" and known is not None:
        by_url = {each.url: each.type for each in definitions().search_parameters.values()}
        return "$".join(_sample("", "", by_url[part[0]]) for part in known.components)
    return _SAMPLES[kind]


def test_every_search_parameter_is_answered(server: FlaskClient, claims: dict[str, Any]) -> None:
    """A search by each claimed parameter of each type takes a value of the claimed type."""
    refused = []
    for resource in claims["resource"]:
        name = resource["type"]
        for parameter in resource["searchParam"]:
            value = _sample(name, parameter["name"], parameter["type"])
            answer = server.get(
                f"/fhir/{name}", query_string={parameter["name"]: value, "_count": "1"}
            )
            if answer.status_code != 200:
                refused.append((name, parameter["name"], value, answer.text[:200]))
    assert not refused, refused[:5]


def test_every_include_is_answered(server: FlaskClient, claims: dict[str, Any]) -> None:
    """What ``searchInclude`` and ``searchRevInclude`` list is accepted, by every type."""
    for resource in claims["resource"]:
        for key, name in (("searchInclude", "_include"), ("searchRevInclude", "_revinclude")):
            pairs = [(name, value) for value in resource.get(key, ())]
            for first in range(0, len(pairs), 20):
                query = urlencode([*pairs[first : first + 20], ("_count", "1")])
                answer = server.get(f"/fhir/{resource['type']}?{query}")
                assert 200 == answer.status_code, answer.text


def test_a_claimed_include_brings_what_is_referred_to(
    server: FlaskClient, claims: dict[str, Any]
) -> None:
    """Forward and reverse claims of one reference bring the two resources together."""
    held = {"resourceType": "Observation", "id": "about", "subject": {"reference": "Patient/whom"}}
    server.put("/fhir/Patient/whom", json=NAMELESS | {"id": "whom"})
    server.put("/fhir/Observation/about", json=held)
    claimed = {each["type"]: each for each in claims["resource"]}
    for name, id_, key, parameter, brought in (
        ("Observation", "about", "searchInclude", "_include", "whom"),
        ("Patient", "whom", "searchRevInclude", "_revinclude", "about"),
    ):
        for value in ("Observation:subject", "Observation:patient"):
            assert value in claimed[name][key]
            found = server.get(f"/fhir/{name}?_id={id_}&{parameter}={value}").json["entry"]
            assert {id_, brought} == {each["resource"]["id"] for each in found}


def test_every_claimed_parameter_divides_its_type(
    server: FlaskClient, claims: dict[str, Any]
) -> None:
    """``:missing`` true and false together find every resource, for what has values of its own."""
    for name in ("Patient", "Observation", "Contract"):
        server.put(f"/fhir/{name}/one", json={"resourceType": name, "id": "one"})
        resource = next(each for each in claims["resource"] if each["type"] == name)
        for parameter in resource["searchParam"]:
            if parameter["type"] in ("composite", "special"):
                continue
            if parameter["name"] in ("_content", "_text"):
                continue
            totals = [
                server.get(f"/fhir/{name}?{parameter['name']}:missing={flag}&_summary=count").json
                for flag in ("true", "false")
            ]
            whole = server.get(f"/fhir/{name}?_summary=count").json["total"]
            assert whole == sum(each["total"] for each in totals), (name, parameter)


def test_every_patch_format_is_read(server: FlaskClient) -> None:
    """Each claimed media type changes a resource."""
    operation = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Patient.gender"},
        {"name": "value", "valueCode": "female"},
    ]
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "operation", "part": operation}],
    }
    bodies: dict[str, bytes] = {
        "application/json-patch+json": b'[{"op":"replace","path":"/gender","value":"female"}]',
        "application/xml-patch+xml": b'<diff><replace sel="Patient/gender/@value">female</replace></diff>',
        "application/fhir+json": render_json(parameters),
        "application/fhir+xml": render_xml(parameters),
    }
    claimed = server.get("/fhir/metadata").json["patchFormat"]
    assert bodies.keys() == set(claimed)
    for media, body in bodies.items():
        server.put("/fhir/Patient/patched", json=NAMELESS | {"id": "patched"})
        answer = server.patch("/fhir/Patient/patched", data=body, content_type=media)
        assert (200, "female") == (answer.status_code, (answer.json or {}).get("gender")), media


def test_nothing_is_served_that_is_not_claimed(server: FlaskClient, claims: dict[str, Any]) -> None:
    """What a type does not claim is refused by name: search parameters and operations."""
    claimed = {each["type"]: each for each in claims["resource"]}
    every = {each["name"] for one in claimed.values() for each in one["searchParam"]}
    for name in ("Patient", "Observation", "Contract", "Binary"):
        own = {each["name"] for each in claimed[name]["searchParam"]}
        for parameter in sorted(every - own):
            answer = server.get(f"/fhir/{name}?{parameter}=1")
            assert 400 == answer.status_code, (name, parameter)
    offered = {name: {o["name"] for o in one["operation"]} for name, one in claimed.items()}
    for operation in sorted(set.union(*offered.values())):
        for name in ("Patient", "Observation", "StructureMap"):
            for place in (name, f"{name}/none"):
                answer = server.post(
                    f"/fhir/{place}/${operation}", json={"resourceType": "Parameters"}
                )
                if operation not in offered[name]:
                    assert "FB-4028" in answer.text, (place, operation)


def test_every_operation_is_offered(server: FlaskClient, claims: dict[str, Any]) -> None:
    """A claimed operation is not answered "not offered" at the place that claims it."""
    for resource in claims["resource"]:
        for operation in resource.get("operation", ()):
            name = operation["name"]
            answers = [
                server.post(f"/fhir/{place}/${name}", json={"resourceType": "Parameters"})
                for place in (resource["type"], f"{resource['type']}/none")
            ]
            assert any("FB-4028" not in each.text for each in answers), (resource["type"], name)
    for operation in claims.get("operation", ()):
        assert "FB-4028" not in server.post(f"/fhir/${operation['name']}").text


def test_the_flags_are_true(server: FlaskClient, claims: dict[str, Any]) -> None:
    """Update-as-create, conditional forms, history: as one type shows them."""
    patient = next(each for each in claims["resource"] if each["type"] == "Patient")
    assert patient["updateCreate"] == (
        server.put("/fhir/Patient/new", json=PATIENT | {"id": "new"}).status_code == 201
    )
    assert ("versioned", True) == (patient["versioning"], patient["readHistory"])
    url = "/fhir/Patient?identifier=urn:h|1"
    assert patient["conditionalUpdate"] == (
        server.put(url, json=PATIENT | {"id": "new"}).status_code == 200
    )
    again = server.post(
        "/fhir/Patient", json=PATIENT, headers={"If-None-Exist": "identifier=urn:h|1"}
    )
    assert patient["conditionalCreate"] == (again.status_code == 200)
    kept = server.get("/fhir/Patient/new", headers={"If-None-Match": 'W/"1"'})
    assert ("full-support", 304) == (patient["conditionalRead"], kept.status_code)
    server.post("/fhir/Patient", json=PATIENT)
    assert ("single", 412) == (patient["conditionalDelete"], server.delete(url).status_code)


def test_the_conditional_flags_of_every_type_are_true(
    server: FlaskClient, claims: dict[str, Any]
) -> None:
    """Create, read, update and delete by condition, as each type claims them."""
    for resource in claims["resource"]:
        name = resource["type"]
        body = {"resourceType": name, "id": "flag"}
        assert server.put(f"/fhir/{name}/flag", json=body).status_code < 300, name
        read = server.get(f"/fhir/{name}/flag")
        kept = [
            server.get(f"/fhir/{name}/flag", headers=headers).status_code
            for headers in (
                {"If-None-Match": read.headers["ETag"]},
                {"If-Modified-Since": read.headers["Last-Modified"]},
            )
        ]
        assert ("full-support", [304, 304]) == (resource["conditionalRead"], kept), name
        condition = {"If-None-Exist": "_id=flag"}
        found = server.post(f"/fhir/{name}", json=body, headers=condition)
        assert (True, 200) == (resource["conditionalCreate"], found.status_code), name
        changed = body | {"language": "zh"}
        if name == "AuditEvent":
            assert (resource["conditionalUpdate"], resource["conditionalDelete"]) == (
                False, "not-supported",
            )  # fmt: skip
            continue
        updated = server.put(f"/fhir/{name}?_id=flag", json=changed)
        assert (True, 200) == (resource["conditionalUpdate"], updated.status_code), name
        deleted = server.delete(f"/fhir/{name}?_id=flag")
        assert ("single", 204) == (resource["conditionalDelete"], deleted.status_code), name
        assert 410 == server.get(f"/fhir/{name}/flag").status_code, name


def test_the_reference_policies_are_true(server: FlaskClient, claims: dict[str, Any]) -> None:
    """Literal and logical references are kept as they are; those to other servers too."""
    patient = next(each for each in claims["resource"] if each["type"] == "Patient")
    assert {"literal", "logical"} == set(patient["referencePolicy"])
    for reference in (
        {"reference": "Organization/none"},
        {"identifier": {"system": "urn:x", "value": "1"}},
        {"reference": "https://elsewhere.example/fhir/Organization/1"},
    ):
        body = NAMELESS | {"id": "policy", "managingOrganization": reference}
        assert (
            reference == server.put("/fhir/Patient/policy", json=body).json["managingOrganization"]
        )


@pytest.mark.parametrize("origins", [(), ("https://app.example",)])
def test_it_says_whether_pages_of_other_origins_may_ask(
    world: World, origins: tuple[str, ...]
) -> None:
    """As the preflight then shows."""
    world.settings = replace(world.settings, cors_origins=origins)
    client = world.client()
    asked = client.options(
        "/fhir", headers={"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    )
    told = client.get("/fhir/metadata").json["rest"][0]["security"]["cors"]
    assert told == ("Access-Control-Allow-Origin" in asked.headers) == bool(origins)


def test_system_interactions_are_served(server: FlaskClient, claims: dict[str, Any]) -> None:
    """transaction, batch, search-system and history-system."""
    assert {"transaction", "batch", "search-system", "history-system"} == {
        each["code"] for each in claims["interaction"]
    }
    for kind in ("transaction", "batch"):
        bundle = {"resourceType": "Bundle", "type": kind}
        assert f"{kind}-response" == server.post("/fhir", json=bundle).json["type"]
    assert 200 == server.get("/fhir?_type=Patient").status_code
    assert 200 == server.get("/fhir/_history").status_code
    for compartment in claims["compartment"]:
        name = compartment.rpartition("/")[2]
        place = f"/fhir/{name[0].upper()}{name[1:]}/x/Observation"
        assert 200 == server.get(place).status_code, place


def test_every_format_is_served(server: FlaskClient) -> None:
    """Each claimed format, asked for as ``_format``, is what comes back; each media type is read."""
    for name in server.get("/fhir/metadata").json["format"]:
        if "/" in name:
            body = render_xml(NAMELESS) if "xml" in name else render_json(NAMELESS)
            assert 201 == server.post("/fhir/Patient", data=body, content_type=name).status_code
        answer = server.get("/fhir/Patient", query_string={"_format": name})
        assert ("xml" in name) == ("xml" in answer.content_type)


@pytest.mark.parametrize(
    "query", ["?_format=xml", "?_format=xml&_pretty=true", "?_pretty=true", ""]
)
def test_what_is_served_is_put_into_each_form_once(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """The statement has 2 MB in XML: a client that asks for it again costs no more than in JSON."""
    calls: list[bytes] = []
    original = write_response.rendered
    monkeypatch.setattr(
        "fhir_bridge.api.application.rendered",
        lambda body, shape: calls.append(body) or original(body, shape),
    )
    answers = [client.get(f"/fhir/metadata{query}") for _ in range(3)]
    assert len(calls) == 1
    assert len({answer.data for answer in answers}) == 1
    assert answers[0].content_type.startswith(
        "application/fhir+xml" if "xml" in query else "application/fhir+json"
    )
    other = client.get("/fhir/metadata?_format=xml").data
    assert other.startswith(b"<?xml")
    assert b"CapabilityStatement" in other
