"""Bytes to a message, and back.

HL7 v2.5.1 section 2.6 (message construction rules) and 2.10.3 (batches);
https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144

Promises: any bytes give a :class:`Message` or a BridgeError FB-11xx that names segment
and field; the cost is linear; CR, LF and CRLF all end a segment; a line that cannot be
a segment continues the field before it (long texts with bare line breaks are common).
``render(parse(data))`` is `data` for a message with CR ends and no warnings.
"""

from __future__ import annotations

import re

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir.marks import NULL, USUAL

from .charset import decode
from .message import Message
from .separators import Separators, read_separators

__all__ = ["LARGEST_MESSAGE", "MOST_SEPARATORS", "parse", "render", "split_batch"]

LARGEST_MESSAGE = 32 * 1024 * 1024  # bytes
MOST_SEPARATORS = 2_000_000  # fields and segments of one message

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_FRAMING = b"\x0b\x1c\r\n"  # files often keep the frame of the line they were taken from
_ENVELOPE = ("FHS", "BHS", "BTS", "FTS")


def parse(data: bytes, *, charset: str | None = None) -> Message:
    """The message in `data`; `charset` is the feed's, used where MSH-18 is silent or wrong.

    Warnings (text read otherwise than declared, control characters removed, unknown
    segment names) are in ``Message.issues``.  Raises BridgeError: FB-1101 no MSH,
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
    if text.count(separators.field) > MOST_SEPARATORS:
        raise BridgeError("FB-1106", "MSH", limit=MOST_SEPARATORS, unit="fields")
    lines = _lines(text)
    segments = _segments(lines, separators, issues)
    message = Message(segments, separators, codec, issues)
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


def _read_text(data: bytes, charset: str | None) -> tuple[str, str, list[Issue]]:
    if len(data) > LARGEST_MESSAGE:
        raise BridgeError("FB-1106", "MSH", limit=LARGEST_MESSAGE, unit="bytes")
    text, codec, issues = decode(data.strip(_FRAMING), charset)
    if _CONTROL.search(text) or (not text.isascii() and (NULL in text or USUAL in text)):
        text = _CONTROL.sub("", text).replace(NULL, "").replace(USUAL, "")
        issues.append(Issue("FB-1107", "warning"))
    if not text.startswith(("MSH", "FHS", "BHS")):
        text = text.lstrip("\ufeff \t\r\n")
    return text, codec, issues


def _lines(text: str) -> list[str]:
    if "\n" in text:
        text = text.replace("\r\n", "\r").replace("\n", "\r")
    return [line for line in text.split("\r") if line]


def _segments(
    lines: list[str], separators: Separators, issues: list[Issue]
) -> list[tuple[str, str]]:
    """(name, text) of each segment; lines that are no segment join the one before."""
    field = separators.field
    segments: list[tuple[str, str]] = []
    for line in lines:
        name = line[:3]
        if line[3:4] in (field, "") and name.isalnum() and name[:1].isupper() and name.isupper():
            segments.append((name, line))
            continue
        name, found, _ = line.partition(field)
        if (
            found
            and len(name) in {2, 3}
            and name.isascii()
            and name.isalnum()
            and name[0].isalpha()
        ):
            issues.append(Issue("FB-1115", "warning", name))
            segments.append((name, line))
        elif segments:
            before, text = segments[-1]
            segments[-1] = before, f"{text}\n{line}"
            if not issues or issues[-1].where != before or issues[-1].code != "FB-1116":
                issues.append(Issue("FB-1116", "warning", before))
    return segments
