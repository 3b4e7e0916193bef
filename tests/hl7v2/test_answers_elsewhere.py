"""Every kind of answer in every version, read by a parser of others: hl7apy, strictly.

https://crs4.github.io/hl7apy/: it holds the tables of HL7's own databases, version by version,
and refuses in strict mode what they do not allow (a withdrawn field, one segment too many).
"""

from __future__ import annotations

import pytest
from hl7apy.consts import VALIDATION_LEVEL  # type: ignore[import-untyped]
from hl7apy.core import Message  # type: ignore[import-untyped]
from hl7apy.exceptions import ValidationError  # type: ignore[import-untyped]
from hl7apy.parser import (  # type: ignore[import-untyped]
    get_message_info,
    parse_message,
    parse_segments,
)
from hl7apy.validation import Validator  # type: ignore[import-untyped]

from fhir_bridge import hl7v2
from fhir_bridge.errors import Issue

VERSIONS = (
    "2.1",
    "2.2",
    "2.3",
    "2.3.1",
    "2.4",
    "2.5",
    "2.5.1",
    "2.6",
    "2.7",
    "2.8",
    "2.8.1",
    "2.8.2",
)
STRICT = VALIDATION_LEVEL.STRICT
HEADER = "MSH|^~\\&|HIS|H1|FB|C1|20260101||{kind}|M1|P|{version}"
ISSUES = (
    [],
    [Issue("FB-1109", "error", "MSH-10")],
    [Issue("FB-5016", "error")],
    [
        Issue("FB-1118", "error", "PID[2]-3[1].4", {"segment": "PID"}),
        Issue("FB-6003", "error", "MSH-9", {"type": "ZZZ"}),
        Issue("FB-6008", "warning", "PID-5"),
        Issue("FB-1113", "error", "MSH-11"),
    ],
)


def _read(answer: str) -> Message:
    """The answer as hl7apy reads it; before 2.3.1 MSH-9 names no structure, which is told then."""
    encoding, _, version = get_message_info(answer)
    if version >= "2.3.1":
        return parse_message(answer, validation_level=STRICT, find_groups=False)
    message = Message("ACK", version=version, validation_level=STRICT, encoding_chars=encoding)
    message.children = parse_segments(answer, version, encoding, STRICT, message.reference)
    return message


def _validate(message: Message) -> None:
    """Its own check of what is required; for 2.1 it asks for a precision of the time of a message.

    The tables of 2.1 call the second component of TS required, which no message ever had.
    """
    try:
        Validator.validate(message)
    except ValidationError as error:
        if message.version != "2.1" or "MSH_7.TS_2" not in str(error):
            raise


def _answer(version: str, kind: str, code: str, issues: list[Issue]) -> str:
    message = hl7v2.parse((HEADER.format(kind=kind, version=version) + "\rPID|1||P1||x\r").encode())
    return hl7v2.acknowledge(message, code, issues).decode()


@pytest.mark.parametrize("code", ["AA", "AE", "AR", "CA", "CE", "CR"])
@pytest.mark.parametrize("version", VERSIONS)
def test_an_answer_is_valid_in_its_version(version: str, code: str) -> None:
    """Without errors, with one, with several; whatever the form of the message's own type."""
    for kind in ("ADT^A01^ADT_A01", "ADT^A01", "ORU^R01"):
        for issues in ISSUES if code[1] != "A" else ISSUES[:1]:
            answer = _answer(version, kind, code, issues)
            read = _read(answer)
            _validate(read)
            assert read.msa.msa_1.to_er7() == code
            assert read.msa.msa_2.to_er7() == "M1"
            errors = [each for each in issues if each.severity == "error"]
            assert answer.count("\rERR|") == (
                min(len(errors), 1) if version < "2.5" else len(errors)
            )


@pytest.mark.parametrize("version", ["2.2", "2.3", "2.3.1", "2.4"])
def test_before_2_5_all_errors_stand_in_one_segment(version: str) -> None:
    """ERR stands once there and ERR-1 repeats: each error with its own place and condition."""
    read = _read(_answer(version, "ADT^A01", "AE", ISSUES[-1]))
    told = [each.to_er7() for each in read.err.err_1]
    assert [each.partition("^")[0] for each in told] == ["PID", "MSH", "MSH"]
    assert len(read.err) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_an_answer_to_bytes_that_are_no_message_is_valid_too(version: str) -> None:
    """What the header gives away is enough for a whole answer."""
    broken = (
        HEADER.format(kind="ADT^A01", version=version).encode() + b"|\xff\xfe|UNKNOWN SET\rPID|"
    )
    answer = hl7v2.acknowledge(broken, "AR", ISSUES[1]).decode("latin-1")
    read = _read(answer)
    _validate(read)
    assert read.msa.msa_1.to_er7() == "AR"


def test_the_parser_refuses_what_we_once_sent() -> None:
    """A text in MSA-3 of 2.8, two ERR in 2.4: a check that finds nothing would prove nothing."""
    fine = _answer("2.8", "ADT^A01^ADT_A01", "AE", ISSUES[1])
    with pytest.raises(Exception, match=r"."):
        Validator.validate(_read(fine.replace("MSA|AE|M1", "MSA|AE|M1|text")))
    old = _answer("2.4", "ADT^A01^ADT_A01", "AE", ISSUES[1])
    with pytest.raises(Exception, match="max limit"):
        _read(old + "ERR|" + old.rpartition("ERR|")[2])
