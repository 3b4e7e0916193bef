"""``number_text(text)``: a text that is a JSON number, else nothing (FHIR decimal)."""

from __future__ import annotations

import re

RESULT = "decimal"

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?\Z")


def number_text(text: str | None) -> str | None:
    """`text` when it can stand as a decimal with its digits as they are.

    >>> number_text("5.10"), number_text("<5"), number_text("05")
    ('5.10', None, None)
    """
    return text if text and _NUMBER.match(text) else None
