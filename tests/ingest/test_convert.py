"""Conversion without a record: format detection, standard feeds, issues instead of exceptions."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from fhir_bridge.fhir.marks import has_marks
from fhir_bridge.ingest import convert, detect, find_standard_feed, parse_feed
from fhir_bridge.transform import Library
from tests.ingest.conftest import ADT_MAP, CSV, HIS, ROW_MAP, adt

FEEDS = {
    "his": parse_feed("his", f"standard = true\n{HIS}"),
    "register": parse_feed("register", f"standard = true\n{CSV}[table]\ncolumns = ['number']"),
    "wider": parse_feed("wider", f"standard = true\n{CSV}[table]\ncolumns = ['number', 'born']"),
    "other": parse_feed("other", CSV),
}
LIBRARY = Library(definitions(), [ADT_MAP, ROW_MAP])


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"MSH|^~\\&|A", "hl7v2"),
        (b"\x0bMSH|^~\\&|A", "hl7v2"),
        (b"\r\nBHS#*!?%#", "hl7v2"),
        ("MSH|^~\\&|A".encode("utf-16"), "hl7v2"),
        (b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>', "cda"),
        (b'junk<?xml version="1.0"?><ClinicalDocument', "cda"),
        ('<?xml version="1.0"?><ClinicalDocument/>'.encode("utf-16"), "cda"),
        (b'<Patient xmlns="http://hl7.org/fhir"/>', "fhir"),
        (b'\xef\xbb\xbf{"resourceType": "Patient"}', "fhir"),
        (b'[{"number": 1}]', "table"),
        (b"PK\x03\x04...", "table"),
        ("编号,姓名\n1,张".encode("gb18030"), "table"),
    ],
)
def test_the_format_is_judged_by_the_first_bytes(data: bytes, form: str) -> None:
    """Marks, frames and UTF-16 do not hide it."""
    assert detect(data) == form


def test_data_of_no_format_is_a_coded_error() -> None:
    """FB-6001, as an issue and not as an exception."""
    assert [issue.code for issue in convert(b"?", feeds=FEEDS, library=LIBRARY).issues] == [
        "FB-6001"
    ]


def test_a_message_is_converted_by_the_standard_feed() -> None:
    """No feed named: the one marked standard for the format reads it."""
    converted = convert(adt().encode("gb18030"), feeds=FEEDS, library=LIBRARY)

    assert converted.feed == "his"
    assert converted.bundle is not None
    kinds = [entry["resource"]["resourceType"] for entry in converted.bundle["entry"]]
    assert kinds == ["Patient", "Encounter", "Organization"]


def test_a_table_goes_to_the_feed_that_knows_most_of_its_columns() -> None:
    """Columns recognise a table; one without known columns needs a named feed."""
    assert find_standard_feed(b"number,born\n1,2", FEEDS).name == "wider"
    assert find_standard_feed(b"number,name\n1,2", FEEDS).name == "register"
    with pytest.raises(BridgeError, match="FB-6002"):
        find_standard_feed(b"a,b\n1,2", FEEDS)


def test_good_rows_are_converted_beside_bad_ones() -> None:
    """All rows in one Bundle; the issue names the row."""
    data = b"number,name,born\nR1,A,1980-01-01\nR2,B,1980-13-01\nR3,C,1980-01-03"
    converted = convert(data, feeds=FEEDS, library=LIBRARY)

    assert converted.bundle is not None
    assert len(converted.bundle["entry"]) >= 2


def test_a_fhir_resource_comes_back_in_a_bundle() -> None:
    """FHIR needs no map."""
    converted = convert(b'{"resourceType": "Patient"}', feeds=FEEDS, library=LIBRARY)

    assert converted.bundle is not None
    assert converted.bundle["entry"] == [{"resource": {"resourceType": "Patient"}}]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from(
        [b"", b"MSH|^~\\&|", b"<a>", b"{", b"number,born\n", b"PK\x03\x04", b"BHS|^~\\&\r"]
    ),
    st.binary(max_size=200),
)
def test_any_bytes_give_a_bundle_or_coded_issues(start: bytes, rest: bytes) -> None:
    """Never another exception."""
    converted = convert(start + rest, feeds=FEEDS, library=LIBRARY)

    assert converted.bundle is not None or converted.issues or start == b"number,born\n"


def test_what_is_converted_shows_no_mark() -> None:
    """A null of the message leaves its element out, without a word about it."""
    text = adt(name='""', more='""')

    found = convert(text.encode(), feeds=FEEDS, library=Library(definitions(), [ADT_MAP]))

    assert found.bundle is not None
    assert [issue.code for issue in found.issues] == ["FB-6012"]
    assert not has_marks(found.bundle)
    (patient,) = (
        entry["resource"]
        for entry in found.bundle["entry"]
        if entry["resource"]["resourceType"] == "Patient"
    )
    assert patient.keys() == {"resourceType", "identifier", "birthDate"}
