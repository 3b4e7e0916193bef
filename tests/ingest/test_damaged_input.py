"""Damaged, odd and hostile input through the whole conversion: a Bundle or a coded error, never another exception."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.ingest import Converted, convert, load_feeds
from fhir_bridge.transform import Library

CASES = Path(__file__).parent.parent / "cases" / "maps"
MESSAGES = sorted(CASES.glob("v2-*/input.hl7"))
DOCUMENTS = sorted([*CASES.glob("cda-*/input.xml"), *CASES.glob("v3-*/input.xml")])
FEEDS = load_feeds(Artifacts())
QUIET = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@cache
def library() -> Library:
    """The shipped maps."""
    return Library.from_artifacts(Artifacts())


def text_of(path: Path) -> str:
    """A message of the cases in UTF-8, segments ended by carriage returns."""
    data = path.read_bytes()
    for charset in ("utf-8", "gb18030"):
        try:
            text = data.decode(charset)
        except UnicodeDecodeError:
            continue
        return text.replace("\r\n", "\r").replace("\n", "\r")
    raise AssertionError(path)


def converted(data: bytes) -> Converted:
    """What `data` becomes; checks that a refusal names its code and place."""
    found = convert(data, feeds=FEEDS, library=library())
    if found.bundle is None:
        errors = [issue for issue in found.issues if issue.severity in ("error", "fatal")]
        assert errors
        assert all(issue.code.startswith("FB-") for issue in errors)
    return found


def kinds(found: Converted) -> list[str]:
    """Resource types in order, without what only names people and places."""
    entries = (found.bundle or {}).get("entry", ())
    return [entry["resource"]["resourceType"] for entry in entries]


LINE_ENDS = ["\r", "\n", "\r\n", "\r\r", "\n\r"]
ENCODINGS = ["utf-8", "utf-8-sig", "gb18030", "gbk"]


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("line_end", LINE_ENDS, ids=repr)
def test_line_ends_change_nothing(path: Path, line_end: str) -> None:
    """CR, LF, CRLF and blank lines between segments give the same resources."""
    text = text_of(path)

    found = converted(text.replace("\r", line_end).encode())

    assert kinds(found) == kinds(converted(text.encode()))


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("charset", ENCODINGS)
def test_charsets_without_a_declaration_change_nothing(path: Path, charset: str) -> None:
    """UTF-8 with or without BOM, GBK and GB18030 are told from the bytes when MSH-18 is silent."""
    text = text_of(path)
    fields = text.split("\r", 1)[0].split("|")
    if len(fields) > 17:
        text = "|".join([*fields[:17], "", *fields[18:]]) + "\r" + text.split("\r", 1)[1]

    found = converted(text.encode(charset))

    names = [
        name.get("text")
        for entry in (found.bundle or {}).get("entry", ())
        if entry["resource"]["resourceType"] == "Patient"
        for name in entry["resource"].get("name", ())
    ]
    expected = converted(text.encode())
    assert kinds(found) == kinds(expected)
    assert not any("\ufffd" in name for name in names if name)


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.parent.name)
def test_other_separators_change_nothing(path: Path) -> None:
    """A sender may choose its separators in MSH-1 and MSH-2."""
    text = text_of(path)
    if any(mark in text for mark in "!%$#@"):
        pytest.skip("the case itself holds one of the new separators")

    found = converted(text.translate(str.maketrans("|^~\\&", "!%$#@")).encode())

    assert kinds(found) == kinds(converted(text.encode()))


@QUIET
@given(path=st.sampled_from(MESSAGES), at=st.floats(0, 1), junk=st.binary(max_size=12))
def test_a_message_cut_or_overwritten_anywhere_never_raises(
    path: Path, at: float, junk: bytes
) -> None:
    """Truncated in the middle of anything, with foreign bytes at the cut."""
    data = text_of(path).encode()
    place = int(at * len(data))

    converted(data[:place] + junk)
    converted(data[:place] + junk + data[place + len(junk) :])


PIECES = st.sampled_from(
    [
        '""',
        "~~~",
        "^^^^^&&&&",
        "\\F\\\\S\\\\T\\\\R\\\\E\\",
        "\\X0D0A\\",
        "\\Zodd\\",
        "\\",
        "&",
        "a^b~c&d",
        "99999999999999",
        "20260230",
        "-",
        "\u3000",
        "张" * 300,
        "\x0b\x1c",
        "'; --",
        "<b>",
    ]
)


@QUIET
@given(data=st.data(), path=st.sampled_from(MESSAGES))
def test_odd_fields_never_raise(data: st.DataObject, path: Path) -> None:
    """Any field may hold a delete mark, empty repetitions, broken escapes or nonsense."""
    segments = [segment.split("|") for segment in text_of(path).split("\r") if segment]
    for _ in range(data.draw(st.integers(1, 6))):
        segment = data.draw(st.sampled_from(segments))
        first = 2 if segment[0] == "MSH" else 1
        if len(segment) > first:
            place = data.draw(st.integers(first, len(segment) - 1))
            segment[place] = data.draw(PIECES)

    converted("\r".join("|".join(segment) for segment in segments).encode())


@QUIET
@given(data=st.data(), path=st.sampled_from(MESSAGES))
def test_segments_in_any_order_and_number_never_raise(data: st.DataObject, path: Path) -> None:
    """Segments doubled, left out, moved, and segments of the site's own between them."""
    head, *rest = [segment for segment in text_of(path).split("\r") if segment]
    own = ["ZZZ|1|own", "OBX|1|NM|A^B||x", "NTE|1||note", "PID|2||X", "ORC|", "OBR", "RXA|1"]
    chosen = data.draw(st.lists(st.sampled_from(rest + own), max_size=25))

    converted("\r".join([head, *chosen]).encode())


