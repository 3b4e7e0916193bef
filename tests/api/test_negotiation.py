"""Media types, qualities, character sets and codings, as RFC 9110 and FHIR R4 ask.

https://hl7.org/fhir/R4/http.html#mime-type, https://www.rfc-editor.org/rfc/rfc9110#section-12
"""

from __future__ import annotations

import gzip
import json
import zlib
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from tests.api.test_resources import PATIENT, code

BODY = json.dumps(PATIENT | {"name": [{"family": "李"}]}, ensure_ascii=False).encode()
JSON = "application/fhir+json"


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("application/fhir+json", "application/fhir+json"),
        ("application/json", "application/json"),
        ("text/json", "text/json"),
        ("application/json+fhir", "application/fhir+json"),
        ("application/fhir+xml", "application/fhir+xml"),
        ("application/xml", "application/xml"),
        ("text/xml", "text/xml"),
        ("application/xml+fhir", "application/fhir+xml"),
        ("APPLICATION/FHIR+XML", "application/fhir+xml"),
        ("*/*", "application/fhir+json"),
        ("application/*", "application/fhir+json"),
        ("application/fhir+json;q=0, */*", "application/fhir+xml"),
        ("application/fhir+json;q=0.1, application/fhir+xml;q=0.2", "application/fhir+xml"),
        ("image/png, application/fhir+xml;q=0.1", "application/fhir+xml"),
        ("application/fhir+json; fhirVersion=4.0", "application/fhir+json"),
        ('application/fhir+json; fhirVersion="4.0"', "application/fhir+json"),
        ("application/fhir+json; fhirVersion=5.0, application/fhir+xml", "application/fhir+xml"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/fhir+json"),
        ("application/fhir+json; charset=utf-8", "application/fhir+json"),
    ],
)
def test_accept_is_obeyed(client: FlaskClient, accept: str, answered: str) -> None:
    """The best that is asked for and served, said in Content-Type with its character set."""
    answer = client.get("/fhir/metadata", headers={"Accept": accept})
    assert (200, f"{answered}; charset=utf-8") == (answer.status_code, answer.content_type)


@pytest.mark.parametrize(
    "accept",
    ["text/turtle", "*/*;q=0", "application/fhir+json;q=0", "junk", "application/fhir+json;q=x",
     "application/fhir+json; fhirVersion=3.0"],
)  # fmt: skip
def test_what_is_not_served_is_refused(client: FlaskClient, accept: str) -> None:
    """406 with an OperationOutcome that the client can at least read as JSON."""
    refused = client.get("/fhir/metadata", headers={"Accept": accept})
    assert (406, "FB-4006") == (refused.status_code, code(refused))


@pytest.mark.parametrize(
    ("asked", "family"),
    [
        ("json", "json"), ("xml", "xml"), ("text/xml", "xml"), ("application/json", "json"),
        ("application/fhir+xml", "xml"), ("application/fhir%2Bxml", "xml"),
        ("application/fhir+json;fhirVersion=4.0", "json"), ("", "json"),
        ("ttl", ""), ("html", ""), ("application/fhir+json; fhirVersion=3.0", ""),
    ],
)  # fmt: skip
def test_format_wins_over_accept(client: FlaskClient, asked: str, family: str) -> None:
    """``_format`` names a format or a media type; the plus may arrive as a blank."""
    address = f"/fhir/metadata?_format={quote(asked, safe='+%/')}"
    answer = client.get(address, headers={"Accept": "text/turtle"} if asked else {})
    assert (200 if family else 406) == answer.status_code, asked
    assert family in answer.content_type


