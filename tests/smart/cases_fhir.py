"""Access to the FHIR service with a token: one resident's app, and what it must not reach."""

from __future__ import annotations

import io
import json
import logging
from functools import cache
from typing import Any

import pytest
import requests

from fhir_bridge.errors import BridgeError
from tests.smart.cases import case
from tests.smart.site import BACK, Launch, Site, proof

_REFUSED = (403, 404)


@cache
def _token_of(root: str, scope: str, name: str) -> list[str]:
    return []


def token(site: Site, scope: str = "launch/patient patient/*.cruds", name: str = "zhang") -> str:
    """An access token of a resident's app; the same one for the same scopes."""
    kept = _token_of(site.root, scope, name)
    if not kept:
        kept.append(Launch(site, scope=scope).tokens(name)["access_token"])
    return kept[0]


def ids(answer: requests.Response) -> set[str]:
    """The ids in a searchset, included ones too."""
    assert answer.status_code == 200, answer.text
    return {each["resource"]["id"] for each in answer.json().get("entry", ())}


def send(
    site: Site, method: str, path: str, body: Any, held: str, **headers: str
) -> requests.Response:
    """A change of a resource."""
    said = {"Authorization": f"Bearer {held}", "Content-Type": "application/fhir+json", **headers}
    data = json.dumps(body) if body is not None else None
    return requests.request(method, f"{site.base}/{path}", data=data, headers=said, timeout=120)


@case("F-01", "F-02", "F-12")
def foreign_reads(site: Site) -> None:
    """By id, by version, by history."""
    held = token(site)
    for place in (
        "Patient/p2", "Observation/o-p2", "Patient/p2/_history", "Observation/o-p2/_history/1",
        "Patient/p2/_history/1",
    ):  # fmt: skip
        assert site.get(place, held).status_code in _REFUSED, place
    assert site.get("Patient/p1", held).status_code == 200


@case("F-03", "F-04", "F-05", "F-06")
def foreign_searches(site: Site) -> None:
    """Whatever is asked for, only the own record is found."""
    held = token(site)
    assert ids(site.get("Observation", held)) == {"o-p1"}
    assert ids(site.get("Patient?_id=p1,p2", held)) == {"p1"}
    assert ids(site.get("Observation?patient=p1,p2", held)) == {"o-p1"}
    answer = site.get("Observation?subject=Patient/p2", held)
    assert answer.status_code == 403 or ids(answer) == set()


@case("F-07", "F-75")
def everything_of_another(site: Site) -> None:
    """$everything follows the same rule."""
    held = token(site)
    assert site.get("Patient/p2/$everything", held).status_code in _REFUSED
    own = site.get("Patient/p1/$everything", held)
    assert "p2" not in own.text.replace(site.base, "")


@case("F-08", "F-09", "F-71")
def foreign_includes(site: Site) -> None:
    """Neither by reference nor by return."""
    held = token(site)
    for query in (
        "Observation?_include=Observation:subject", "Patient?_id=p1,p2&_revinclude=Observation:subject",
        "Observation?_include=*", "Patient?_revinclude=Provenance:target&_include=*",
        "Observation?_include:iterate=Observation:subject",
    ):  # fmt: skip
        answer = site.get(query, held)
        found = ids(answer) if answer.status_code == 200 else set()
        assert not found & {"p2", "p3", "o-p2", "o-p3"}, query


@case("F-11", "F-31", "F-32")
def no_oracle(site: Site) -> None:
    """Counts, order and conditions over others tell nothing."""
    held = token(site)
    assert ids(site.get("Patient?_has:Observation:patient:status=final", held)) == {"p1"}
    assert site.get("Observation?_summary=count", held).json()["total"] == 1
    assert site.get("Observation?_total=accurate", held).json()["total"] == 1
    by_number = site.get("Patient?_sort=identifier", held)
    assert by_number.status_code == 400 or ids(by_number) <= {"p1"}
    chained = site.get("Observation?patient.name=李四", held)
    assert chained.status_code == 403 or ids(chained) == set()


