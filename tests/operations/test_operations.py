"""Operations over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_bridge.access import Access
from fhir_bridge.operations import operations
from fhir_bridge.store import Transaction
from fhir_bridge.transform import Library
from tests.api.test_resources import PATIENT, code
from tests.api.world import World
from tests.interactions.test_search import ids, link
from tests.interactions.test_transaction import OBSERVATION

_ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000)"
    " SELECT count(*) FROM n"
)
MAP = """map "http://example.org/StructureMap/copy" = "copy"
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Person" alias Person as target
group copy(source src : Patient, target tgt : Person) {
  src.gender as g -> tgt.gender = g;
}
"""


def parameters(**values: Any) -> dict[str, Any]:
    """A Parameters resource; a value is {"valueX": …} or {"resource": …}."""
    listed = [{"name": name, **value} for name, value in values.items()]
    return {"resourceType": "Parameters", "parameter": listed}


def test_validate_tells_what_is_wrong(client: FlaskClient) -> None:
    """200 with an OperationOutcome, whether the resource is sent bare or as parameter."""
    wrong = PATIENT | {"gender": "m"}
    bare = client.post("/fhir/Patient/$validate", json=wrong)
    assert (200, "error") == (bare.status_code, bare.json["issue"][0]["severity"])
    wrapped = client.post("/fhir/Patient/$validate", json=parameters(resource={"resource": wrong}))
    assert bare.json == wrapped.json
    good = client.post("/fhir/Patient/$validate", json=PATIENT)
    assert {"error", "fatal"}.isdisjoint(each["severity"] for each in good.json["issue"])
    assert 404 == client.get("/fhir/Patient/li").status_code


def test_validate_needs_something_to_validate(client: FlaskClient) -> None:
    """What cannot be understood is refused."""
    assert 400 == client.post("/fhir/Patient/$validate", json=OBSERVATION).status_code
    assert 400 == client.post("/fhir/Patient/$validate", json=parameters()).status_code
    profile = parameters(mode={"valueCode": "profile"}, resource={"resource": PATIENT})
    assert 400 == client.post("/fhir/Patient/$validate", json=profile).status_code
    unknown = parameters(profile={"valueUri": "urn:none"}, resource={"resource": PATIENT})
    told = client.post("/fhir/Patient/$validate", json=unknown).json["issue"]
    assert "FB-3013" in {each["details"]["coding"][0]["code"] for each in told}


def test_meta_of_a_type_and_of_the_record_lists_what_is_in_use(client: FlaskClient) -> None:
    """Each label once, of present versions only, with every profile that is claimed."""
    profile = "http://hl7.org/fhir/StructureDefinition/Patient"
    labels = {"tag": [{"system": "urn:t", "code": "b"}], "profile": [profile]}
    client.put("/fhir/Patient/li", json=PATIENT | {"meta": {"tag": [{"code": "gone"}]}})
    client.put("/fhir/Patient/li", json=PATIENT | {"meta": labels})
    twice = {**labels, "tag": [{"system": "urn:t", "code": "a"}, *labels["tag"]]}
    client.put("/fhir/Patient/wang", json=PATIENT | {"id": "wang", "meta": twice})
    secret = {"system": "urn:s", "code": "R", "display": "restricted"}
    held = OBSERVATION | {"id": "o", "meta": {"security": [secret]}}
    client.put("/fhir/Observation/o", json=held)

    def meta(place: str) -> Any:
        return client.get(f"/fhir/{place}$meta").json["parameter"][0]["valueMeta"]

    codings = [{"system": "urn:t", "code": "a"}, {"system": "urn:t", "code": "b"}]
    assert {"profile": [profile], "tag": codings} == meta("Patient/")
    assert {"profile": [profile], "security": [secret], "tag": codings} == meta("")
    assert {} == meta("Encounter/")


def test_meta_of_the_record_shows_no_label_of_what_may_not_be_seen(either: World) -> None:
    """Labels of other patients' resources stay unsaid."""
    client = either.client()
    for name in ("li", "wang"):
        labelled = PATIENT | {"id": name, "meta": {"tag": [{"code": name}]}}
        client.put(f"/fhir/Patient/{name}", json=labelled)
    either.access = Access.patients(["li"])
    for place in ("", "Patient/"):
        answer = client.get(f"/fhir/{place}$meta").json
        assert {"tag": [{"code": "li"}]} == answer["parameter"][0]["valueMeta"]


def test_meta_is_added_and_taken_away(client: FlaskClient) -> None:
    """Tags come once and go; each change is a version."""
    client.put("/fhir/Patient/li", json=PATIENT)
    tag = parameters(meta={"valueMeta": {"tag": [{"system": "urn:t", "code": "a"}]}})
    added = client.post("/fhir/Patient/li/$meta-add", json=tag).json
    assert "a" == added["parameter"][0]["valueMeta"]["tag"][0]["code"]
    client.post("/fhir/Patient/li/$meta-add", json=tag)
    assert 'W/"2"' == client.get("/fhir/Patient/li").headers["ETag"]
    assert ["li"] == ids(client.get("/fhir/Patient?_tag=urn:t|a").json)
    gone = client.post("/fhir/Patient/li/$meta-delete", json=tag).json
    assert "tag" not in gone["parameter"][0]["valueMeta"]
    old = client.get("/fhir/Patient/li/_history/2/$meta").json
    assert "a" == old["parameter"][0]["valueMeta"]["tag"][0]["code"]
    assert 405 == client.get("/fhir/Patient/li/$meta-add").status_code
    assert 400 == client.post("/fhir/Patient/li/$meta-add", json=parameters()).status_code


