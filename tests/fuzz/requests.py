"""What comes over HTTP: bodies, searches, and the heads of requests."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from typing import Any

from flask.testing import FlaskClient
from waitress.adjustments import Adjustments  # type: ignore[import-untyped]
from waitress.task import ErrorTask, WSGITask  # type: ignore[import-untyped]

from fhir_bridge.api import create_app
from fhir_bridge.api import server as api_server
from fhir_bridge.fhir import definitions, parse_json, render_json, render_xml
from fhir_bridge.transform import Library
from tests.api.world import World, open_world
from tests.fuzz.target import Fault, Finding, Target

__all__ = ["REQUESTS"]

_HOST = b"Host: localhost\r\n"


@cache
def _world() -> World:
    folder = tempfile.mkdtemp(prefix="fuzz")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return open_world(f"sqlite:///{folder}/record.sqlite3", library=Library())


@cache
def _client() -> FlaskClient:
    return _world().client()


def _answered(status: int, body: bytes) -> None:
    """No answer is a fault of the server's."""
    if status >= 500:
        raise Finding(f"HTTP {status}", body[:300].decode("utf-8", "replace"))


def _body(kind: str) -> Callable[[bytes], None]:
    """A resource, a batch or Parameters: judged, stored, patched with."""
    media = f"application/fhir+{kind}"
    patch = "application/json-patch+json" if kind == "json" else "application/xml-patch+xml"

    def run(data: bytes) -> None:
        client = _client()
        for method, path, content_type in (
            ("POST", "/fhir/Patient/$validate", media),
            ("PUT", "/fhir/Patient/fuzzed", media),
            ("POST", "/fhir", media),
            ("PATCH", "/fhir/Patient/held", media),
            ("PATCH", "/fhir/Patient/held", patch),
        ):
            reply = client.open(path, method=method, data=data, content_type=content_type)
            _answered(reply.status_code, reply.data)

    return run


_PATIENT = """{"resourceType": "Patient", "id": "fuzzed", "active": true, "gender": "female",
 "identifier": [{"system": "urn:oid:1.2.3", "value": "1", "period": {"start": "2020-01-01"}}],
 "name": [{"use": "usual", "family": "Li", "given": ["Wei", "Na"]}, {"text": "李娜", "use": "official"}],
 "birthDate": "1949-12-31", "_birthDate": {"extension": [{"url": "http://example.org/t", "valueTime": "10:00:00"}]},
 "telecom": [{"system": "phone", "value": "138", "rank": 1}], "managingOrganization": {"reference": "Organization/o"},
 "text": {"status": "generated", "div": "<div xmlns=\\"http://www.w3.org/1999/xhtml\\">Li</div>"}}""".encode()


def _resources() -> list[dict[str, Any]]:
    patient = parse_json(_PATIENT)
    held = render_json(patient | {"id": "held"})
    kept = _client().put("/fhir/Patient/held", data=held, content_type="application/fhir+json")
    assert kept.status_code in {200, 201}, kept.text
    entries = [
        {"resource": patient, "request": {"method": "POST", "url": "Patient"}},
        {"request": {"method": "GET", "url": "Patient?name=a&_include=Patient:organization"}},
        {"request": {"method": "DELETE", "url": "Patient/none"}},
    ]
    parts = [
        {"name": "type", "valueCode": "delete"},
        {"name": "path", "valueString": "Patient.name.where(use = 'usual')"},
    ]
    answer = {"linkId": "1", "answer": [{"valueDecimal": 1.5}, {"valueQuantity": {"value": 1}}]}
    return [
        patient | {"id": "fuzzed"},
        {"resourceType": "Bundle", "type": "batch", "entry": entries},
        {"resourceType": "Bundle", "type": "transaction", "entry": entries[:1]},
        {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]},
        {"resourceType": "QuestionnaireResponse", "status": "completed", "item": [answer]},
    ]


def _json_seeds() -> list[bytes]:
    found = [json.dumps(each, ensure_ascii=False, default=str).encode() for each in _resources()]
    operations = [
        {"op": "copy", "from": "/name", "path": "/contact"},
        {"op": "test", "path": "/id", "value": "x"},
    ]
    return [*found, json.dumps(operations).encode()]


def _xml_seeds() -> list[bytes]:
    patch = b'<diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Patient/f:gender/@value">male</replace></diff>'
    return [*(render_xml(each) for each in _resources()), patch]


