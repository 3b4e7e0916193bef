"""Real sockets: a few requests through the production server."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Request as HttpRequest

from fhir_bridge.access import Access
from fhir_bridge.api import Server, create_app, serve
from tests.api.test_resources import PATIENT
from tests.api.world import World


@pytest.fixture
def server(world: World) -> Iterator[Server]:
    """The API on a free port."""
    running = serve(create_app(world), "127.0.0.1", 0, 4)
    yield running
    running.close()


def ask(
    server: Server, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    data = None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/fhir+json", **headers}
    connection.request(method, path, data, sent)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def raw_get(server: Server, address: bytes) -> tuple[int, dict[str, Any]]:
    """Status and body of a GET whose address goes out byte by byte as given."""
    with socket.create_connection((server.host, server.port), 10) as raw:
        raw.sendall(b"GET " + address + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        return answer.status, json.loads(answer.read())


def test_a_resource_goes_through_the_socket(server: Server) -> None:
    """create, read, and a Chinese search value in UTF-8."""
    assert 201 == ask(server, "PUT", "/fhir/Patient/li", PATIENT)[0]
    assert 200 == ask(server, "GET", "/fhir/Patient/li")[0]
    status, body = ask(server, "GET", "/fhir/Patient?family=%E6%9D%8E")
    assert (200, 1) == (status, json.loads(body)["total"])


@pytest.mark.parametrize(
    ("address", "status", "total"),
    [
        ("/fhir/Patient?family=李", 200, 1),
        ("/fhir/Patient?family=李&family:exact=%E6%9D%8E", 200, 1),
        ("/fhir/Patient?family=王", 200, 0),
        ("/fhir/李", 404, None),
    ],
)
def test_an_address_may_hold_raw_utf8(
    server: Server, address: str, status: int, total: int | None
) -> None:
    """Characters typed as they are mean what their percent-encoded bytes mean."""
    ask(server, "PUT", "/fhir/Patient/li", PATIENT)
    found, body = raw_get(server, address.encode())
    assert (status, total) == (found, body.get("total"))


def test_an_address_in_another_charset_is_answered_in_fhir(server: Server) -> None:
    """Bytes of GB18030 are no UTF-8: an OperationOutcome or no match, never plain text."""
    ask(server, "PUT", "/fhir/Patient/li", PATIENT)
    status, body = raw_get(server, "/fhir/Patient?family=李".encode("gb18030"))
    assert status in {200, 400}
    assert body["resourceType"] in {"Bundle", "OperationOutcome"}
    assert not body.get("total")


def test_no_update_is_lost_among_many_writers(server: Server) -> None:
    """32 writers read, add one tag and write with If-Match until it succeeds."""
    ask(server, "PUT", "/fhir/Patient/li", PATIENT)

    def add(number: int) -> None:
        for _ in range(500):
            present = json.loads(ask(server, "GET", "/fhir/Patient/li")[1])
            tags = [*present["meta"].get("tag", []), {"code": f"t{number}"}]
            body = {**present, "meta": {"tag": tags}}
            version = present["meta"]["versionId"]
            status, _ = ask(
                server, "PUT", "/fhir/Patient/li", body, **{"If-Match": f'W/"{version}"'}
            )
            if status == 200:
                return
            assert 412 == status

        raise AssertionError("no turn in 500 attempts")

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(add, range(32)))
    tags = json.loads(ask(server, "GET", "/fhir/Patient/li")[1])["meta"]["tag"]
    assert {f"t{number}" for number in range(32)} == {each["code"] for each in tags}


def test_raw_requests_that_break_http_do_no_harm(server: Server) -> None:
    """Garbage and half requests are answered or dropped; the next request is served."""
    for data in (
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /fhir/Patient HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
    ):
        with socket.create_connection((server.host, server.port), 5) as raw:
            raw.sendall(data)
    assert 200 == ask(server, "GET", "/health")[0]


def test_a_proxy_can_be_told(world: World) -> None:
    """The headers of a proxy reach whoever decides on access."""
    seen: list[str | None] = []

    def access_for(request: HttpRequest) -> Access:
        seen.append(request.headers.get("X-Forwarded-For"))
        return Access.everything()

    world.access_for = access_for  # type: ignore[method-assign]
    running = serve(create_app(world), "127.0.0.1", 0, 2)
    ask(running, "GET", "/fhir/Patient/li", **{"X-Forwarded-For": "203.0.113.9"})
    running.close()
    assert ["203.0.113.9"] == seen


def test_a_closed_server_takes_no_connection(world: World) -> None:
    """close() returns soon and frees the port."""
    running = serve(create_app(world), "127.0.0.1", 0, 2)
    assert 200 == ask(running, "GET", "/health")[0]
    running.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((running.host, running.port), 1)


def test_the_loop_may_end_before_its_waker_has_finished(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that closes may still write to the pipe of a loop that is through already."""
    server = serve(create_app(world), "127.0.0.1", 0, 1)
    trigger = server._server.trigger
    write = trigger._physical_pull

    def write_late() -> None:
        write()
        while trigger.thunks:
            time.sleep(0.001)
        write()

    monkeypatch.setattr(trigger, "_physical_pull", write_late)
    server.close()
    assert not server._loop.is_alive()