@case("F-15")
def foreign_condition(site: Site) -> None:
    """A transaction finds nobody by a number, and tells nobody's."""
    entry = {
        "request": {"method": "PUT", "url": "Observation/o-new"},
        "resource": {
            "resourceType": "Observation", "id": "o-new", "status": "final", "code": {"text": "x"},
            "subject": {"reference": "Patient?name=李四"},
        },
    }  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    answer = send(site, "POST", "", bundle, token(site))
    assert answer.status_code >= 400, answer.text
    assert "Patient/p2" not in answer.text


@case("F-20", "F-21", "F-22")
def interactions_of_scopes(site: Site) -> None:
    """Reading, searching and changing are three things."""
    reads = token(site, "launch/patient patient/Observation.r")
    searches = token(site, "launch/patient patient/Observation.s")
    both = token(site, "launch/patient patient/Observation.rs")
    assert site.get("Observation/o-p1", reads).status_code == 200
    assert site.get("Observation", reads).status_code == 403
    assert site.get("Observation", searches).status_code == 200
    assert site.get("Observation/o-p1", searches).status_code == 403
    body = {"resourceType": "Observation", "id": "o-p1", "status": "final", "code": {"text": "x"}}
    for method, path in (
        ("POST", "Observation"),
        ("PUT", "Observation/o-p1"),
        ("DELETE", "Observation/o-p1"),
    ):
        answer = send(site, method, path, body if method != "DELETE" else None, both)
        assert answer.status_code in _REFUSED, (method, answer.status_code)
    patch = [{"op": "replace", "path": "/status", "value": "amended"}]
    answer = send(
        site,
        "PATCH",
        "Observation/o-p1",
        patch,
        both,
        **{"Content-Type": "application/json-patch+json"},
    )
    assert answer.status_code in _REFUSED


@case("F-23", "F-24")
def type_of_scope(site: Site) -> None:
    """A scope of one type opens no other, on whichever way."""
    held = token(site, "launch/patient patient/Observation.rs")
    assert site.get("Condition", held).status_code == 403
    assert site.get("Patient/p1", held).status_code in _REFUSED
    answer = site.get("Patient/p1/$everything", held)
    assert answer.status_code != 200 or '"Condition"' not in answer.text
    assert site.get("$graphql?query={x}", held).status_code >= 400


@case("F-26")
def foreign_binary(site: Site) -> None:
    """A Binary belongs to its document, and nobody else reads it."""
    with site.services.store.transaction() as transaction:
        transaction.put(
            {
                "resourceType": "Binary", "id": "b2", "contentType": "text/plain", "data": "eA==",
                "securityContext": {"reference": "Patient/p2"},
            }
        )  # fmt: skip
    assert site.get("Binary/b2", token(site)).status_code in _REFUSED


@case("F-39")
def methods(site: Site) -> None:
    """No other method is a way around."""
    held = token(site, "launch/patient patient/Observation.rs")
    override = {"X-HTTP-Method-Override": "DELETE"}
    assert site.get("Observation/o-p1", held, **override).status_code == 200
    assert site.get("Observation/o-p1", held).status_code == 200
    for method in ("TRACE", "CONNECT"):
        answer = send(site, method, "Observation/o-p1", None, held)
        assert answer.status_code >= 400
    assert requests.head(f"{site.base}/Patient/p2", timeout=120).status_code == 401
    assert requests.options(f"{site.base}/Patient/p2", timeout=120).content == b""


@case("F-40")
def post_search(site: Site) -> None:
    """The same rules as by GET, with parameters of both."""
    held = token(site)
    answer = requests.post(
        f"{site.base}/Observation/_search?status=final",
        {"patient": "p1,p2"},
        headers={"Authorization": f"Bearer {held}"},
        timeout=120,
    )
    assert ids(answer) == {"o-p1"}


@case("F-42")
def tenant_headers(site: Site) -> None:
    """There is one record here; headers choose no other."""
    held = token(site)
    for name in ("X-Tenant", "X-Forwarded-Host", "X-Original-URL", "X-Rewrite-URL"):
        assert site.get("Patient/p2", held, **{name: "/fhir/Patient/p1"}).status_code in _REFUSED


