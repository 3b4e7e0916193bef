"""What hospitals and institutions send: frames, messages, documents, tables."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl

from fhir_bridge import hl7v2
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.errors import entry
from fhir_bridge.fhir import definitions, render_json
from fhir_bridge.ingest import Validation, convert, load_feeds
from fhir_bridge.listeners import admission
from fhir_bridge.transform import Library
from fhir_bridge.validation import Validator
from tests.fuzz.target import Fault, Target

__all__ = ["MESSAGES"]

_CASES = Path(__file__).parent.parent / "cases" / "maps"
_PART = b"\n==== "


@cache
def _parts() -> dict[str, Any]:
    artifacts = Artifacts()
    validator = Validator(definitions(), Profiles.from_artifacts(artifacts))
    return {
        "feeds": load_feeds(artifacts),
        "library": Library.from_artifacts(artifacts),
        "validation": Validation(validator, "off"),
    }


def _seeds(pattern: str) -> list[bytes]:
    _parts()  # what is loaded once counts for no input
    return [path.read_bytes() for path in sorted(_CASES.glob(pattern))]


def _frames(data: bytes) -> None:
    """Frames in pieces of any size; each is looked at and answered."""
    feed = next(feed for feed in _parts()["feeds"].values() if feed.listener.kind == "mllp")
    size = data[0] + 1 if data else 1
    framer = hl7v2.Framer(limit=20_000)
    events = [
        event
        for start in range(1, len(data), size)
        for event in framer.feed(data[start : start + size])
    ]
    for event in [*events, *framer.close()]:
        if isinstance(event, hl7v2.Frame):
            admitted = admission.admit(event.payload, feed)
            reply = admission.answer(admitted, event.payload, feed)
            if reply is not None:
                hl7v2.parse(reply)


def _framed() -> list[bytes]:
    found = _seeds("v2-a*/input.hl7")
    batch = b"FHS|^~\\&\rBHS|^~\\&\r" + b"\r".join(found[:2]) + b"\rBTS|2\rFTS|1"
    return [b"\x40" + hl7v2.frame(each) + hl7v2.frame(found[0]) for each in [*found, batch]]


def _converted(data: bytes) -> None:
    """Parsed, mapped and judged: a Bundle that can be written, or coded issues."""
    found = convert(data, **_parts())
    for issue in found.issues:
        entry(issue.code)
        assert issue.sentence
    if found.bundle is not None:
        render_json(found.bundle)


def _workbook(data: bytes) -> None:
    """The parts of a workbook, each after a line that names it: packed, then read."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for part in data.split(_PART)[1:50]:
            name, _, content = part.partition(b"\n")
            archive.writestr(zipfile.ZipInfo(name.decode("utf-8", "replace")[:100] or "x"), content)
    _converted(packed.getvalue())


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError:
        return text.decode("gb18030")


def _workbooks() -> list[bytes]:
    found = []
    for text in _seeds("table-p*/input.csv"):
        book = openpyxl.Workbook()
        for line in _decoded(text).splitlines():
            book.active.append(line.split(","))
        packed = io.BytesIO()
        book.save(packed)
        with zipfile.ZipFile(packed) as archive:
            parts = [
                _PART + name.encode() + b"\n" + archive.read(name) for name in archive.namelist()
            ]
        found.append(b"".join(parts))
    return found


