"""Answers to messages, original and enhanced mode."""

from __future__ import annotations

import pytest

from fhir_bridge import hl7v2
from fhir_bridge.errors import Issue

HEADER = "MSH|^~\\&|HIS|H1|FB|C1|20260101||ADT^A01^ADT_A01|{control}|P|{version}|||{accept}|{application}"
NO_CONTROL_ID = [Issue("FB-1109", "error", "MSH-10")]


def _message(
    control: str = "M1",
    version: str = "2.5",
    accept: str = "",
    application: str = "",
    tail: str = "",
) -> hl7v2.Message:
    header = HEADER.format(control=control, version=version, accept=accept, application=application)
    return hl7v2.parse(f"{header}{tail}\rPID|1||P1||李四\r".encode("gb18030"))


def test_an_answer_turns_addresses_round_and_echoes_the_control_id() -> None:
    """MSA-2 equals MSH-10 byte for byte, whatever stands in it."""
    answer = hl7v2.parse(hl7v2.acknowledge(_message("A&B#1 /x"), "AA"))

    header = answer.header
    assert [header.fields[number] for number in (3, 4, 5, 6)] == ["FB", "C1", "HIS", "H1"]
    assert answer.message_type == ("ACK", "A01", "ACK")
    assert answer.get("MSA").fields[:3] == ["MSA", "AA", "A&B#1 /x"]
    assert answer.control_id not in {"", "A&B#1 /x"}


def test_an_answer_names_the_place_and_holds_no_patient_data() -> None:
    """ERR-2 is the location, ERR-3 of table 0357, and the name stays out."""
    issues = [Issue("FB-1118", "error", "PID[2]", {"segment": "PID"}), *NO_CONTROL_ID]
    data = hl7v2.acknowledge(_message(), "AE", issues)
    error, other = hl7v2.parse(data).get("ERR")

    assert error.fields[2] == "PID^2"
    assert error.get("f3").get("c1") == "100"
    assert other.fields[2] == "MSH^1^10^1"
    assert other.get("f5") == "FB-1109"
    assert "李四" not in data.decode("gb18030")


def test_an_answer_before_version_2_5_uses_the_old_err() -> None:
    """ERR-1 carries segment, sequence, field and code."""
    data = hl7v2.acknowledge(_message(version="2.4"), "AE", NO_CONTROL_ID)

    assert hl7v2.parse(data).get("ERR").fields[1] == ("MSH^1^10^101&Required field missing&HL70357")


def test_an_answer_is_in_the_senders_character_set() -> None:
    """MSH-18 is echoed and the bytes are of that set."""
    message = _message(tail="||GB 18030-2000")
    data = hl7v2.acknowledge(message, "AA")

    assert hl7v2.parse(data).header.fields[18] == "GB 18030-2000"


@pytest.mark.parametrize(
    ("accept", "application", "good", "bad"),
    [
        ("", "", "AA", "AE"),
        ("AL", "NE", "CA", "CE"),
        ("AL", "AL", "CA", "CE"),
        ("ER", "NE", None, "CE"),
        ("SU", "NE", "CA", None),
        ("NE", "AL", "AA", "AE"),
        ("NE", "ER", None, "AE"),
        ("NE", "NE", None, None),
        ("", "AL", "AA", "AE"),
        ("XX", "", "AA", "AE"),
    ],
)
def test_the_sender_chooses_which_answers_it_gets(
    accept: str, application: str, good: str | None, bad: str | None
) -> None:
    """MSH-15 and MSH-16 of table 0155 decide."""
    message = _message(accept=accept, application=application)

    assert hl7v2.answer_code(message) == good
    assert hl7v2.answer_code(message, NO_CONTROL_ID) == bad


@pytest.mark.parametrize(("mode", "code"), [("original", "AA"), ("enhanced", "CA"), ("none", None)])
def test_the_feed_may_fix_the_mode(mode: str, code: str | None) -> None:
    """A sender that fills nothing gets what the feed says."""
    assert hl7v2.answer_code(_message(), mode=mode) == code


UNREADABLE = [
    ("UNICODE UTF-8", "张三".encode("gb18030")),
    ("KLINGON", "张三".encode()),
    ("ASCII", "张".encode("gb18030")),
]


