"""What goes wrong on the way: every so often a message is repeated, mixed up or broken.

Each fault stands beside a good message and never replaces one, so that what the record should
hold stays known.  The kinds come round in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from fhir_bridge.demo.outgoing import Outgoing

__all__ = ["FAULTS", "fault_interval", "with_faults"]


def fault_interval(residents: int) -> int:
    """Good messages between two faults: a small community shall see each kind too.

    >>> fault_interval(13_420), fault_interval(500)
    (150, 8)
    """
    return min(150, max(3, residents // 60))


def with_faults(messages: Iterable[Outgoing], every: int) -> Iterator[Outgoing]:
    """`messages` with one more, at fault, after each `every` of them."""
    kinds = tuple(FAULTS.items())
    for count, message in enumerate(messages, 1):
        yield message
        if count % every == every // 3:
            name, spoil = kinds[count // every % len(kinds)]
            yield replace(spoil(message), fault=name)


def _repeated(message: Outgoing) -> Outgoing:
    """The sender did not see the acknowledgement and sends the same bytes again."""
    return message


def _control_id_used_twice(message: Outgoing) -> Outgoing:
    """Another content under a control id that was used already."""
    spoilt = message.data.replace(b"^I10||", "^I10|补充说明|".encode(), 1)
    return replace(message, data=spoilt)


def _segment_name_broken(message: Outgoing) -> Outgoing:
    """A segment that has lost a letter of its name."""
    return _renamed(message, "X", data=message.data.replace(b"\rPV1|", b"\rPV|", 1))


def _cut_off(message: Outgoing) -> Outgoing:
    """The connection's buffer ended in the middle of PID."""
    end = message.data.find(b"\rPID|") + 12
    return _renamed(message, "C", data=message.data[:end] + b"\r")


def _type_missing(message: Outgoing) -> Outgoing:
    """An empty MSH-9."""
    segments = message.data.split(b"\r")
    fields = segments[0].split(b"|")
    fields[8] = b""
    return _renamed(message, "T", data=b"\r".join((b"|".join(fields), *segments[1:])))


def _control_id_missing(message: Outgoing) -> Outgoing:
    """An empty MSH-10."""
    control_id = message.control_id.encode()
    return Outgoing("", message.data.replace(b"|" + control_id + b"|", b"||", 1))


def _birth_date_impossible(message: Outgoing) -> Outgoing:
    """A month 13 in PID-7."""
    return _renamed(message, "B", data=_with_field(message.data, b"PID", 7, b"19801345"))


def _patient_missing(message: Outgoing) -> Outgoing:
    """No PID segment at all."""
    kept = [part for part in message.data.split(b"\r") if not part.startswith(b"PID|")]
    return _renamed(message, "P", data=b"\r".join(kept))


def _charset_contradicted(message: Outgoing) -> Outgoing:
    """MSH-18 declares a character set that the bytes are not written in."""
    lie = message.data.replace(b"UNICODE UTF-8", b"", 1).decode("utf-8", "replace")
    fields = lie.split("\r", 1)
    head = fields[0].rstrip("|").split("|")
    head += [""] * (17 - len(head)) + ["UNICODE UTF-8"]
    data = ("|".join(head) + "\r" + fields[1]).encode("gb18030", "replace")
    return _renamed(message, "G", data=data)


def _not_a_message(message: Outgoing) -> Outgoing:
    """Something that is no HL7 v2 at all in the frame."""
    return Outgoing("", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + message.data[:8])


def _renamed(message: Outgoing, mark: str, *, data: bytes) -> Outgoing:
    """The spoilt message under a control id of its own, so that only one thing is wrong."""
    old = message.control_id
    new = f"{old}{mark}"
    return Outgoing(new, data.replace(f"|{old}|".encode(), f"|{new}|".encode(), 1))


def _with_field(data: bytes, segment: bytes, number: int, value: bytes) -> bytes:
    parts = data.split(b"\r")
    for index, part in enumerate(parts):
        if part.startswith(segment + b"|"):
            fields = part.split(b"|")
            fields[number] = value
            parts[index] = b"|".join(fields)
    return b"\r".join(parts)


FAULTS: dict[str, Callable[[Outgoing], Outgoing]] = {
    "repeated": _repeated,
    "control-id-used-twice": _control_id_used_twice,
    "segment-name-broken": _segment_name_broken,
    "cut-off": _cut_off,
    "type-missing": _type_missing,
    "control-id-missing": _control_id_missing,
    "birth-date-impossible": _birth_date_impossible,
    "patient-missing": _patient_missing,
    "charset-contradicted": _charset_contradicted,
    "not-a-message": _not_a_message,
}
