"""Structured log lines without patient data.

One JSON object a line.  What may be logged is a closed list of field names: counts,
codes, ids of messages and resources, durations.  A value under any other name is
refused when the line is made, so that a name or an identity number cannot slip in.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from fhir_bridge import clock

__all__ = ["ALLOWED", "configure", "event"]

ALLOWED = frozenset(
    [
        "feed",
        "message_id",
        "control_id",
        "digest",
        "code",
        "count",
        "status",
        "method",
        "route",
        "duration_ms",
        "resource_type",
        "resource_id",
        "version",
        "reference",
        "stage",
        "rate",
        "host",
        "port",
        "path_template",
        "kind",
        "reason_code",
        "workers",
        "pid",
        "url_template",
        "bytes",
        "queue",
        "retries",
        "database",
        "release",
    ]
)

_logger = logging.getLogger("fhir_bridge")


def configure(level: str = "INFO") -> None:
    """Send log lines to standard error.  Called once, by the wiring."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    _logger.handlers[:] = [handler]
    _logger.setLevel(level)
    _logger.propagate = False


def event(name: str, /, *, level: int = logging.INFO, **fields: Any) -> None:
    """Write one line: ``{"time": …, "event": name, …}``.

    Raises ValueError for a field outside :data:`ALLOWED`.
    """
    unknown = fields.keys() - ALLOWED
    if unknown:
        raise ValueError(f"fields that may not be logged: {sorted(unknown)}")
    if _logger.isEnabledFor(level):
        line = {"time": clock.instant(), "level": logging.getLevelName(level), "event": name}
        _logger.log(level, json.dumps(line | fields, ensure_ascii=False, default=str))
