"""read, vread, create, update, delete, patch over HTTP."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from flask.testing import FlaskClient

from fhir_bridge.access import Access
from tests.api.world import BASE, World

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "li",
    "identifier": [{"system": "urn:h", "value": "1"}],
    "name": [{"family": "李", "given": ["明"]}],
    "gender": "male",
}
JSON_PATCH = "application/json-patch+json"


def code(response: Any) -> str:
    """The catalogue code of an OperationOutcome."""
    return str(response.json["issue"][0]["details"]["coding"][0]["code"])


def test_a_created_resource_has_an_id_of_the_server(client: FlaskClient) -> None:
    """An id in the body is ignored; Location, ETag and Last-Modified say what was made."""
    created = client.post("/fhir/Patient", json=PATIENT)
    assert 201 == created.status_code
    assert created.json["id"] != "li"
    assert f"{BASE}/Patient/{created.json['id']}/_history/1" == created.headers["Location"]
    assert 'W/"1"' == created.headers["ETag"]
    assert "Last-Modified" in created.headers


def test_an_update_creates_and_then_changes(either: World) -> None:
    """201 for a free id, 200 for a new version, and no version without a change."""
    client = either.client()
    assert 201 == client.put("/fhir/Patient/li", json=PATIENT).status_code
    changed = client.put("/fhir/Patient/li", json=PATIENT | {"gender": "female"})
    assert (200, 'W/"2"') == (changed.status_code, changed.headers["ETag"])
    same = client.put("/fhir/Patient/li", json=PATIENT | {"gender": "female"})
    assert (200, 'W/"2"') == (same.status_code, same.headers["ETag"])


def test_if_match_protects_against_a_lost_update(either: World) -> None:
    """A stale version gets 412 and changes nothing."""
    client = either.client()
    client.put("/fhir/Patient/li", json=PATIENT)
    stale = {"If-Match": 'W/"7"'}
    body = PATIENT | {"gender": "other"}
    assert 412 == client.put("/fhir/Patient/li", json=body, headers=stale).status_code
    assert "male" == client.get("/fhir/Patient/li").json["gender"]
    fresh = {"If-Match": 'W/"1"'}
    assert 200 == client.put("/fhir/Patient/li", json=body, headers=fresh).status_code


def test_prefer_chooses_what_comes_back(client: FlaskClient) -> None:
    """minimal: nothing; OperationOutcome: one; representation: the resource."""
    found = [
        client.put("/fhir/Patient/li", json=PATIENT, headers={"Prefer": f"return={wish}"})
        for wish in ("minimal", "OperationOutcome", "representation")
    ]
    assert b"" == found[0].data
    assert "OperationOutcome" == found[1].json["resourceType"]
    assert "Patient" == found[2].json["resourceType"]


def test_a_deleted_resource_is_gone_and_its_history_stays(either: World) -> None:
    """410 for a read, versions still readable, an update brings it back."""
    client = either.client()
    client.put("/fhir/Patient/li", json=PATIENT)
    assert 204 == client.delete("/fhir/Patient/li").status_code
    assert 204 == client.delete("/fhir/Patient/li").status_code
    assert 204 == client.delete("/fhir/Patient/never").status_code
    assert 410 == client.get("/fhir/Patient/li").status_code
    assert 200 == client.get("/fhir/Patient/li/_history/1").status_code
    assert 410 == client.get("/fhir/Patient/li/_history/2").status_code
    assert 404 == client.get("/fhir/Patient/li/_history/9").status_code
    history = client.get("/fhir/Patient/li/_history").json
    assert ["DELETE", "PUT"] == [entry["request"]["method"] for entry in history["entry"]]
    assert "resource" not in history["entry"][0]
    assert 201 == client.put("/fhir/Patient/li", json=PATIENT).status_code


def test_a_conditional_read_saves_the_body(client: FlaskClient) -> None:
    """304 without a body for the version that the client has."""
    client.put("/fhir/Patient/li", json=PATIENT)
    kept = client.get("/fhir/Patient/li", headers={"If-None-Match": 'W/"1"'})
    assert (304, b"") == (kept.status_code, kept.data)
    date = client.get("/fhir/Patient/li").headers["Last-Modified"]
    since = client.get("/fhir/Patient/li", headers={"If-Modified-Since": date})
    assert 304 == since.status_code


def test_a_head_has_headers_and_no_body(client: FlaskClient) -> None:
    """HEAD is a read without its body."""
    client.put("/fhir/Patient/li", json=PATIENT)
    head = client.head("/fhir/Patient/li")
    assert (200, b"", 'W/"1"') == (head.status_code, head.data, head.headers["ETag"])


def test_conditional_create(either: World) -> None:
    """None found: created; one: answered; several: refused; no condition: refused."""
    client = either.client()
    none_exist = {"If-None-Exist": "identifier=urn:h|1"}
    assert 201 == client.post("/fhir/Patient", json=PATIENT, headers=none_exist).status_code
    again = client.post("/fhir/Patient", json=PATIENT, headers=none_exist)
    assert 200 == again.status_code
    client.post("/fhir/Patient", json=PATIENT)
    assert 412 == client.post("/fhir/Patient", json=PATIENT, headers=none_exist).status_code
    for condition in ("_count=1", ""):
        empty = client.post("/fhir/Patient", json=PATIENT, headers={"If-None-Exist": condition})
        assert (412, "FB-4012") == (empty.status_code, code(empty))
    wrong = client.post("/fhir/Patient", json=PATIENT, headers={"If-None-Exist": "nonsense=1"})
    assert (400, "FB-4101") == (wrong.status_code, code(wrong))


def test_conditional_creates_at_once_make_one_resource(either: World) -> None:
    """Eight clients with one condition: one creates, the others find it."""
    application = either.client().application
    none_exist = {"If-None-Exist": "identifier=urn:h|1"}

    def create(_: int) -> int:
        client = application.test_client()
        return client.post("/fhir/Patient", json=PATIENT, headers=none_exist).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(create, range(8)))
    assert [200] * 7 + [201] == statuses


def test_conditional_update(either: World) -> None:
    """None found: created under the given id; one: changed; another id: refused."""
    client = either.client()
    url = "/fhir/Patient?identifier=urn:h|1"
    created = client.put(url, json=PATIENT)
    assert (201, "li") == (created.status_code, created.json["id"])
    without_id = {key: value for key, value in PATIENT.items() if key != "id"}
    changed = client.put(url, json=without_id | {"gender": "other"})
    assert (200, "li") == (changed.status_code, changed.json["id"])
    assert 400 == client.put(url, json=PATIENT | {"id": "wang"}).status_code
    taken = client.put("/fhir/Patient?identifier=urn:h|2", json=PATIENT)
    assert 412 == taken.status_code


def test_conditional_delete_and_patch(either: World) -> None:
    """One is changed; several are refused; none is nothing to delete and nothing to patch."""
    client = either.client()
    client.put("/fhir/Patient/li", json=PATIENT)
    url = "/fhir/Patient?identifier=urn:h|1"
    patch = json.dumps([{"op": "replace", "path": "/gender", "value": "other"}])
    patched = client.patch(url, data=patch, content_type=JSON_PATCH)
    assert (200, "other") == (patched.status_code, patched.json["gender"])
    client.post("/fhir/Patient", json=PATIENT)
    assert 412 == client.delete(url).status_code
    assert 412 == client.patch(url, data=patch, content_type=JSON_PATCH).status_code
    assert 412 == client.delete("/fhir/Patient").status_code
    client.delete("/fhir/Patient/li")
    assert 204 == client.delete(url).status_code
    assert 204 == client.delete(url).status_code
    assert 404 == client.patch(url, data=patch, content_type=JSON_PATCH).status_code


def test_a_delete_of_several_where_it_is_allowed(either: World) -> None:
    """All matches go together, more than a page of them too; beyond the bound none goes."""
    settings = replace(
        either.settings, conditional_delete="multiple", max_page=2, max_bundle_entries=5
    )
    either.settings = settings
    client = either.client()
    patient = next(
        each
        for each in client.get("/fhir/metadata").json["rest"][0]["resource"]
        if each["type"] == "Patient"
    )
    assert "multiple" == patient["conditionalDelete"]
    url = "/fhir/Patient?identifier=urn:h|1"
    for _ in range(6):
        client.post("/fhir/Patient", json=PATIENT)
    refused = client.delete(url)
    assert (412, "FB-4011") == (refused.status_code, code(refused))
    assert 6 == client.get(f"{url}&_summary=count").json["total"]
    last = client.get(url).json["entry"][0]["resource"]["id"]
    client.delete(f"/fhir/Patient/{last}")
    told = client.delete(url, headers={"Prefer": "return=OperationOutcome"})
    assert "5 resources have been deleted" in told.json["issue"][0]["details"]["text"]
    assert 0 == client.get(f"{url}&_summary=count").json["total"]
    assert 204 == client.delete(url).status_code
    assert 412 == client.delete("/fhir/Patient").status_code


def test_a_delete_of_several_inside_a_transaction(either: World) -> None:
    """One entry deletes all that its condition finds; single: the transaction is refused."""
    client = either.client()
    for _ in range(3):
        client.post("/fhir/Patient", json=PATIENT)
    request = {"method": "DELETE", "url": "Patient?identifier=urn:h|1"}
    create = {"request": {"method": "POST", "url": "Patient"}, "resource": PATIENT}
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"request": request}, create],
    }
    assert 412 == client.post("/fhir", json=bundle).status_code
    either.settings = replace(either.settings, conditional_delete="multiple")
    client = either.client()
    answers = client.post("/fhir", json=bundle).json["entry"]
    assert ["204 No Content", "201 Created"] == [each["response"]["status"] for each in answers]
    left = client.get("/fhir/Patient?identifier=urn:h|1").json["entry"]
    assert [answers[1]["response"]["location"].split("/")[-3]] == [
        each["resource"]["id"] for each in left
    ]


def test_history_tells_who_chose_the_id(client: FlaskClient) -> None:
    """A first version under the server's id was created, one under another id was put."""
    client.put("/fhir/Patient/li", json=PATIENT)
    given = client.post("/fhir/Patient", json=PATIENT).json["id"]
    first = [client.get(f"/fhir/Patient/{id_}/_history").json["entry"][0] for id_ in ("li", given)]
    assert [
        ("PUT", "Patient/li", "201 Created"),
        ("POST", "Patient", "201 Created"),
    ] == [(e["request"]["method"], e["request"]["url"], e["response"]["status"]) for e in first]