def test_ten_thousand_segments_are_one_bundle() -> None:
    """A long report keeps every result."""
    lines = [
        "MSH|^~\\&|LIS|H1|FB|C1|20260101120000||ORU^R01^ORU_R01|M1|P|2.5",
        "PID|1||P1^^^H1||张三||19700101|M",
        "OBR|1|A|B|CBC^血常规||||||||||||||||||||||F",
        *(f"OBX|{number}|NM|N{number}^项目||{number}|g/L|||||F" for number in range(10_000)),
    ]

    found = converted("\r".join(lines).encode())

    assert kinds(found).count("Observation") == 10_000


@QUIET
@given(path=st.sampled_from(DOCUMENTS), at=st.floats(0, 1), junk=st.binary(max_size=12))
def test_a_document_cut_or_overwritten_anywhere_never_raises(
    path: Path, at: float, junk: bytes
) -> None:
    """A CDA document with a hole in it is refused with the line, or read."""
    data = path.read_bytes()
    place = int(at * len(data))

    converted(data[:place] + junk)
    converted(data[:place] + junk + data[place + len(junk) :])


@QUIET
@given(data=st.data(), path=st.sampled_from(DOCUMENTS))
def test_a_document_with_elements_left_out_or_doubled_never_raises(
    data: st.DataObject, path: Path
) -> None:
    """Whole lines of a document (header elements, sections, entries) vanish or come twice."""
    lines = path.read_text(encoding="utf-8").split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(1, len(lines) - 1))
        lines[place : place + 1] = data.draw(st.sampled_from([[], [lines[place]] * 2]))

    converted("\n".join(lines).encode())


@QUIET
@given(data=st.data(), path=st.sampled_from(DOCUMENTS))
def test_a_document_with_odd_values_never_raises(data: st.DataObject, path: Path) -> None:
    """Any attribute may hold nonsense."""
    parts = path.read_text(encoding="utf-8").split('value="')
    place = data.draw(st.integers(1, len(parts) - 1))
    odd = data.draw(st.sampled_from(["", "-", "无", "2026023", "１２", "1e999", "x" * 500, "+.5"]))
    parts[place] = odd + parts[place][parts[place].index('"') :]

    converted('value="'.join(parts).encode())