@pytest.mark.parametrize(("declared", "name"), UNREADABLE)
@pytest.mark.parametrize("hospital", ["H1", "一院"])
@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_bytes_that_cannot_be_decoded_are_answered_like_a_message(
    declared: str, name: bytes, hospital: str, codec: str
) -> None:
    """MSA-2 as received, addresses turned round, byte for byte."""
    header = f"MSH|^~\\&|HIS|{hospital}|FB|C1|2026||ADT^A01^ADT_A01|编号7|P|2.4||||||{declared}"
    data = header.encode(codec) + b"\rPID|1||1||" + name + b"\xff\r"

    answer = hl7v2.acknowledge(data, "AE", [Issue("FB-1104", "error", "MSH-18", {"charset": "x"})])

    lines = [line.split(b"|") for line in answer.split(b"\r")]
    assert lines[0][2:6] == [b"FB", b"C1", b"HIS", hospital.encode(codec)]
    assert lines[0][8] == b"ACK^A01^ACK"
    assert lines[0][10:12] == [b"P", b"2.4"]
    assert lines[1][:3] == [b"MSA", b"AE", "编号7".encode(codec)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("|^~\\&|", "|^^~|"), [b"MSH", b"^~\\&", b"FB", b"C1", b"HIS", b"H1"]),
        (("MSH|", "\x0bMSH|"), [b"MSH", b"^~\\&", b"FB", b"C1", b"HIS", b"H1"]),
        (("|^~\\&|HIS", '|^~\\&|""'), [b"MSH", b"^~\\&", b"FB", b"C1", b"", b"H1"]),
    ],
)
def test_what_is_wrong_in_a_header_does_not_cost_the_address(
    change: tuple[str, str], expected: list[bytes]
) -> None:
    """Separators that cannot be used, rests of a frame, a null address."""
    text = HEADER.format(control="M1", version="2.5", accept="", application="") + "\r\xff\r"

    data = text.replace(*change).encode("latin-1")
    answer = hl7v2.acknowledge(data, "AR", [Issue("FB-1102", "error", "MSH-2")])

    lines = [line.split(b"|") for line in answer.split(b"\r")]
    assert lines[0][:6] == expected
    assert lines[1][:3] == [b"MSA", b"AR", b"M1"]


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_message_of_two_byte_characters_is_answered_in_single_bytes(codec: str) -> None:
    """It is refused, but its sender knows which one."""
    text = HEADER.format(control="M1", version="2.5", accept="", application="") + "\rPID|1\r"

    answer = hl7v2.parse(
        hl7v2.acknowledge(text.encode(codec), "AR", [Issue("FB-1119", "error", "MSH-18")])
    )

    assert answer.get("MSA").fields[2] == "M1"
    assert answer.header.fields[5:7] == ["HIS", "H1"]


@pytest.mark.parametrize(
    ("version", "kind", "has_text", "err"),
    [
        ("2.1", "ACK", True, 1),
        ("2.2", "ACK^A01", True, 1),
        ("2.3", "ACK^A01", True, 1),
        ("2.3.1", "ACK^A01^ACK", True, 1),
        ("2.4", "ACK^A01^ACK", True, 1),
        ("2.5.1", "ACK^A01^ACK", True, 3),
        ("2.6", "ACK^A01^ACK", True, 3),
        ("2.7", "ACK^A01^ACK", False, 3),
        ("2.8.2", "ACK^A01^ACK", False, 3),
    ],
)
@pytest.mark.parametrize("readable", [True, False])
def test_an_answer_has_the_form_of_its_version(
    version: str, kind: str, has_text: bool, err: int, readable: bool
) -> None:
    """Structure in MSH-9 since 2.3.1, no text in MSA-3 from 2.7 on, ERR by fields since 2.5."""
    header = HEADER.format(control="M1", version=version, accept="", application="")
    data = f"{header}||UNICODE UTF-8\rPID|1||P1\r".encode() + (b"" if readable else b"\xff\r")

    answer = hl7v2.parse(hl7v2.acknowledge(data, "AE", NO_CONTROL_ID))

    assert answer.header.fields[9] == kind
    assert (len(answer.get("MSA").fields) > 3) is has_text
    assert answer.get("ERR").fields[err]
    assert answer.header.fields[12] == version


@pytest.mark.parametrize("data", [b"", b"hello", b"MSH", b"\xff\xfe\x00", b"MSH|^^|||||||||77"])
def test_bytes_that_are_no_message_get_a_readable_answer(data: bytes) -> None:
    """Even a refusal of rubbish is a well-formed acknowledgement."""
    answer = hl7v2.parse(hl7v2.acknowledge(data, "AR", [Issue("FB-1101", "error", "MSH")]))

    assert answer.get("MSA").get("f1") == "AR"
    assert answer.get("ERR").get("f3").get("c1") == "100"


def test_answers_of_a_batch_travel_together() -> None:
    """BHS, one answer for each message, BTS with their number."""
    answers = [hl7v2.acknowledge(_message(f"M{number}"), "AA") for number in (1, 2)]

    parts = hl7v2.split_batch(hl7v2.batch_acknowledgement(answers))

    assert [hl7v2.parse(part).get("MSA").get("f2") for part in parts] == ["M1", "M2"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("ADT^A01^ADT_A01", "ZZZ^Z99"), "FB-1111"),
        (("ADT^A01^ADT_A01", "QBP^Q22^QBP_Q21"), "FB-1111"),
        (("ADT^A01^ADT_A01", "QRY^A19"), "FB-1111"),
        (("ADT^A01^ADT_A01", "QCN^J01^QCN_J01"), "FB-1111"),
        (("ADT^A01^ADT_A01", "ADT^A99^ADT_A01"), "FB-1112"),
        (("ADT^A01^ADT_A01", ""), "FB-1110"),
        (("|P|", "|X|"), "FB-1113"),
        (("|2.5", "|9.9"), "FB-1114"),
        (("|M1|", "||"), "FB-1109"),
        (("PID|1", "NTE|1"), "FB-1117"),
        (("PID|1", "PID|2||2\rPID|1"), "FB-1118"),
    ],
)
def test_a_message_that_may_not_be_taken_says_why(change: tuple[str, str], code: str) -> None:
    """Each reason of section 2.9 has its own code."""
    text = HEADER.format(control="M1", version="2.5", accept="", application="") + "\rPID|1||P1\r"

    issues = hl7v2.examine(hl7v2.parse(text.replace(*change).encode()))

    assert [issue.code for issue in issues] == [code]
