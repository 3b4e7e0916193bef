"""Bytes to a message, and back.

HL7 v2.5.1 section 2.6 (message construction rules) and 2.10.3 (batches);
https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144

Promises: any bytes give a :class:`Message` or a BridgeError FB-11xx that names segment
and field; the cost is linear; CR, LF and CRLF all end a segment, but where CR parts the
segments LF is text; a line that cannot be a segment continues the field before it (long
texts with bare line breaks are common).
``render(parse(data))`` is `data` for a message with CR ends and no warnings.
"""

from __future__ import annotations

import re

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir.marks import NULL, USUAL

from .charset import decode
from .escape import has_undecoded
from .message import Message
from .separators import Separators, read_separators
from .structure import is_segment_name

__all__ = ["MAX_MESSAGE_BYTES", "MAX_SEPARATORS", "parse", "render", "split_batch"]

MAX_MESSAGE_BYTES = 32 * 1024 * 1024  # bytes
MAX_SEPARATORS = 2_000_000  # fields and their parts in one message
MAX_LINES = 500_000  # segments and lines of their text

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_FRAMING = b"\x0b\x1c\r\n"  # files often keep the frame of the line they were taken from
_ENVELOPE = ("FHS", "BHS", "BTS", "FTS")


def parse(data: bytes, *, charset: str | None = None) -> Message:
    """The message in `data`; `charset` is the feed's, used where MSH-18 is silent or wrong.

    Warnings (text read otherwise than declared, control characters removed, unknown
    segment names, escapes that are no text) are in ``Message.issues``.  Raises BridgeError: FB-1101 no MSH,
    FB-1102 separators, FB-1103/1104/1119 character set, FB-1106 too large, FB-1108 more
    than one message (see :func:`split_batch`).
    """
    text, codec, issues = _read_text(data, charset)
    if text.startswith(("FHS", "BHS")):
        lines = [line for line in _lines(text) if not line.startswith(_ENVELOPE)]
        text = "\r".join(lines)
    if not text.startswith("MSH"):
        raise BridgeError("FB-1101", "MSH")
    separators = read_separators(text)
    _bound_parts(text, separators)
    lines = _lines(text)
    segments = _segments(lines, separators, issues)
    message = Message(segments, separators, codec, issues)
    if separators.escape and f"{separators.escape}X" in text:
        issues += _hexadecimal_issues(message)
    if any(name == "MSH" for name, _ in segments[1:]):
        raise BridgeError("FB-1108", "MSH[2]")
    return message


def render(message: Message) -> bytes:
    """The message as bytes in the character set it was read in, each segment ended by CR."""
    text = "".join(f"{segment.text}\r" for segment in message.segments)
    return text.encode(message.charset, "replace")


def split_batch(data: bytes, *, charset: str | None = None) -> list[bytes]:
    """The messages of a batch (FHS/BHS … BTS/FTS) as bytes; a single message as it is.

    Raises FB-1121 when BTS-1 says another number than came, FB-1101 for a batch without
    a message, and what :func:`parse` raises for text that cannot be decoded.
    """
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"FHS", b"BHS")):
        return [data]
    text, codec, _ = _read_text(data, charset)
    messages: list[list[str]] = []
    separator = text[3:4]
    for line in _lines(text):
        name = line[:3]
        if name == "MSH":
            messages.append([line])
        elif name == "BTS":
            declared = [*line.split(separator), ""][1]
            if declared.isdecimal() and int(declared) != len(messages):
                raise BridgeError("FB-1121", "BTS-1", declared=declared, found=len(messages))
        elif name not in _ENVELOPE and messages:
            messages[-1].append(line)
    if not messages:
        raise BridgeError("FB-1101", "MSH")
    return ["".join(f"{line}\r" for line in lines).encode(codec) for lines in messages]