_V2 = (b"MSH|^~\\&|", b"PID|", b"OBX|1|NM|", b"OBR|", b"\rZZZ|", b"\\X0D\\", b"\\E\\", b"\\F\\", b"^~\\&", b'""', b"UNICODE UTF-8", b"2.5.1", b"ADT^A40", b"MRG|", b"\x1c\r", b"\x0b", b"BHS|")  # fmt: skip
_XML = (b"<!DOCTYPE a>", b"&amp;", b"&#0;", b"&x;", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?xml version='1.0' encoding='GBK'?>", b' xmlns="urn:hl7-org:v3"', b' nullFlavor="UNK"', b"<text/>", b"<id/>", b' xsi:type="CD"', b' root="2.16"', b"</section>")  # fmt: skip
_CSV = (b",", b";", b"\t", b'"', b'""', b"\r\n", b"\n", b"\xef\xbb\xbf", "身份证号".encode(), "姓名".encode(), b"=1+1", b"1.10105194912310E+17", "合计".encode(), b"[{", b"2024/1/5")  # fmt: skip
_SHEET = (b"<c r=\"A1\" t=\"s\"><v>0</v></c>", b"<row>", b"<v>", b"</v>", b"<is><t>", b't="inlineStr"', b't="e"', b"r=\"XFD1048576\"", b"<mergeCell ref=\"A1:B2\"/>", _PART + b"xl/sharedStrings.xml\n", b"&#10;", b"45000.5")  # fmt: skip
_INGEST = (
    "fhir_bridge.ingest",
    "fhir_bridge.map_functions",
    "fhir_bridge.transform",
    "fhir_bridge.validation",
)

MESSAGES = (
    Target(
        "v2-frames",
        _frames,
        _framed,
        _V2,
        (
            Fault("fhir_bridge.hl7v2.acknowledgement", "_minimal", lambda data, *_: b"PID" in data),
            Fault(
                "fhir_bridge.listeners.admission",
                "answer",
                lambda found, *_: len(found.messages) > 1,
            ),
            Fault("fhir_bridge.hl7v2.parse", "_segment_name", lambda line, _: len(line) > 2_000),
        ),
        ("fhir_bridge.hl7v2", "fhir_bridge.listeners"),
    ),
    Target(
        "v2-messages",
        _converted,
        lambda: _seeds("v2-*/input.hl7"),
        _V2,
        (
            Fault(
                "fhir_bridge.hl7v2.parse",
                "_hexadecimal_issues",
                lambda m: b"\\X0D" in hl7v2.render(m),
            ),
            Fault(
                "fhir_bridge.hl7v2.parse", "_segment_name", lambda line, _: line.startswith("ZZZ")
            ),
            Fault("fhir_bridge.ingest.convert", "unread_issue", lambda places: len(places) > 3),
        ),
        ("fhir_bridge.hl7v2", *_INGEST),
    ),
    Target(
        "cda",
        _converted,
        lambda: _seeds("cda-*/input.xml"),
        _XML,
        (
            Fault("fhir_bridge.cda.document", "_complete", lambda *_: True),
            Fault("fhir_bridge.cda.document", "_parse_tolerantly", lambda data, _: b"&#0;" in data),
            Fault(
                "fhir_bridge.cda.narrative",
                "_write",
                lambda *_: True,
            ),
        ),
        ("fhir_bridge.cda", *_INGEST),
    ),
    Target(
        "v3",
        _converted,
        lambda: _seeds("v3-*/input.xml"),
        _XML,
        (
            Fault(
                "fhir_bridge.cda.document", "_parse_tolerantly", lambda data, _: b"CDATA" in data
            ),
            Fault("fhir_bridge.cda.node", "_cleaned", lambda _, value: len(value) > 150),
            Fault("fhir_bridge.ingest.convert", "parse", lambda data, _: b"<text/>" in data),
        ),
        ("fhir_bridge.cda", *_INGEST),
    ),
    Target(
        "csv",
        _converted,
        lambda: _seeds("table-*/input.csv"),
        _CSV,
        (
            Fault(
                "fhir_bridge.tables.reader",
                "_oddities",
                lambda record, *_: max(map(len, record)) > 1_000,
            ),
            Fault(
                "fhir_bridge.tables.reader",
                "_misses",
                lambda record, _: len(record) < 3,
            ),
            Fault("fhir_bridge.ingest.convert", "parse", lambda data, _: b"[{" in data),
        ),
        ("fhir_bridge.tables", *_INGEST),
    ),
    Target(
        "xlsx",
        _workbook,
        _workbooks,
        _SHEET,
        (
            Fault("fhir_bridge.tables.workbook", "_text", lambda value: len(str(value)) > 24),
            Fault("fhir_bridge.tables.reader", "_workbook", lambda data, _: b"1048576" in data),
            Fault("fhir_bridge.tables.workbook", "_lines", lambda *_: True),
        ),
        ("fhir_bridge.tables", *_INGEST),
    ),
)
