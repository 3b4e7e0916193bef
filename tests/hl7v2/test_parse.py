"""Bytes to messages and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_bridge import hl7v2
from fhir_bridge.errors import BridgeError

HEADER = "MSH|^~\\&|HIS|H1|FB|C1|20260101120000||ADT^A01^ADT_A01|M1|P|2.5"
PID = "PID|1||P1^^^H1&1.2.3&ISO^MR~330110197001011234^^^^SFZ||张三^ZHANGSAN||19700101|M"
ADT = f"{HEADER}\rEVN|A01\r{PID}\rPV1|1|I\r"


def test_a_gb18030_message_without_declaration_is_decoded_before_it_is_split() -> None:
    """Second bytes of GB18030 that look like separators part nothing."""
    name = "".join(bytes([0x81, second]).decode("gb18030") for second in b"|^~\\")
    message = hl7v2.parse(ADT.replace("张三", name).encode("gb18030"))

    assert message.get("PID").get("f5") == name
    assert message.get("PID").get("f5").get("c2") == "ZHANGSAN"
    assert message.charset == "gb18030"


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("UNICODE UTF-8", "utf-8"),
        ("GB 18030-2000", "gb18030"),
        ("GB18030", "gb18030"),
        ("GBK", "gb18030"),
        ("", "utf-8"),
        ("", "gb18030"),
    ],
)
def test_declared_and_undeclared_character_sets_give_the_same_name(
    declared: str, codec: str
) -> None:
    """MSH-18 in its usual spellings, or nothing, reads 张三."""
    text = ADT.replace("|2.5\r", f"|2.5||||||{declared}\r")

    assert hl7v2.parse(text.encode(codec)).get("PID").get("f5") == "张三"


def test_bytes_that_contradict_the_declaration_are_refused_or_flagged() -> None:
    """UTF-8 under an ASCII label is certain and flagged; GB18030 under UTF-8 is refused."""
    ascii_label = hl7v2.parse(ADT.replace("|2.5\r", "|2.5||||||ASCII\r").encode())
    with pytest.raises(BridgeError) as refused:
        hl7v2.parse(ADT.replace("|2.5\r", "|2.5||||||UNICODE UTF-8\r").encode("gb18030"))
    by_feed = hl7v2.parse(
        ADT.replace("|2.5\r", "|2.5||||||UNICODE UTF-8\r").encode("gb18030"), charset="gb18030"
    )

    assert [issue.code for issue in ascii_label.issues] == ["FB-1105"]
    assert refused.value.code == "FB-1104"
    assert by_feed.get("PID").get("f5") == "张三"
    assert [issue.code for issue in by_feed.issues] == ["FB-1105"]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_every_line_end_ends_a_segment(end: str) -> None:
    """CR, LF and CRLF give the same segments."""
    message = hl7v2.parse(ADT.replace("\r", end).encode())

    assert [segment.name for segment in message.segments] == ["MSH", "EVN", "PID", "PV1"]


def test_a_line_break_inside_a_field_stays_in_the_field() -> None:
    """A line that is no segment continues the one before, with a warning."""
    message = hl7v2.parse((ADT + "OBX|1|TX|A||first line\nsecond line||||||F\r").encode())

    assert message.get("OBX").get("f5") == "first line\nsecond line"
    assert message.get("OBX").get("f11") == "F"
    assert [issue.code for issue in message.issues] == ["FB-1116"]


REPORT = "first line{0}MRI{0}{0}CT 2{0}second line"


@pytest.mark.parametrize(
    ("end", "inside"), [("\r", "\n"), ("\r", "\r\n"), ("\r\n", "\n"), ("\n", "\n"), ("\r", "\r")]
)
def test_a_line_of_three_capitals_in_a_report_ends_nothing(end: str, inside: str) -> None:
    """Text, conclusion and status stay with their result, whatever breaks the lines."""
    obx = f"OBX|1|TX|A||{REPORT.format(inside)}||||||F"
    message = (
        hl7v2.parse((ADT + f"{obx}\rOBX|2|ST|B||x||||||F\r").replace("\r", end).encode())
        if (inside != "\r\n")
        else hl7v2.parse((ADT + f"{obx}\rOBX|2|ST|B||x||||||F\r").encode())
    )

    assert [segment.name for segment in message.segments] == [
        *["MSH", "EVN", "PID", "PV1", "OBX", "OBX"]
    ]
    first, second = message.get("OBX")
    lines = str(first.get("f5")).split("\n")
    assert [line for line in lines if line] == ["first line", "MRI", "CT 2", "second line"]
    assert (first.get("f11"), second.get("f5")) == ("F", "x")
    assert [issue.code for issue in message.issues] == ["FB-1116"]


def test_an_empty_line_between_paragraphs_stays_where_cr_parts_the_segments() -> None:
    """The text is as the doctor wrote it."""
    message = hl7v2.parse((ADT + "OBX|1|TX|A||one\n\nPID\ntwo||||||F\r").encode())

    assert message.get("OBX").get("f5") == "one\n\nPID\ntwo"


def test_known_segments_begin_after_any_line_end() -> None:
    """A sender that mixes line ends keeps its segments, its own Z segments too."""
    text = (
        ADT.replace("\rPID", "\nPID").replace("\rPV1", "\r\nPV1") + "ZPI|1\nZPJ|2\n\rNTE|1||x\r\n"
    )
    message = hl7v2.parse(text.encode())

    names = [segment.name for segment in message.segments]
    assert names == ["MSH", "EVN", "PID", "PV1", "ZPI", "ZPJ", "NTE"]
    assert message.issues == []


def test_a_known_segment_may_stand_without_fields() -> None:
    """A bare name that the standard knows is a segment, another is text."""
    message = hl7v2.parse(f"{HEADER}\r{PID}\rPD1\rPV1|1|I\r".encode())

    assert [segment.name for segment in message.segments] == ["MSH", "PID", "PD1", "PV1"]


def test_a_batch_keeps_the_lines_of_a_report() -> None:
    """Parting a batch into messages breaks no text."""
    batch = f"BHS|^~\\&|A\r{ADT}OBX|1|TX|A||one\nMRI\nBTS|\r{ADT}BTS|2\r"

    first, second = hl7v2.split_batch(batch.replace("BTS|\r", "two\r").encode())

    assert hl7v2.parse(first).get("OBX").get("f5") == "one\nMRI\ntwo"
    assert hl7v2.parse(second).get("OBX") is None


@pytest.mark.parametrize(
    ("name", "text", "warned"),
    [
        ("\\XE5BCA0\\", "张", False),
        ("\\XE5\\\\XBC\\\\XA0\\三", "张三", False),
        ("\\XD5C5\\", "张", False),
        ("a\\X0D0A\\b", "a\nb", False),
        ("C:\\Xray\\", "C:\\Xray\\", False),
        ("\\XFF\\三", "\ufffd三", True),
        ("张\\X00\\", "张", True),
        ("\\XE5B\\", "\\XE5B\\", True),
    ],
)
def test_a_hexadecimal_escape_that_gives_no_text_is_told(
    name: str, text: str, warned: bool
) -> None:
    """With the field that holds it; what stands around it is kept."""
    message = hl7v2.parse(ADT.replace("张三", name).encode())

    assert message.get("PID").get("f5") == text
    found = [(issue.code, issue.severity, issue.where) for issue in message.issues]
    assert found == ([("FB-1122", "warning", "PID-5")] if warned else [])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "FB-1101"),
        (b"hello world", "FB-1101"),
        (b'{"resourceType":"Patient"}', "FB-1101"),
        (b"MSH", "FB-1102"),
        (b"MSH|", "FB-1102"),
        (b"MSH|^^~&|", "FB-1102"),
        (b"MSHA^~\\&A", "FB-1102"),
        (ADT.encode("utf-16"), "FB-1119"),
        (ADT.replace("|2.5\r", "|2.5||||||KLINGON\r").encode(), "FB-1103"),
        ((ADT + ADT).encode(), "FB-1108"),
        (b"\xff\xff\xff", "FB-1104"),
    ],
)
def test_what_is_no_message_gets_a_coded_error(data: bytes, code: str) -> None:
    """Each way of being no message has its own code."""
    with pytest.raises(BridgeError) as error:
        hl7v2.parse(data)

    assert error.value.code == code


def test_other_separators_are_read_from_the_header() -> None:
    """MSH-1 and MSH-2 of any kind part the message."""
    message = hl7v2.parse(b"MSH#*!?%#A#B#C#D#2026##ADT*A01#1#P#2.5\rPID###1*2%3!4\r")

    first, second = message.get("PID").get("f3")
    assert (first, first.get("c2"), first.get("c2").get("s2"), second) == ("1", "2", "3", "4")


def test_a_batch_is_parted_into_its_messages() -> None:
    """FHS/BHS/BTS/FTS fall away and each message stands alone."""
    batch = f"FHS|^~\\&|A\rBHS|^~\\&|A\r{ADT}{ADT.replace('M1', 'M2')}BTS|2\rFTS|1\r"

    parts = hl7v2.split_batch(batch.encode())

    assert [hl7v2.parse(part).control_id for part in parts] == ["M1", "M2"]


def test_a_batch_with_a_wrong_count_is_refused() -> None:
    """BTS-1 that says another number is an error about the trailer."""
    with pytest.raises(BridgeError) as error:
        hl7v2.split_batch(f"BHS|^~\\&|A\r{ADT}BTS|2\r".encode())

    assert (error.value.code, error.value.issues[0].where) == ("FB-1121", "BTS-1")


_LINE = st.text(st.characters(min_codepoint=32, exclude_characters="\x7f\x85\u2028", codec="utf-8"))


@given(st.lists(st.tuples(st.sampled_from(["PID", "OBX", "ZZ1", "NTE"]), _LINE), max_size=8))
def test_render_gives_back_what_parse_took(segments: list[tuple[str, str]]) -> None:
    """Parse then render is the identity on messages with CR ends."""
    data = "".join([f"{HEADER}\r", *(f"{name}|{text}\r" for name, text in segments)]).encode()

    assert hl7v2.render(hl7v2.parse(data)) == data


@given(st.one_of(st.binary(), st.binary().map(lambda tail: HEADER.encode() + b"\r" + tail)))
def test_any_bytes_give_a_message_or_a_coded_error(data: bytes) -> None:
    """Nothing but BridgeError FB-11xx ever comes out, also while walking every value."""
    try:
        message = hl7v2.parse(data)
    except BridgeError as error:
        message, code = None, error.code
    if message is None:
        assert code.startswith("FB-11")
        return
    for segment in message.segments:
        for name in segment.keys():  # noqa: SIM118
            found = segment.get(name)
            for value in found if isinstance(found, list) else [found]:
                assert value.where.startswith(segment.where)
                assert all(value.get(part) is not None for part in value.keys())  # noqa: SIM118
    assert message.keys() is not None
