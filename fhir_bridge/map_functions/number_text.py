"""``number_text(text)``: a text that is a JSON number, else nothing (FHIR decimal)."""

from __future__ import annotations

import re

from fhir_bridge.fhir.marks import NULL, is_null

RESULT = "decimal"

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?\Z")


def number_text(text: str | None) -> str | None:
    """`text` when it can be stored as a decimal with its digits as they are.

    >>> number_text("5.10"), number_text("<5"), number_text("05")
    ('5.10', None, None)
    """
    if not text or _NUMBER.match(text):
        return text or None
    return NULL if is_null(text) else None
