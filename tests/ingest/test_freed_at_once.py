"""Records of the pipeline are freed when they are let go, without a search for cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from fhir_bridge import hl7v2
from fhir_bridge.hl7v2.line import Line
from fhir_bridge.hl7v2.segment import Segment
from fhir_bridge.hl7v2.structure import Instance
from fhir_bridge.hl7v2.value import Value
from fhir_bridge.ingest import parse_feed
from fhir_bridge.ingest.parse import parse
from fhir_bridge.tables.row import Cell, Row

ADT = (
    "MSH|^~\\&|HIS|H1|FB|C1|20260101120000||{type}|M1|P|2.5\r"
    'PID|1||P1^^^H1&1.2.3&ISO^MR~330110197001011234^^^^SFZ||张三^ZHANGSAN||19700101|""||^^|A\\T\\B\r'
    "ORC|RE|1|2\rOBR|1|1|2|718-7^HB\rOBX|1|NM|718-7^HB^LN||13^&1|g/L\rNTE|1||note\rZZZ|1|x\r"
).encode()
ROWS = "姓名,疾病,血压\n张三,高血压、糖尿病(疑似),138/86\n李四,*,无\n".encode()
_KINDS = (hl7v2.Message, Segment, Line, Value, Instance, Row, Cell)
_FEEDS = {
    "hl7v2": 'title.en = "One"\nsource = "hospital"\nformat = "hl7v2"\nmaps."*" = "http://example.org/map"\n',
    "table": 'title.en = "One"\nsource = "hospital"\nformat = "table"\nmap = "http://example.org/map"\n'
    "[table]\nclear = ['*']\n",
}


@pytest.fixture(autouse=True)
def _no_search() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("hl7v2", ADT.replace(b"{type}", b"ORU^R01")),
        ("hl7v2", ADT.replace(b"{type}", b"ADT^A01")),
        ("hl7v2", ADT.replace(b"{type}", b"ZZZ^Z01")),
        ("table", ROWS),
    ],
    ids=["grouped", "another event", "without groups", "rows"],
)
def test_a_record_that_was_read_to_its_last_part_is_freed_when_it_is_let_go(
    form: str, data: bytes
) -> None:
    """Whatever a map may ask of it."""
    feed = parse_feed("one", _FEEDS[form])
    before = _nodes()

    for record in parse(data, feed):
        _ask_all(record.tree)
    del record

    assert _nodes() == before


@pytest.mark.parametrize(
    ("form", "data"), [("hl7v2", ADT.replace(b"{type}", b"ADT^A01")), ("table", ROWS)]
)
def test_a_record_that_is_mapped_keeps_its_bytes_alone(form: str, data: bytes) -> None:
    """A batch holds the trees of one record at a time; what quarantine needs is still there."""
    feed = parse_feed("one", _FEEDS[form])
    before = _nodes()
    (digest, own), *_ = [(record.digest, record.data) for record in parse(data, feed)]
    record = next(iter(parse(data, feed)))
    record.let_go()

    assert _nodes() == before
    assert (record.digest, record.data) == (digest, own)


def _ask_all(node: Any, depth: int = 6) -> None:
    """Ask a node for all it has, and each part for its place and for parts by any name."""
    if isinstance(node, list):
        for one in node:
            _ask_all(one, depth)
    elif hasattr(node, "keys") and depth:
        assert node.where
        for name in {*node.keys(), "raw", "c1", "s1", "number", "items", "code"}:
            _ask_all(node.get(name), depth - 1)


def _nodes() -> int:
    """How many nodes of messages and tables there are."""
    return sum(isinstance(one, _KINDS) for one in gc.get_objects())
