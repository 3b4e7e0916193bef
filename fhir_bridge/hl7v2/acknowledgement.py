"""Answers to a message: MSA and ERR, in original and enhanced mode.

HL7 v2.5.1 sections 2.9.2 (original mode), 2.9.3 (enhanced mode), 2.15.5 (ERR),
2.15.8 (MSA); tables 0008 (acknowledgement code), 0155 (accept conditions), 0357
(message error condition), 0516 (severity);
https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144

An answer uses the sender's separators and character set, turns the addresses round,
echoes MSH-10 byte for byte in MSA-2 and holds no patient data: only codes, catalogue
sentences and places such as PID-3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from fhir_bridge import clock
from fhir_bridge.errors import BridgeError, Issue

from .escape import escape
from .message import Message
from .parse import parse
from .separators import STANDARD, Separators, read_separators
from .value import SENT_NULL

__all__ = ["acknowledge", "answer_code", "batch_acknowledgement"]

_CONDITIONS = {
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "104": "Value too long",
    "200": "Unsupported message type",
    "201": "Unsupported event code",
    "202": "Unsupported processing id",
    "203": "Unsupported version id",
    "204": "Unknown key identifier",
    "205": "Duplicate key identifier",
    "206": "Application record locked",
    "207": "Application internal error",
}
_SEVERITIES = {"fatal": "F", "error": "E", "warning": "W", "information": "I"}
_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+)(?:\[(\d+)\])?(?:\.(\d+))?)?")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_VERSION = re.compile(r"2\.[1-9](\.[0-9])?\Z")
_MAX_ERRORS = 20
_MAX_HEADER = 4096  # bytes of a message that cannot be parsed
_SENT = {"AL": (True, True), "NE": (False, False), "ER": (False, True), "SU": (True, False)}


def answer_code(
    message: Message | None, issues: Sequence[Issue] = (), mode: str = "auto"
) -> str | None:
    """The acknowledgement code to send, None when the sender wants no answer.

    `mode` is the feed's: ``original``, ``enhanced``, ``none`` or ``auto`` (enhanced when
    MSH-15 or MSH-16 holds a value of table 0155).  Issues that are errors make it
    AE/AR or CE/CR, as the leading catalogue entry says.
    """
    if mode == "none":
        return None
    errors = [issue for issue in issues if issue.severity in {"error", "fatal"}]
    letter = (errors[0].entry.ack or "AE")[1:] if errors else "A"
    if message is None or mode == "original":
        return f"A{letter}"
    accept, application = (str(message.header.get(name) or "") for name in ("f15", "f16"))
    if accept in _SENT:
        if _SENT[accept][1 if errors else 0]:
            return f"C{letter}"
        # The sender waits for the application's answer only; ours is given here.
        return f"A{letter}" if accept == "NE" and _wants(application, errors) else None
    if application in _SENT:
        return f"A{letter}" if _wants(application, errors) else None
    return f"C{letter}" if mode == "enhanced" else f"A{letter}"


def acknowledge(
    message: Message | bytes,
    code: str,
    issues: Sequence[Issue] = (),
    *,
    charset: str | None = None,
) -> bytes:
    """The answer with MSA-1 = `code`, one ERR per issue that is an error.

    Bytes that are no message still get an answer, with what their header gives away.
    """
    if isinstance(message, bytes):
        data = message
        try:
            message = parse(message, charset=charset)
        except BridgeError:
            return _minimal(data, code, issues)
    header = message.header
    separators = message.separators
    fields = ["" if field == SENT_NULL else field for field in header.fields] + [""] * 19
    _, event, _ = message.message_type
    version = str(header.get("f12") or "2.5")
    kind = _message_type(separators, event, version)
    lines = [
        _header(
            separators,
            (fields[5], fields[6], fields[3], fields[4]),
            kind,
            (fields[11] or "P", version, fields[18]),
        )
    ]
    lines += _answer(separators, version, message.control_id, code, issues)
    return "".join(f"{line}\r" for line in lines).encode(message.charset, "replace")


def batch_acknowledgement(answers: Sequence[bytes]) -> bytes:
    """The answers of a batch in one envelope (BHS … BTS), section 2.10.3."""
    return b"BHS|^~\\&\r" + b"".join(answers) + b"BTS|%d\r" % len(answers)


def _wants(condition: str, errors: Sequence[Issue]) -> bool:
    return _SENT.get(condition, (True, True))[1 if errors else 0]


def _message_type(separators: Separators, event: str, version: str) -> str:
    """MSH-9: the structure came with version 2.3.1, the event with 2.2."""
    parts = ["ACK", event, "ACK"] if version >= "2.3.1" else ["ACK", event]
    return separators.component.join(parts) if event and version >= "2.2" else "ACK"


def _header(
    separators: Separators,
    addresses: tuple[str, str, str, str],
    kind: str,
    tail: tuple[str, str, str],
) -> str:
    processing_id, version, charset = tail
    line = [
        "MSH",
        separators.encoding_characters,
        *addresses,
        f"{clock.now():%Y%m%d%H%M%S%z}",
        "",
        kind,
        clock.fresh_id().replace("-", "")[:20],
        processing_id,
        version,
    ]
    if charset:
        line += ["", "", "", "", "", charset]
    return separators.field.join(line)


def _answer(
    separators: Separators, version: str, control_id: str, code: str, issues: Sequence[Issue]
) -> list[str]:
    """MSA and ERR; before v2.5 one ERR whose ERR-1 repeats carries place and condition together.

    The text of MSA-3 is withdrawn from v2.7 on: ERR alone says what is wrong.
    """
    errors = [issue for issue in issues if issue.severity in {"error", "fatal"}]
    field = separators.field
    lead = ""
    if errors and version < "2.7":
        lead = field + escape(f"{errors[0].code} {errors[0].sentence}", separators)
    lines = [f"MSA{field}{code}{field}{control_id}{lead}"]
    told = errors[:_MAX_ERRORS]
    if version >= "2.5":
        return [*lines, *(_error(separators, issue) for issue in told)]
    if told:
        # Where a sender has no mark for repeats, the first error stands for all.
        mark = separators.repetition
        old = [_old_error(separators, issue, version) for issue in (told if mark else told[:1])]
        lines.append(f"ERR{field}{mark.join(old)}")
    return lines


def _error(separators: Separators, issue: Issue) -> str:
    component = separators.component
    entry = issue.entry
    condition = entry.ack_condition or "207"
    return separators.field.join(
        [
            "ERR",
            "",
            component.join(_place(issue.where)),
            component.join([condition, _CONDITIONS.get(condition, ""), "HL70357"]),
            _SEVERITIES[issue.severity],
            escape(issue.code, separators),
            "",
            escape(issue.where, separators),
            escape(f"{issue.sentence} {issue.hint}", separators),
        ]
    )


def _old_error(separators: Separators, issue: Issue, version: str) -> str:
    """Place and condition in one; v2.1 knows the code of the condition alone, as an ID."""
    condition = issue.entry.ack_condition or "207"
    if version < "2.2":
        return condition
    place = [*_place(issue.where), "", "", ""][:3]
    inner = separators.subcomponent or " "
    text = inner.join([condition, _CONDITIONS.get(condition, ""), "HL70357"])
    return separators.component.join([*place, text])


def _place(where: str) -> list[str]:
    """``PID-3[2].4`` as an ERL: segment, sequence, field, repetition, component."""
    found = _PLACE.match(where)
    if found is None:
        return []
    segment, sequence, field, repetition, component = found.groups()
    parts = [
        segment,
        sequence or "1",
        field or "",
        (repetition or "1") if field else "",
        component or "",
    ]
    while parts and not parts[-1]:
        parts.pop()
    return parts


def _minimal(data: bytes, code: str, issues: Sequence[Issue]) -> bytes:
    """An answer to bytes that cannot be parsed, with what their header still gives away.

    The bytes of addresses and control id come back as they were sent, whatever they mean.
    """
    text, codec = _header_text(data)
    fields: list[str] = []
    separators = STANDARD
    with suppress(BridgeError):
        separators = read_separators(text)
    if text:
        fields = ["" if field == SENT_NULL else field for field in text.split(separators.field)]
        fields.insert(1, separators.field)
    fields += [""] * 13
    version = fields[12].partition(separators.component)[0]
    version = version if _VERSION.match(version) else "2.5"
    addresses = fields[5], fields[6], fields[3], fields[4]
    kind = fields[9].split(separators.component)
    event = kind[1] if len(kind) > 1 and kind[1].isalnum() else ""
    lines = [
        _header(
            separators,
            addresses,
            _message_type(separators, event, version),
            (fields[11] or "P", version, ""),
        )
    ]
    lines += _answer(separators, version, fields[10], code, issues)
    return "".join(f"{line}\r" for line in lines).encode(codec, "replace")


def _header_text(data: bytes) -> tuple[str, str]:
    """The first MSH segment as text, and the codec that gives its bytes back."""
    for codec in ("utf-16-le", "utf-16-be"):
        start = data.find("MSH".encode(codec))
        if start >= 0:
            text = data[start : start + 2 * _MAX_HEADER].decode(codec, "ignore")
            return _CONTROL.split(text)[0], "utf-8"
    start = data.find(b"MSH")
    if start < 0:
        return "", "utf-8"
    header = re.split(rb"[\r\n]", data[start : start + _MAX_HEADER])[0]
    for codec in ("utf-8", "gb18030", "latin-1"):
        with suppress(UnicodeDecodeError):
            return _CONTROL.sub("", header.decode(codec)), codec
    return "", "utf-8"