@case("F-45", "F-46")
def no_reflection(site: Site) -> None:
    """What is sent does not come back as a page."""
    held = token(site)
    attack = "<script>alert(1)</script>"
    for place in (
        f"Patient?{attack}=1",
        f"{attack}",
        f"Patient?name:{attack}=1",
        f"Patient?_format={attack}",
    ):
        answer = site.get(place, held, Accept="text/html")
        assert "html" not in answer.headers["Content-Type"]
    answer = site.get("Patient", held, Accept=f"application/{attack}")
    assert attack not in answer.text


@case("F-49", "F-57")
def no_outbound_fetch(site: Site) -> None:
    """A reference elsewhere is text."""
    held = token(site)
    resource = {
        "resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "subject": {"reference": "http://127.0.0.1:9/Patient/1"},
    }  # fmt: skip
    answer = send(site, "POST", "Observation/$validate", resource, held)
    assert answer.elapsed.total_seconds() < 10


@case("F-66")
def plain_errors(site: Site) -> None:
    """No traces, no SQL, no paths."""
    held = token(site)
    for place in (
        "Patient?_count=x",
        "Patient/%00",
        "Nonsense",
        "Patient?birthdate=2000-99-99",
        "Patient/..%2f",
    ):
        text = site.get(place, held).text
        for word in ("Traceback", "SELECT", "sqlite", ".py", "/work", "site-packages"):
            assert word not in text, (place, word)


@case("F-70")
def page_link_of_another(site: Site) -> None:
    """A link under another person shows that person's, or nothing."""
    with site.services.store.transaction() as transaction:
        for number in range(3):
            transaction.put(
                {
                    "resourceType": "Observation", "id": f"more{number}", "status": "final",
                    "code": {"text": "x"}, "subject": {"reference": "Patient/p1"},
                }
            )  # fmt: skip
    first = site.get("Observation?_count=1", token(site)).json()
    (following,) = (each["url"] for each in first["link"] if each["relation"] == "next")
    place = following.removeprefix(f"{site.base}/")
    other = site.get(place, token(site, name="li"))
    assert other.status_code >= 400 or not ids(other) & {"more0", "more1", "more2", "o-p1"}
    assert site.get(place[:-3] + "xyz", token(site)).status_code >= 400
    with site.services.store.transaction() as transaction:
        for number in range(3):
            transaction.delete("Observation", f"more{number}")


@case("F-73")
def no_defaults(site: Site) -> None:
    """No default names, no consoles, no descriptions without a session."""
    for name, password in (("admin", "admin"), ("admin", "password"), ("operator", "operator")):
        assert site.accounts.check(name, password, "test") is None
    for path in ("/h2-console", "/actuator", "/swagger-ui/", "/fhir/openapi.json", "/admin"):
        answer = requests.get(f"{site.root}{path}", allow_redirects=False, timeout=120)
        assert answer.status_code in (401, 404), path


@case("F-77")
def client_id_alone(site: Site) -> None:
    """What stands in an app's code opens nothing without a person."""
    app = site.apps["public"].client_id
    form = {"grant_type": "client_credentials", "client_id": app, "scope": "system/*.rs"}
    assert "access_token" not in site.token(form).text
    assert site.get("Patient/p1", app).status_code == 401
    answer = site.get("Patient/p1", Authorization=f"Basic {app}")
    assert answer.status_code == 401


@case("F-78")
def foreign_change(site: Site) -> None:
    """Neither whole nor in part."""
    held = token(site)
    body = {
        "resourceType": "Observation", "id": "o-p2", "status": "amended", "code": {"text": "x"},
        "subject": {"reference": "Patient/p2"},
    }  # fmt: skip
    assert send(site, "PUT", "Observation/o-p2", body, held).status_code in _REFUSED
    moved = {**body, "subject": {"reference": "Patient/p1"}}
    assert send(site, "PUT", "Observation/o-p2", moved, held).status_code in _REFUSED
    patch = [{"op": "replace", "path": "/status", "value": "amended"}]
    answer = send(
        site,
        "PATCH",
        "Observation/o-p2",
        patch,
        held,
        **{"Content-Type": "application/json-patch+json"},
    )
    assert answer.status_code in _REFUSED
    assert send(site, "DELETE", "Observation/o-p2", None, held).status_code in _REFUSED