def test_three_patch_languages(client: FlaskClient) -> None:
    """JSON Patch, FHIRPath Patch and XML Patch change the same element."""
    client.put("/fhir/Patient/li", json=PATIENT)
    json_patch = json.dumps([{"op": "replace", "path": "/gender", "value": "female"}])
    first = client.patch("/fhir/Patient/li", data=json_patch, content_type=JSON_PATCH)
    assert "female" == first.json["gender"]
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Patient.gender"},
        {"name": "value", "valueCode": "other"},
    ]
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    second = client.patch("/fhir/Patient/li", json=parameters)
    assert "other" == second.json["gender"]
    xml_patch = b'<diff><replace sel="f:Patient/f:gender/@value">unknown</replace></diff>'
    third = client.patch(
        "/fhir/Patient/li", data=xml_patch, content_type="application/xml-patch+xml"
    )
    assert (200, "unknown") == (third.status_code, third.json["gender"])


def test_a_patch_cannot_break_the_resource(client: FlaskClient) -> None:
    """What the patch leaves is validated, its identity is kept, its version is honoured."""
    client.put("/fhir/Patient/li", json=PATIENT)

    def patched(operations: Any, **headers: str) -> int:
        return client.patch(
            "/fhir/Patient/li",
            data=json.dumps(operations),
            content_type=JSON_PATCH,
            headers=headers,
        ).status_code

    assert 422 == patched([{"op": "add", "path": "/nonsense", "value": 1}])
    assert 422 == patched([{"op": "replace", "path": "/id", "value": "x"}])
    assert 422 == patched([{"op": "test", "path": "/gender", "value": "female"}])
    assert 422 == patched([{"op": "remove", "path": "/nonsense"}])
    assert 400 == patched({"op": "remove"})
    stale = {"If-Match": 'W/"9"'}
    assert 412 == patched([{"op": "remove", "path": "/gender"}], **stale)
    assert 'W/"1"' == client.get("/fhir/Patient/li").headers["ETag"]