def _bound_parts(text: str, separators: Separators) -> None:
    """What a message is cut into costs more than its bytes."""
    parting = (
        separators.field, separators.component, separators.subcomponent, separators.repetition,
    )  # fmt: skip
    if sum(text.count(each) for each in parting if each) > MAX_SEPARATORS:
        raise BridgeError("FB-1106", "MSH", limit=MAX_SEPARATORS, unit="fields")
    if text.count("\r") + text.count("\n") > MAX_LINES:
        raise BridgeError("FB-1106", "MSH", limit=MAX_LINES, unit="segments")


def _read_text(data: bytes, charset: str | None) -> tuple[str, str, list[Issue]]:
    if len(data) > MAX_MESSAGE_BYTES:
        raise BridgeError("FB-1106", "MSH", limit=MAX_MESSAGE_BYTES, unit="bytes")
    text, codec, issues = decode(data.strip(_FRAMING), charset)
    if _CONTROL.search(text) or (not text.isascii() and (NULL in text or USUAL in text)):
        text = _CONTROL.sub("", text).replace(NULL, "").replace(USUAL, "")
        issues.append(Issue("FB-1107", "warning"))
    if not text.startswith(("MSH", "FHS", "BHS")):
        text = text.lstrip("\ufeff \t\r\n")
    return text, codec, issues


def _lines(text: str) -> list[str]:
    """What may be segments: the text between line ends.

    The end of the first segment tells what parts them.  After CR a bare LF is a line break
    of text, and so is CRLF among bare CRs, unless a known segment follows: some senders mix.
    """
    if "\n" not in text:
        return [line for line in text.split("\r") if line]
    cr, lf = text.find("\r"), text.find("\n")
    if cr < 0 or lf < cr:
        return [line for line in text.replace("\n", "\r").split("\r") if line]
    text = text.replace("\r\n", "\r" if lf == cr + 1 else "\n")
    field = text[3:4]
    lines: list[str] = []
    for line in text.split("\r"):
        start = 0
        found = line.find("\n")
        while found >= 0:
            name = line[found + 1 : found + 4]
            if line[found + 4 : found + 5] == field and is_segment_name(name):
                lines.append(line[start:found])
                start = found + 1
            found = line.find("\n", found + 1)
        lines.append(line[start:])
    return [stripped for line in lines if (stripped := line.strip("\n"))]


def _segments(
    lines: list[str], separators: Separators, issues: list[Issue]
) -> list[tuple[str, str]]:
    """(name, text) of each segment; lines that are no segment join the one before."""
    segments: list[tuple[str, str]] = []
    more: list[str] = []  # what continues the last segment

    def join() -> None:
        if segments and (more or "\n" in segments[-1][1]):
            name, text = segments[-1]
            segments[-1] = name, "\n".join([text, *more])
            if not issues or issues[-1].where != name or issues[-1].code != "FB-1116":
                issues.append(Issue("FB-1116", "warning", name))
        more.clear()

    for line in lines:
        name = _segment_name(line, separators.field)
        if name:
            join()
            segments.append((name, line))
            if not (name.isupper() and len(name) == 3):
                issues.append(Issue("FB-1115", "warning", name))
        elif segments:
            more.append(line)
    join()
    return segments


def _segment_name(line: str, field: str) -> str:
    """The name that makes `line` a segment; empty when it is text.

    A name alone must be a known one: three capitals on a line of a report (``MRI``) are text.
    """
    name, found, _ = line.partition(field)
    if len(name) == 3 and name.isalnum() and name[:1].isupper() and name.isupper():
        return name if found or is_segment_name(name) else ""
    is_name = len(name) in {2, 3} and name.isascii() and name.isalnum() and name[0].isalpha()
    return name if found and is_name else ""


def _hexadecimal_issues(message: Message) -> list[Issue]:
    """FB-1122 for each field with a hexadecimal escape that gives no text."""
    separators = message.separators
    mark = f"{separators.escape}X"
    return [
        Issue("FB-1122", "warning", f"{segment.where}-{number}")
        for segment in message.segments
        if mark in segment.text
        for number, text in enumerate(segment.fields)
        if mark in text and has_undecoded(text, separators, message.charset)
    ]
