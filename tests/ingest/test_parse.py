"""Step 1: bytes to records."""

from __future__ import annotations

from fhir_bridge.ingest import parse_feed
from fhir_bridge.ingest.parse import parse

FEED = 'title.en = "F"\nsource = "hospital"\nmap = "urn:m"\nformat = '
MESSAGE = "MSH|^~\\&|A|B|C|D|20260101||ADT^A08|{}|P|2.5\rPID|1||1\r"


def test_a_batch_gives_one_record_for_each_message() -> None:
    """Types go from the particular to the general; the place says which of the batch."""
    data = f"BHS|^~\\&\r{MESSAGE.format(1)}{MESSAGE.format(2)}BTS|2\r".encode()
    first, second = parse(data, parse_feed("f", f'{FEED}"hl7v2"'))

    assert first.types == ("ADT^A08", "ADT_A01", "ADT", "PID")
    assert (first.where, second.where) == ("message 1 of the batch", "message 2 of the batch")
    assert first.data == MESSAGE.format(1).encode()


def test_a_row_read_again_from_its_own_bytes_is_the_same_record() -> None:
    """What quarantine keeps of a row can be replayed, groups included."""
    feed = parse_feed("f", f'{FEED}"table"\ncharset = "gb18030"\n[table]\ngroup_by = "编号"')
    data = "编号,姓名\n1,张\n1,李\n2,王\n".encode("gb18030")
    first, second = parse(data, feed)
    (again,) = parse(first.data, feed)

    assert [str(row.get("姓名")) for row in again.tree.get("rows")] == ["张", "李"]
    assert again.digest == first.digest != second.digest
    assert (first.where, second.where) == ("rows 2 to 3", "row 4")


def test_a_row_is_the_same_record_wherever_it_stands() -> None:
    """The digest is of the content, so a file that has grown changes nothing of old rows."""
    feed = parse_feed("f", f'{FEED}"table"')
    (short,) = parse(b"a,b\n1,2\n", feed)
    grown = list(parse(b"a,b\n9,9\n1,2\n", feed))

    assert short.digest == grown[1].digest


def test_resources_come_alone_in_bundles_and_by_line() -> None:
    """JSON, NDJSON and XML."""
    feed = parse_feed("f", f'{FEED}"fhir"')
    lines = b'{"resourceType":"Patient","id":"1"}\n{"resourceType":"Group","id":"2"}\n'
    (xml,) = parse(b'<Patient xmlns="http://hl7.org/fhir"><id value="1"/></Patient>', feed)
    (pretty,) = parse(b'{\n"resourceType": "Patient",\n"name": [\n{"text": "A"}]}', feed)

    assert [record.types[0] for record in parse(lines, feed)] == ["Patient", "Group"]
    assert xml.tree["id"] == "1"
    assert pretty.tree["name"] == [{"text": "A"}]
