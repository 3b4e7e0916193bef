"""A record as one line of the access log, and back: fields between tabs, ids packed.

An agent is written once a file (``A``, its number, its fields as JSON) and named by its number in
the lines of its accesses (``R``).  Times count from the start of the file (``H``).  What is empty at
the end of a line is left out; a UUID takes 23 characters.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import astuple

from fhir_bridge.audit.record import Agent, AuditRecord

__all__ = ["MAX_QUERY", "agent_line", "head_line", "read_agent", "read_record", "record_line"]

MAX_QUERY = 2_000
"""Characters of a query that are kept; a longer one ends with an ellipsis."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def head_line(start: int) -> str:
    """The first line of a file: the form, and the time from which the others count."""
    return f"H\t1\t{start}\n"


def agent_line(number: int, agent: Agent) -> str:
    """The line that gives an agent its number."""
    fields = json.dumps(astuple(agent), ensure_ascii=False, separators=(",", ":"))
    return f"A\t{_base36(number)}\t{fields}\n"


def read_agent(fields: list[str]) -> tuple[int, Agent]:
    """The number and the agent of a line that was split."""
    return int(fields[1], 36), Agent(*json.loads(fields[2]))


def record_line(record: AuditRecord, agent: int, start: int) -> str:
    """The line of a record whose agent has a number."""
    query = _UNSAFE.sub(" ", record.query)
    if len(query) > MAX_QUERY:
        query = f"{query[:MAX_QUERY]}…"
    fields = [
        "R",
        _base36(record.at - start),
        _base36(agent),
        record.interaction,
        str(record.status),
        _packed(record.place),
        ",".join(
            [*map(_packed, record.patients), *(f"+{_packed(one)}" for one in record.unresolved)]
        ),
        _packed(record.consent),
        _packed(record.request_id),
        record.code,
        query,
    ]
    while not fields[-1]:
        fields.pop()
    return "\t".join(fields) + "\n"


def read_record(fields: list[str], agents: Mapping[int, Agent], start: int) -> AuditRecord:
    """The record of a line that was split."""
    at, agent, interaction, status, place, persons, consent, request_id, code, query = (
        *fields[1:11],
        *[""] * (11 - len(fields)),
    )
    resource_type, id_, version = (*_unpacked(place).split("/"), "", "")[:3]
    named = [one for one in persons.split(",") if one]
    return AuditRecord(
        at=start + int(at, 36),
        agent=agents[int(agent, 36)],
        interaction=interaction,
        status=int(status),
        resource_type=resource_type,
        id=id_,
        version=version,
        patients=tuple(_unpacked(one) for one in named if one[0] != "+"),
        unresolved=tuple(_unpacked(one[1:]) for one in named if one[0] == "+"),
        query=query,
        consent=_unpacked(consent),
        code=code,
        request_id=_unpacked(request_id),
    )


def _packed(text: str) -> str:
    """Each UUID of a text as ``~`` and 22 characters."""
    return _UUID.sub(_shorter, text) if "-" in text else text


def _shorter(match: re.Match[str]) -> str:
    packed = base64.urlsafe_b64encode(bytes.fromhex(match[0].replace("-", "")))
    return f"~{packed[:22].decode()}"


def _unpacked(text: str) -> str:
    return re.sub(r"~([A-Za-z0-9_-]{22})", _longer, text) if "~" in text else text


def _longer(match: re.Match[str]) -> str:
    digits = base64.urlsafe_b64decode(f"{match[1]}==").hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _base36(number: int) -> str:
    digits = ""
    while number > 35:
        number, last = divmod(number, 36)
        digits = _DIGITS[last] + digits
    return _DIGITS[max(number, 0)] + digits
