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
