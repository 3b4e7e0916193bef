"""Everything that goes wrong, rendered in one place as an OperationOutcome.

https://hl7.org/fhir/R4/http.html#Status-Codes, https://hl7.org/fhir/R4/operationoutcome.html

Promises: the status is the catalogue's; what nobody foresaw becomes FB-9001 with a
reference that the log holds too, and nothing of its text reaches the client.
"""

from __future__ import annotations

import logging
import traceback

from fhir_bridge import clock, log
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import operation_outcome, render_json
from fhir_bridge.interactions import Reply

__all__ = ["reply_of"]

_RETRY_AFTER = {"FB-4035": 2, "FB-5015": 2, "FB-5016": 10}
"""Seconds after which the same request may do, for what passes without anybody's help."""

_CHALLENGES = {"FB-4202": "Bearer", "FB-4211": 'Bearer error="invalid_token"'}
"""What a 401 asks for (https://www.rfc-editor.org/rfc/rfc6750#section-3)."""


def reply_of(error: Exception) -> Reply:
    """The reply of any error; an unforeseen one is logged with a reference."""
    known = error if isinstance(error, BridgeError) else _unforeseen(error)
    outcome = render_json(operation_outcome(known.issues))
    lead = known.issues[0]
    headers = {"Allow": lead.details["allowed"]} if known.code == "FB-4004" else {}
    if known.code in _RETRY_AFTER:
        headers["Retry-After"] = str(_RETRY_AFTER[known.code])
    if known.code in _CHALLENGES:
        headers["WWW-Authenticate"] = _CHALLENGES[known.code]
    return Reply(known.entry.http_status, outcome, outcome=outcome, headers=headers)


def _unforeseen(fault: Exception) -> BridgeError:
    """FB-9001; the log line names the place in the code, never the values."""
    if isinstance(fault, RecursionError):
        return BridgeError("FB-1002", limit="the bounded number of")
    reference = clock.fresh_id()
    frames = traceback.extract_tb(fault.__traceback__)[-6:]
    log.event(
        "fault",
        level=logging.ERROR,
        reference=reference,
        kind=type(fault).__name__,
        stage=" < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames)),
    )
    return BridgeError("FB-9001", reference=reference)
