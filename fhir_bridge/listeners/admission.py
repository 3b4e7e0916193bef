"""May this frame be taken, and what is the answer?  Decided without sockets or disk.

HL7 v2.5.1 section 2.9, https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144:
a receiver that answers AA or CA has taken responsibility.  So a
frame is parsed and examined first, journalled next, and answered last; this file is the
first and the last step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fhir_bridge import hl7v2
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.ingest import Feed, find_map, message_types

__all__ = ["MAX_MESSAGES", "Admission", "admit", "answer"]

MAX_MESSAGES = 2_000
"""Messages of one frame: all are read before any is answered, while other senders wait."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What one frame holds.

    `parts` are the raw messages (several for a batch) and `messages` the same, parsed;
    `issues` are errors when the frame is refused; `silent` frames are neither kept nor
    answered (acknowledgements, commit bytes).
    """

    parts: list[bytes] = field(default_factory=list)
    messages: list[hl7v2.Message] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    batch: bool = False
    silent: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the messages may be journalled."""
        return bool(self.parts) and not self.issues and not self.silent


def admit(payload: bytes, feed: Feed) -> Admission:
    """What to do with `payload` from `feed`'s socket."""
    if payload in {b"\x06", b"\x15"} or not payload.strip():
        return Admission(silent=True)
    charset = feed.charset or None
    messages: list[hl7v2.Message] = []
    try:
        parts = _split(payload, charset)
        messages.extend(hl7v2.parse(part, charset=charset) for part in parts)
    except BridgeError as error:
        return Admission([payload], messages[:1], list(error.issues))
    batch = len(parts) > 1 or parts[0] is not payload
    if not batch and hl7v2.is_acknowledgement(messages[0]):
        return Admission(parts, messages, silent=True)
    settings = feed.acknowledgement
    issues = [
        issue
        for message in messages
        for issue in hl7v2.examine(
            message,
            processing_ids=settings.processing_ids,
            require_control_id=settings.require_control_id,
        )
    ]
    return Admission(parts, messages, issues or _without_map(messages, feed), batch)


def _split(payload: bytes, charset: str | None) -> list[bytes]:
    parts = hl7v2.split_batch(payload, charset=charset)
    if len(parts) > MAX_MESSAGES:
        raise BridgeError("FB-1106", "BHS", limit=MAX_MESSAGES, unit="messages")
    return parts


def _without_map(messages: Sequence[hl7v2.Message], feed: Feed) -> list[Issue]:
    """FB-6003 for messages that the feed neither maps nor ignores: they would only rest."""
    return [
        Issue("FB-6003", "error", "MSH-9", {"type": types[0]})
        for message in messages
        if find_map(feed, *(types := message_types(message))) is None
    ]


def answer(
    admission: Admission, payload: bytes, feed: Feed, issues: Sequence[Issue] = ()
) -> bytes | None:
    """The reply to send, None when the sender wants none; `issues` came after admission."""
    found = [*admission.issues, *issues]
    mode = feed.acknowledgement.mode
    if admission.batch and admission.messages and mode != "none":
        replies = [_reply(message, found, mode) for message in admission.messages]
        return hl7v2.batch_acknowledgement([reply for reply in replies if reply])
    if admission.messages:
        return _reply(admission.messages[0], found, mode)
    code = hl7v2.answer_code(None, found, mode)
    return hl7v2.acknowledge(payload, code, found, charset=feed.charset or None) if code else None


def _reply(message: hl7v2.Message, issues: Sequence[Issue], mode: str) -> bytes | None:
    code = hl7v2.answer_code(message, issues, mode)
    return hl7v2.acknowledge(message, code, issues) if code else None