@case("F-53")
def xml_entity(site: Site) -> None:
    """A DTD is refused before it is read."""
    text = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"/>'
    answer = requests.post(
        f"{site.base}/Patient",
        text,
        headers={"Authorization": f"Bearer {token(site)}", "Content-Type": "application/fhir+xml"},
        timeout=120,
    )
    assert answer.status_code in (400, 403)
    assert "root:" not in answer.text


def system_token(site: Site, scope: str = "system/*.rs") -> str:
    """A token of a backend service."""
    form = {"grant_type": "client_credentials", "scope": scope}
    answer = site.token(form | proof(site.assertion("system")))
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["access_token"]
    return found


@case("F-30")
def export_beyond_scope(site: Site) -> None:
    """A system with one type gets no other one."""
    held = system_token(site, "system/Patient.rs")
    assert site.get("Patient/p1", held).status_code == 200
    assert site.get("Observation", held).status_code == 403
    answer = site.get("$export?_type=Observation", held)
    assert answer.status_code >= 400


@case("F-47", "F-51")
def no_callbacks(site: Site) -> None:
    """Nobody makes this site call an address: subscriptions are stored at most, imports are not offered."""
    held = token(site, "launch/patient patient/*.cruds")
    for operation in ("$import", "$bulk-submit"):
        body = {"resourceType": "Parameters"}
        assert send(site, "POST", operation, body, held).status_code >= 400
    with pytest.raises(BridgeError):
        site.register(
            "inside", kind="asymmetric", jwks_url="http://169.254.169.254/x", redirect_uris=(BACK,)
        )


@case("F-33")
def labels_stay(site: Site) -> None:
    """A label cannot be left out by asking for some elements only."""
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    with site.services.store.transaction() as transaction:
        transaction.put(
            {
                "resourceType": "Observation", "id": "labelled", "meta": {"security": [label]},
                "status": "final", "code": {"text": "x"}, "subject": {"reference": "Patient/p1"},
            }
        )  # fmt: skip
    held = token(site)
    try:
        for query in ("_elements=status", "_summary=true", "_elements=id"):
            found = site.get(f"Observation/labelled?{query}", held).json()
            assert any(each["code"] == "R" for each in found["meta"]["security"]), query
    finally:
        with site.services.store.transaction() as transaction:
            transaction.delete("Observation", "labelled")


@case("F-36")
def contained_patient(site: Site) -> None:
    """A contained Patient is text of its container: it neither opens nor hides anybody's record."""
    with site.services.store.transaction() as transaction:
        transaction.put(
            {
                "resourceType": "Observation", "id": "holds", "status": "final", "code": {"text": "x"},
                "contained": [{"resourceType": "Patient", "id": "p1", "name": [{"text": "张三"}]}],
                "subject": {"reference": "Patient/p2"}, "performer": [{"reference": "#p1"}],
            }
        )  # fmt: skip
    held = token(site)
    try:
        assert site.get("Observation/holds", held).status_code in _REFUSED
        assert "holds" not in ids(site.get("Observation", held))
        assert "holds" not in site.get("Observation?subject.name=张三", held).text
    finally:
        with site.services.store.transaction() as transaction:
            transaction.delete("Observation", "holds")


@case("F-67")
def silent_logs(site: Site) -> None:
    """No token, no secret and no number of a person in a line of the log."""
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    logger = logging.getLogger("fhir_bridge")
    logger.addHandler(handler)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        launch = Launch(site, "symmetric")
        said = launch.tokens()
        site.get("Patient?identifier=11010519491231002X", said["access_token"])
        site.get("Patient?nonsense=11010519491231002X", said["access_token"])
        launch.refresh("nonsense-refresh-token")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    hidden = (said["access_token"], said["refresh_token"], site.secrets["symmetric"])
    for secret in (*hidden, "11010519491231002X", "nonsense-refresh-token"):
        assert secret not in lines.getvalue()