def _search(data: bytes) -> None:
    """An address below /fhir, as it is typed."""
    path = data.decode("latin-1").replace("#", "%23")
    reply = _client().get(f"/fhir/{path}", base_url="http://localhost")
    _answered(reply.status_code, reply.data)


def _queries() -> list[bytes]:
    _resources()
    names = definitions().search_parameters
    own = [
        f"{kind}?{code}=a,1,2024-01-01|b&{code}:missing=true".encode()
        for kind, code in list(names)[::40]
    ]
    return [
        *own,
        *(
            b"Patient?name=%E5%BC%A0&birthdate=ge2000&_sort=-birthdate,name&_count=5&_total=accurate",
        ),
        *(
            b"Observation?code=http://loinc.org|2339-0&value-quantity=lt5.4||mg&subject.name=x&_has:Provenance:target:agent=1",
        ),
        *(
            b'Patient?_filter=name eq "a" and (birthdate ge 2000-01-01 or not(gender eq male))&_elements=name',
        ),
        *(
            b"Patient?_include=Patient:organization&_revinclude=Observation:subject&_summary=count",
            b"metadata?_format=xml",
        ),
        *(
            b"Location?near=31.2|121.4|5|km",
            b"Patient/held/_history?_since=2024-01-01T00:00:00Z",
            b"Patient/held/$everything",
        ),
    ]


class _Channel:
    """What a task of the server needs of its connection."""

    def __init__(self) -> None:
        self.server = _Server
        self.adj = _Server.adj
        self.addr, self.creation_time, self.check_client_disconnected = ("127.0.0.1", 1), 0, None
        self.written = b""

    def write_soon(self, data: Any) -> int:
        """Take what is answered."""
        self.written += bytes(data) if isinstance(data, (bytes, bytearray)) else b""
        return len(self.written)


class _Server:
    """What a task needs of its server."""

    adj = Adjustments(sockets=[], clear_untrusted_proxy_headers=False)
    effective_port, server_name = 80, "localhost"


@cache
def _application() -> Any:
    return create_app(_world())


