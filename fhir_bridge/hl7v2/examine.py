"""What a receiver asks of a message before it takes responsibility for it.

HL7 v2.5.1 sections 2.9.2 and 2.9.3 (processing rules), tables 0103 (processing id),
0104 (version), 0003 and 0076 (events and message types);
https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144

These checks need the header only, and the count of segments that may stand once.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from fhir_bridge.errors import Issue

from .message import Message
from .structure import events

__all__ = ["examine", "is_acknowledgement"]

_VERSION = re.compile(r"2\.[1-9](\.[0-9])?\Z")
_WITHOUT_PATIENT = frozenset({"ACK", "MFN", "MFK", "QBP", "QRY", "RSP", "NMQ", "NMD"})
_SEVERAL_PATIENTS = frozenset({"ADT_A17", "ADT_A24", "ADT_A37", "ADT_A39", "ADT_A43", "ADR_A19"})


def is_acknowledgement(message: Message) -> bool:
    """Whether the message answers another: an acknowledgement is never acknowledged."""
    code = message.message_type[0]
    return code in {"ACK", "MCF"} or (not code and bool(message.segments_of("MSA")))


def examine(
    message: Message,
    *,
    processing_ids: Collection[str] = ("P",),
    require_control_id: bool = True,
) -> list[Issue]:
    """Issues (errors) that forbid taking `message`; empty when it can be taken.

    FB-1110 no MSH-9, FB-1111 unknown message code, FB-1112 unknown event, FB-1113
    processing id not taken, FB-1114 version, FB-1109 no MSH-10, FB-1117 no PID,
    FB-1118 more than one PID where there is one patient.
    """
    issues = _examine_type(message)
    header = message.header
    processing_id = str(header.get("f11") or "")
    if processing_id and processing_ids and processing_id not in processing_ids:
        issues.append(Issue("FB-1113", "error", "MSH-11"))
    version = str(header.get("f12") or "")
    if version and not _VERSION.match(version):
        issues.append(Issue("FB-1114", "error", "MSH-12"))
    if require_control_id and not message.control_id:
        issues.append(Issue("FB-1109", "error", "MSH-10"))
    return issues or _examine_patient(message)


def _examine_type(message: Message) -> list[Issue]:
    code, event, _ = message.message_type
    if not code:
        return [Issue("FB-1110", "error", "MSH-9")]
    known = events().get(code)
    if known is None:
        return [Issue("FB-1111", "error", "MSH-9.1")]
    if event not in known and "*" not in known:
        return [Issue("FB-1112", "error", "MSH-9.2")]
    return []


def _examine_patient(message: Message) -> list[Issue]:
    if message.message_type[0] in _WITHOUT_PATIENT:
        return []
    structure = message.type_name
    if structure == "ADT_A20":
        return []
    count = len(message.segments_of("PID"))
    if not count:
        return [Issue("FB-1117", "error", "PID", {"segment": "PID"})]
    single = structure.startswith(("ADT_", "MDM_", "REF_", "VXU_")) and (
        structure not in _SEVERAL_PATIENTS
    )
    if single and count > 1:
        return [Issue("FB-1118", "error", "PID[2]", {"segment": "PID"})]
    return []