@pytest.mark.parametrize(
    "content_type",
    [JSON, "application/json", "text/json", "application/json+fhir", f"{JSON}; charset=UTF-8",
     f"{JSON}; fhirVersion=4.0", f'{JSON}; charset="utf-8"'],
)  # fmt: skip
def test_a_body_is_read_by_every_name_of_its_type(client: FlaskClient, content_type: str) -> None:
    """Characters arrive as they were sent."""
    put = client.put("/fhir/Patient/li", data=BODY, content_type=content_type)
    assert (201, "李") == (put.status_code, put.json["name"][0]["family"])


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "*/*",
     "application/*", "text/html", "application/xhtml+xml", f"{JSON}; charset=iso-8859-1",
     f"{JSON}; charset=utf-16", f"{JSON}; fhirVersion=3.0"],
)  # fmt: skip
def test_a_body_of_another_type_is_refused(client: FlaskClient, content_type: str) -> None:
    """Nothing is guessed: 415, or 400 for a form where a resource belongs."""
    refused = client.put("/fhir/Patient/li", data=BODY, content_type=content_type)
    assert refused.status_code in (400, 415), refused.text
    assert 404 == client.get("/fhir/Patient/li").status_code


def test_a_search_takes_a_form_and_nothing_else(client: FlaskClient) -> None:
    """A resource where parameters belong is no search of everything."""
    client.put("/fhir/Patient/li", json=PATIENT)
    assert 1 == client.post("/fhir/Patient/_search", data={"_id": "li"}).json["total"]
    assert 1 == client.post("/fhir/Patient/_search?_id=li").json["total"]
    assert 1 == client.get("/fhir/Patient/_search?_id=li").json["total"]
    refused = client.post("/fhir/Patient/_search", json={"_id": "nobody"})
    assert (415, "FB-4007") == (refused.status_code, code(refused))


_RAW = zlib.compressobj(9, zlib.DEFLATED, -15)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(BODY)),
        ("x-gzip", gzip.compress(BODY)),
        ("gzip", gzip.compress(BODY[:20]) + gzip.compress(BODY[20:])),
        ("deflate", zlib.compress(BODY)),
        ("deflate", _RAW.compress(BODY) + _RAW.flush()),
        ("identity", BODY),
    ],
)
def test_a_packed_body_is_unpacked(client: FlaskClient, coding: str, packed: bytes) -> None:
    """In one member or several, with the header of zlib or without it."""
    headers = {"Content-Encoding": coding}
    put = client.put("/fhir/Patient/li", data=packed, content_type=JSON, headers=headers)
    assert 201 == put.status_code, put.text


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(BODY)[:-5]),
        ("gzip", gzip.compress(BODY)[:-12]),
        ("gzip", BODY),
        ("gzip", gzip.compress(BODY) + b"junk"),
        ("deflate", b"junk"),
        ("br", BODY),
        ("gzip, gzip", gzip.compress(gzip.compress(BODY))),
    ],
)
def test_a_damaged_packing_is_refused(client: FlaskClient, coding: str, packed: bytes) -> None:
    """Also where only the end is missing: what was not whole is not taken."""
    headers = {"Content-Encoding": coding}
    refused = client.put("/fhir/Patient/li", data=packed, content_type=JSON, headers=headers)
    assert (415, "FB-4007") == (refused.status_code, code(refused))


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("GZIP", True), ("gzip;q=0", False),
     ("gzip; q=0.0, identity", False), ("br", False), ("", False)],
)  # fmt: skip
def test_an_answer_is_packed_for_whom_it_may(
    client: FlaskClient, accepted: str, is_packed: bool
) -> None:
    """A quality of nothing is a no; Vary tells caches."""
    answer = client.get("/fhir/metadata", headers={"Accept-Encoding": accepted})
    assert is_packed == ("Content-Encoding" in answer.headers)
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_a_wish_that_is_not_granted_is_not_claimed(client: FlaskClient) -> None:
    """``respond-async`` is answered at once, without saying that it was applied."""
    answer = client.get("/fhir/Patient", headers={"Prefer": "respond-async"})
    assert 200 == answer.status_code
    assert "Preference-Applied" not in answer.headers
    assert "Content-Location" not in answer.headers
