"""The product as a whole: real sockets, a real folder, a real record."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from threading import Event, Thread
from types import SimpleNamespace

import pytest

from fhir_bridge.app import Product, build
from fhir_bridge.demo.file_drop import drop_table
from fhir_bridge.demo.hospital_messages import registrations
from fhir_bridge.demo.public_health import health_files
from fhir_bridge.errors import BridgeError


@pytest.fixture
def product(settings):
    """The running product, stopped at the end."""
    running = Product(build(settings))
    running.start()
    yield running
    running.stop()


def _get(product, query):
    url = f"{product.services.settings.fhir_base}/{query}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def _send(product, data):
    """One message over MLLP; what is answered."""
    with socket.create_connection(product.mllp.addresses["hospital-his"], 60) as connection:
        connection.sendall(b"\x0b" + data + b"\x1c\r")
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            answer += connection.recv(65536)
    return answer


def test_a_message_over_a_socket_is_a_patient_over_http(product):
    """Acknowledged, recorded, served."""
    message = next(registrations(300, 1))
    answer = _send(product, message.data)
    product.wait_until_idle(0.4)

    assert b"MSA|AA|" in answer
    assert 1 == _get(product, "Patient?_summary=count")["total"]
    assert 1 == _get(product, "Provenance?_summary=count")["total"]


def test_a_dropped_file_is_taken(product):
    """Ten health files in GB18030 become ten residents, and the file is put away."""
    inbox = product.services.settings.data / "inbox" / "public-health-files"
    drop_table(inbox, "files.csv", health_files(10, 1), codec="gb18030")
    deadline = time.monotonic() + 120
    while not (inbox / "done" / "files.csv").exists() and time.monotonic() < deadline:
        product.wait_until_idle(0.1)
    product.wait_until_idle(0.4)

    assert 10 == _get(product, "Patient?_summary=count")["total"]
    assert ["files.csv"] == [path.name for path in (inbox / "done").iterdir()]


def test_waiting_ends_only_when_everything_is_recorded(product):
    """Many messages on one connection are recorded or in quarantine when the wait is over."""
    messages = [message.data for message in registrations(300, 1)]
    with socket.create_connection(product.mllp.addresses["hospital-his"], 60) as connection:
        connection.sendall(b"".join(b"\x0b" + data + b"\x1c\r" for data in messages))
        answers = b""
        while answers.count(b"\x1c\r") < len(messages):
            answers += connection.recv(65536)
    product.wait_until_idle(0.4)

    counted = product.services.store.quarantine.counts_by_feed().get("hospital-his", {})
    assert [] == product.services.store.journal.pending(1)
    recorded = _get(product, "Provenance?_summary=count")["total"]
    assert len(messages) > 50
    assert len(messages) == recorded + sum(counted.values())


def test_stopping_frees_every_port_and_keeps_the_record(settings):
    """A stopped site starts again on the same ports with the same record."""
    first = Product(build(settings))
    first.start()
    taken = first.mllp.addresses["hospital-his"]
    _send(first, next(registrations(300, 1)).data)
    first.stop()
    for address in (taken, (settings.host, settings.port)):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, 1)

    second = Product(build(settings))
    second.start()
    try:
        second.wait_until_idle(0.4)
        assert 1 == _get(second, "Patient?_summary=count")["total"]
    finally:
        second.stop()


def test_a_port_that_is_taken_is_told_and_nothing_is_left_running(settings):
    """OSError at start; stop still ends in order."""
    with socket.create_server((settings.host, settings.port)):
        product = Product(build(settings))
        with pytest.raises(OSError, match="in use"):
            product.start()
        product.stop()


def test_health_is_told_once_every_feed_can_be_received(settings, monkeypatch):
    """While a listener is slow to come up nobody is told that the site is well."""
    product, begin = Product(build(settings)), Event()
    start_mllp = product.mllp.start
    monkeypatch.setattr(product.mllp, "start", lambda: begin.wait(60) and start_mllp())
    url = f"http://{settings.host}:{settings.port}/health"
    starting = Thread(target=product.start)
    starting.start()
    try:
        with pytest.raises(OSError):  # noqa: PT011 - refused, or not answered in time
            urllib.request.urlopen(url, timeout=1)
        begin.set()
        starting.join(60)
        with urllib.request.urlopen(url, timeout=60) as answer:
            assert 200 == answer.status
        socket.create_connection(product.mllp.addresses["hospital-his"], 10).close()
    finally:
        begin.set()
        starting.join(60)
        product.stop()


def test_a_port_of_a_feed_that_is_taken_leaves_no_page_behind(settings, monkeypatch):
    """OSError at start; after stop the port of the pages is free."""
    product = Product(build(settings))

    def taken():
        raise OSError("in use")

    monkeypatch.setattr(product.mllp, "start", taken)
    with pytest.raises(OSError, match="in use"):
        product.start()
    product.stop()
    socket.create_server((settings.host, settings.port)).close()


def test_a_feed_that_cannot_be_used_stops_the_start(settings):
    """A site starts whole or not at all, with the feed's name in the sentence."""
    broken = settings.overlay[0] / "mappings" / "feeds" / "broken.toml"
    broken.write_text('title.en = "x"\nsource = "hospital"\nformat = "hl8"\n', encoding="utf-8")
    with pytest.raises(BridgeError) as refused:
        build(settings)

    assert "FB-6301" == refused.value.code
    assert "broken" in str(refused.value)


def test_a_delayed_look_is_not_taken_for_quiet(monkeypatch):
    """Where each pause lasts longer than the quiet asked for, work that is pending still holds it."""
    looks = [[1], [1], [], []]
    asked = []

    def has_pending():
        asked.append(1)
        return looks[len(asked) - 1]

    pause = time.sleep
    monkeypatch.setattr(time, "sleep", lambda _: pause(0.05))
    journal = SimpleNamespace(has_pending=has_pending)
    idle = SimpleNamespace(
        services=SimpleNamespace(store=SimpleNamespace(journal=journal)), _files_wait=lambda: False
    )
    Product.wait_until_idle(idle, 0.02)

    assert len(asked) == len(looks)


def test_a_profile_of_the_site_that_others_would_read_in_another_way_stops_the_start(settings):
    """An element out of order: the file, the place and what to do are named."""
    folder = settings.overlay[0] / "profiles" / "ours"
    folder.mkdir(parents=True)
    elements = [{"id": f"Patient.{name}", "path": f"Patient.{name}"} for name in ("name", "active")]
    profile = {
        "resourceType": "StructureDefinition",
        "url": "https://hospital.example/StructureDefinition/x",
        "name": "X",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": {"element": elements},
    }
    (folder / "StructureDefinition-x.json").write_text(json.dumps(profile), encoding="utf-8")

    with pytest.raises(BridgeError) as refused:
        build(settings)

    assert "FB-3031" == refused.value.code
    assert (
        "profiles/ours/StructureDefinition-x.json: StructureDefinition.differential.element[1]"
        == (refused.value.issues[0].where)
    )