def _head(data: bytes) -> None:
    """Read by the server's parser in two pieces, then answered by the application."""
    parser = api_server._Parser(_Server.adj)
    place = parser.received(data[: len(data) // 2])
    while not parser.completed and place < len(data):
        place += parser.received(data[place:]) or len(data)
    if not parser.completed or parser.empty:
        return
    channel = _Channel()
    _Server.application = _application()  # type: ignore[attr-defined]
    task = (ErrorTask if parser.error else WSGITask)(channel, parser)
    task.service()
    status = channel.written.split(b" ", 2)[1:2]
    if status and not (parser.error and status[0] == b"501"):
        _answered(int(status[0]), channel.written)


def _heads() -> list[bytes]:
    _resources()
    body = b'{"resourceType": "Patient"}'
    length = b"Content-Length: %d\r\n" % len(body)
    return [
        b"GET /fhir/Patient?name=%C3%A9 HTTP/1.1\r\n"
        + _HOST
        + b"Accept: application/fhir+xml;q=0.5, */*\r\n\r\n",
        b"POST /fhir/Patient HTTP/1.1\r\n"
        + _HOST
        + length
        + b"Content-Type: application/fhir+json\r\nIf-None-Exist: name=a\r\n\r\n"
        + body,
        b"PUT /fhir/Patient/a HTTP/1.0\r\n"
        + length
        + b'If-Match: W/"1"\r\nPrefer: return=minimal\r\n\r\n'
        + body,
        b"POST /fhir/Patient/_search HTTP/1.1\r\n"
        + _HOST
        + b"Transfer-Encoding: chunked\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n6\r\nname=a\r\n0\r\n\r\n",
        b"OPTIONS /fhir/Patient HTTP/1.1\r\n"
        + _HOST
        + b"Origin: http://a.example\r\nAccess-Control-Request-Method: PUT\r\n\r\n",
        b"GET /fhir/metadata HTTP/1.1\r\n"
        + _HOST
        + b"If-Modified-Since: Mon, 30 Nov 2026 00:00:00 GMT\r\nAccept-Encoding: gzip\r\nX-Request-Id: a\r\n\r\n",
    ]


_JSON = (b"null", b"true", b"[]", b"{}", b'"resourceType":"Bundle",', b'"_birthDate":{"extension":[]},', b"1e999", b"-0", b'"\\ud800"', b'"extension":[{"url":"x"}],', b'"contained":[{"resourceType":"Patient","id":"a"}],', b'{"op":"move","from":"/name/0","path":"/name/-"}', b'"ifNoneExist":"name=a"', b'"path":"~1~0"', b'"2024-02-30"', b"[[[[[[[[")  # fmt: skip
_XML = (b"<!DOCTYPE a>", b"&lt;", b"<contained>", b"<extension url='x'/>", b' value=""', b' xmlns="http://hl7.org/fhir"', b"<div xmlns='http://www.w3.org/1999/xhtml'>", b"<remove sel='f:Patient/f:name[1]'/>", b"<add sel='*' pos='before'>", b"<valueDecimal value='1e9'/>", b"]]>", b"<?x?>")  # fmt: skip
_QUERY = (b"&", b"=", b":exact", b":missing=true", b":not", b":above", b"|", b",", b"$", b"\\,", b"%2C", b"%ff", b"_has:", b"_include:iterate=", b"_sort=", b"_count=0", b"_count=99999999999", b"_filter=", b" and not(", b"ge", b"2024-01-01T10:00:00.123456789+08:00", b"0.1e-400", b"_id=", b".name=", b":Patient.", b"_elements=", b"_format=json", b"/_history/1", b"$everything")  # fmt: skip
_HEAD = (b"\r\n", b": ", b"Content-Length: 99999999999999999999\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"If-Match: *\r\n", b"Content-Type: text/plain\r\n", b"Content-Encoding: gzip\r\n", b"Accept: */*;q=x\r\n", b"Authorization: Bearer x\r\n", b"X-Forwarded-For: a\r\n", b"Range: bytes=0-\r\n", b"PATCH ", b" HTTP/1.1\r\n", b"\x80", b"http://", b"//", b"/fhir/", b"%00")  # fmt: skip
_API = ("fhir_bridge.api", "fhir_bridge.interactions", "fhir_bridge.fhir", "fhir_bridge.search")

REQUESTS = (
    Target(
        "json-bodies",
        _body("json"),
        _json_seeds,
        _JSON,
        (
            Fault(
                "fhir_bridge.interactions.patch.apply",
                "apply_json_patch",
                lambda *_: True,
            ),
            Fault(
                "fhir_bridge.interactions.patch.fhirpath_patch",
                "find_places",
                lambda _, path: "where" in path,
            ),
            Fault("fhir_bridge.interactions.patch.apply", "apply_fhirpath_patch", lambda *_: True),
        ),
        (*_API, "fhir_bridge.validation"),
    ),
    Target(
        "xml-bodies",
        _body("xml"),
        _xml_seeds,
        _XML,
        (
            Fault(
                "fhir_bridge.interactions.patch.xml_patch",
                "_select",
                lambda *_: True,
            ),
            Fault("fhir_bridge.interactions.patch.xml_patch", "patch_document", lambda *_: True),
            Fault(
                "fhir_bridge.interactions.patch.xml_patch",
                "_xpath",
                lambda selector, _: "@" not in selector,
            ),
        ),
        (*_API, "fhir_bridge.xml", "fhir_bridge.validation"),
    ),
    Target(
        "search",
        _search,
        _queries,
        _QUERY,
        (
            Fault("fhir_bridge.search.directives", "_sort", lambda *_: True),
            Fault("fhir_bridge.search.compiling", "_missing", lambda *_: True),
            Fault("fhir_bridge.search.parse", "require_bounds", lambda *_: True),
        ),
        ("fhir_bridge.api", "fhir_bridge.interactions", "fhir_bridge.search", "fhir_bridge.store"),
    ),
    Target(
        "http-heads",
        _head,
        _heads,
        _HEAD,
        (
            Fault("fhir_bridge.api.application", "wanted", lambda _, accept: not accept),
            Fault(
                "fhir_bridge.api.application",
                "read_request",
                lambda http, *_: "Range" in http.headers,
            ),
            Fault("fhir_bridge.api.application", "route", lambda method, *_: method == "POST"),
        ),
        ("fhir_bridge.api", "fhir_bridge.interactions", "waitress"),
    ),
)