@pytest.fixture
def record(client: FlaskClient) -> FlaskClient:
    """A patient with five observations and a practitioner."""
    client.put("/fhir/Patient/li", json=PATIENT)
    client.put("/fhir/Patient/wang", json=PATIENT | {"id": "wang"})
    client.put("/fhir/Practitioner/dr", json={"resourceType": "Practitioner", "id": "dr"})
    for number in range(5):
        body = OBSERVATION | {
            "id": f"o{number}",
            "subject": {"reference": "Patient/li"},
            "performer": [{"reference": "Practitioner/dr"}],
            "effectiveDateTime": f"202{number}-01-01",
        }
        client.put(f"/fhir/Observation/o{number}", json=body)
    return client


def test_everything_is_the_record_of_one_patient(record: FlaskClient) -> None:
    """The patient, the compartment, and what it refers to; nobody else's data."""
    found = record.get("/fhir/Patient/li/$everything").json
    assert ["li", "o0", "o1", "o2", "o3", "o4"] == ids(found)
    assert ["dr"] == ids(found, "include")


def test_everything_can_be_limited(record: FlaskClient) -> None:
    """By type, by the time of care, by change, and by page."""
    url = "/fhir/Patient/li/$everything"
    assert ["li"] == ids(record.get(f"{url}?_type=Patient").json)
    assert ["li", "o1", "o2"] == ids(record.get(f"{url}?start=2021-01-01&end=2022-06-01").json)
    assert [] == ids(record.get(f"{url}?_since=2999-01-01T00:00:00Z").json)
    seen: list[str] = []
    place = f"{url}?_count=2"
    while place:
        page = record.get(place).json
        seen += ids(page)
        place = link(page, "next")
    assert ["li", "o0", "o1", "o2", "o3", "o4"] == sorted(seen)
    assert 400 == record.get(f"{url}?_type=Nothing").status_code
    assert 400 == record.get(f"{url}?_since=x").status_code
    assert 404 == record.get("/fhir/Patient/none/$everything").status_code


def test_transform_runs_a_map(world: World) -> None:
    """One that is installed, stored or sent along."""
    world.library = Library(None, [MAP])
    client = world.client()
    url = "/fhir/StructureMap/$transform"
    named = client.post(f"{url}?source=http://example.org/StructureMap/copy", json=PATIENT)
    assert (200, "Person", "male") == (
        named.status_code,
        named.json["resourceType"],
        named.json["gender"],
    )
    sent = parameters(srcMap={"valueString": MAP}, content={"resource": PATIENT})
    assert named.json == client.post(url, json=sent).json
    none = client.post(f"{url}?source=urn:none", json=PATIENT)
    assert 422 == none.status_code
    assert "FB-2104" in none.text
    broken = parameters(srcMap={"valueString": "map x"}, content={"resource": PATIENT})
    refused = client.post(url, json=broken)
    assert 422 == refused.status_code
    assert "FB-2101" in refused.text


def test_an_unknown_operation_says_what_is_there(client: FlaskClient) -> None:
    """404 with the operations of that place."""
    unknown = client.get("/fhir/Patient/li/$nonsense")
    assert (404, "FB-4028") == (unknown.status_code, code(unknown))
    assert "$everything" in unknown.json["issue"][0]["diagnostics"]


def test_every_file_is_found() -> None:
    """An operation is a file; nothing lists them."""
    assert {
        "everything",
        "validate",
        "meta",
        "meta-add",
        "meta-delete",
        "transform",
    } <= operations().keys()


def test_labels_are_changed_within_the_time_of_a_query(
    either: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of labels that is late is ended (503) and leaves the labels as they were."""
    client = either.client()
    client.put("/fhir/Patient/li", json=PATIENT)
    either.store.storage.database._query_seconds = 0.1  # type: ignore[attr-defined]
    put = Transaction.put

    def slow(self: Transaction, *arguments: Any, **chosen: Any) -> Any:
        written = put(self, *arguments, **chosen)
        self._session.all(_ENDLESS)
        return written

    monkeypatch.setattr(Transaction, "put", slow)
    tag = parameters(meta={"valueMeta": {"tag": [{"system": "urn:t", "code": "a"}]}})
    late = client.post("/fhir/Patient/li/$meta-add", json=tag)
    assert (503, "FB-5011") == (late.status_code, code(late))
    monkeypatch.undo()
    assert 'W/"1"' == client.get("/fhir/Patient/li").headers["ETag"]


def test_labels_added_at_once_are_all_there(either: World) -> None:
    """Eight clients, eight labels: whoever comes second adds to what the first wrote."""
    client = either.client()
    client.put("/fhir/Patient/li", json=PATIENT)

    def add(number: int) -> int:
        tag = parameters(meta={"valueMeta": {"tag": [{"system": "urn:t", "code": str(number)}]}})
        return (
            client.application.test_client()
            .post("/fhir/Patient/li/$meta-add", json=tag)
            .status_code
        )

    with ThreadPoolExecutor(8) as pool:
        assert [200] * 8 == list(pool.map(add, range(8)))
    tags = client.get("/fhir/Patient/li").json["meta"]["tag"]
    assert set("01234567") == {each["code"] for each in tags}