def test_bodies_that_cannot_be_used(client: FlaskClient) -> None:
    """Each kind of mistake has its status and code."""
    put = client.put
    json_type = "application/fhir+json"
    assert "FB-4009" == code(put("/fhir/Patient/wang", json=PATIENT))
    assert "FB-4008" == code(put("/fhir/Observation/li", json=PATIENT))
    assert "FB-4013" == code(put("/fhir/Patient/li", data=b"", content_type=json_type))
    assert "FB-1001" == code(put("/fhir/Patient/li", data=b"{", content_type=json_type))
    assert "FB-4026" == code(put("/fhir/Patient/a_b", json=PATIENT | {"id": "a_b"}))
    invalid = put("/fhir/Patient/li", json=PATIENT | {"gender": "m"})
    assert (422, "FB-3008") == (invalid.status_code, code(invalid))
    for media in ("text/plain", ""):
        text = put("/fhir/Patient/li", data=b"{}", content_type=media)
        assert (415, "FB-4007") == (text.status_code, code(text))
    nul = client.get("/fhir/Patient?family=a%00")
    assert (400, "FB-4025") == (nul.status_code, code(nul))


def test_absent_and_forbidden_look_alike(world: World) -> None:
    """A caller limited to one patient sees neither another's data nor that it exists."""
    open_client = world.client()
    open_client.put("/fhir/Patient/li", json=PATIENT)
    open_client.put("/fhir/Patient/wang", json=PATIENT | {"id": "wang"})
    world.access = Access.patients(["li"])
    limited = world.client()
    assert 200 == limited.get("/fhir/Patient/li").status_code
    for path in ("Patient/wang", "Patient/wang/_history/1", "Patient/wang/_history"):
        hidden, absent = (
            limited.get(f"/fhir/{path}"),
            limited.get(f"/fhir/{path.replace('wang', 'zhao')}"),
        )
        assert 404 == hidden.status_code == absent.status_code, path
        assert hidden.text.replace("wang", "zhao") == absent.text
    assert ["li"] == [e["resource"]["id"] for e in limited.get("/fhir/Patient").json["entry"]]
    assert 403 == limited.put("/fhir/Patient/li", json=PATIENT).status_code
    assert 403 == limited.put("/fhir/Patient/new", json=PATIENT | {"id": "new"}).status_code
    assert 403 == limited.post("/fhir/Patient", json=PATIENT).status_code
    assert 403 == limited.delete("/fhir/Patient/wang").status_code
    assert 404 == limited.get("/fhir/Patient/wang/$everything").status_code
    assert 403 == limited.post("/fhir/Patient/li/$meta-add", json=_meta_add()).status_code


def _meta_add() -> dict[str, Any]:
    meta = {"tag": [{"system": "urn:t", "code": "a"}]}
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}


def test_an_answer_says_where_its_version_stays(client: FlaskClient) -> None:
    """Content-Location leads to the same bytes, later too; without a resource there is none."""
    created = client.put("/fhir/Patient/li", json=PATIENT)
    read = client.get("/fhir/Patient/li")
    kept = client.get("/fhir/Patient/li", headers={"If-None-Match": 'W/"1"'})
    place = f"{BASE}/Patient/li/_history/1"
    assert [place] * 3 == [each.headers["Content-Location"] for each in (created, read, kept)]
    told = client.put(
        "/fhir/Patient/li",
        json=PATIENT | {"gender": "other"},
        headers={"Prefer": "return=OperationOutcome"},
    )
    assert "Content-Location" not in told.headers
    assert read.data == client.get(place.removeprefix("http://localhost")).data
    assert "Content-Location" not in client.get("/fhir/Patient").headers
