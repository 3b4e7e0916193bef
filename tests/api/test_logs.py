"""No request leaves anything of a patient in any log, whatever becomes of it."""

from __future__ import annotations

import http.client
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from fhir_bridge.api import Server, create_app, monitoring, serve
from fhir_bridge.errors import BridgeError
from tests.api.test_resources import PATIENT
from tests.api.world import World

SECRETS = ("SecretName", "330106197001020011", "secret-id", "13800001111", "秘密")
NAME, NUMBER, ID, PHONE, WORD = SECRETS
BODY = PATIENT | {
    "id": ID,
    "name": [{"family": NAME, "text": WORD}],
    "identifier": [{"system": "urn:h", "value": NUMBER}],
    "telecom": [{"system": "phone", "value": PHONE}],
}
JSON = {"Content-Type": "application/fhir+json", "If-None-Exist": f"identifier={NUMBER}"}
REQUESTS: list[tuple[str, str, Any, dict[str, str]]] = [
    ("PUT", f"/fhir/Patient/{ID}", BODY, JSON),
    ("GET", f"/fhir/Patient/{ID}", None, {}),
    ("GET", f"/fhir/Patient?identifier={NUMBER}&family={NAME}&name={quote(WORD)}", None, {}),
    ("GET", f"/fhir/Patient?{NAME}={NUMBER}", None, {}),
    ("GET", f"/fhir/Patient?birthdate={NUMBER}", None, {}),
    ("GET", f"/fhir/{NAME}/{ID}", None, {}),
    ("GET", f"/fhir/Patient/{ID}/_history?_since={NAME}", None, {}),
    ("GET", f"/fhir/Patient/{ID}/$everything", None, {}),
    ("GET", f"/fhir/Patient/{ID}/${NAME}", None, {}),
    ("GET", f"/{NAME}/{NUMBER}", None, {}),
    ("GET", f"/fhir/Patient/{ID}", None, {"Accept": NAME, "X-Request-Id": f"{NAME} {NUMBER}"}),
    ("POST", "/fhir/Patient", BODY, JSON),
    ("POST", "/fhir/Patient", BODY | {"gender": NAME}, JSON),
    ("POST", "/fhir/Patient", {"resourceType": NAME}, JSON),
    ("POST", "/fhir/Patient", f'{{"{NAME}": {NUMBER}', JSON),
    ("POST", "/fhir/Patient", f"<{NAME}>{NUMBER}", {"Content-Type": "application/fhir+xml"}),
    ("POST", "/fhir/Patient/_search", f"identifier={NUMBER}",
     {"Content-Type": "application/x-www-form-urlencoded"}),
    ("POST", "/fhir/Patient/$validate", BODY | {NAME: 1}, JSON),
    ("POST", "/fhir", {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": BODY, "request": {"method": "PUT", "url": f"Patient/{ID}{NAME}"}}]}, JSON),
    ("PATCH", f"/fhir/Patient/{ID}", f'[{{"op":"test","path":"/id","value":"{NAME}"}}]',
     {"Content-Type": "application/json-patch+json"}),
    (NAME.upper(), f"/fhir/Patient/{ID}", None, {}),
    ("DELETE", f"/fhir/Patient?identifier={NUMBER}", None, {"If-Match": f'"{NAME}"'}),
]  # fmt: skip


@pytest.fixture
def server(world: World) -> Iterator[Server]:
    """The production server on a free port."""
    running = serve(create_app(world), "127.0.0.1", 0, 2)
    yield running
    running.close()


def ask(server: Server, method: str, path: str, body: Any, headers: dict[str, str]) -> int:
    """The status of one request."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    data = body if isinstance(body, str) or body is None else json.dumps(body)
    connection.request(method, path, data.encode() if data else None, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def broken(*_: object, **__: object) -> None:
    """A fault whose text holds what it worked on."""
    raise ValueError(f"{NAME} {NUMBER} {ID}")


def refused(*_: object, **__: object) -> None:
    """An error of the catalogue with such details."""
    raise BridgeError("FB-5001", resource_type="Patient", id=ID, found=NAME, wanted=NUMBER)


@pytest.mark.parametrize("state", ["good", "slow", "broken store", "refusing store", "broken edge"])
def test_no_log_holds_anything_of_a_patient(
    server: Server,
    world: World,
    state: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Names, numbers, ids and search values: in no line of any logger, at any level."""
    monkeypatch.setattr(logging.getLogger("fhir_bridge"), "propagate", True)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="fhir_bridge")  # whatever a test before it has set
    if state == "slow":
        monkeypatch.setattr(monitoring, "_SLOW_SECONDS", 0.0)
    elif state == "broken edge":
        monkeypatch.setattr("fhir_bridge.api.application.write_response", broken)
    elif state != "good":
        act = broken if state == "broken store" else refused
        for name in ("read", "find", "run", "history"):
            monkeypatch.setattr(world.store, name, act)
    statuses = [ask(server, *request) for request in REQUESTS]
    assert {"broken store", "broken edge"}.isdisjoint({state}) or 500 in statuses
    assert "slow" != state or "slow" in caplog.text
    told = caplog.text + "".join(capfd.readouterr())
    for secret in SECRETS:
        assert secret not in told
        assert quote(secret) not in told
