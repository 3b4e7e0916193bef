"""``ucum_code(text)``: the text when it is a valid UCUM code, else nothing (https://ucum.org/ucum)."""

from __future__ import annotations

from functools import lru_cache

from fhir_bridge import ucum
from fhir_bridge.fhir.marks import NULL, is_null

RESULT = "code"


def ucum_code(text: str | None) -> str | None:
    """`text` if UCUM knows it, so that a local spelling never passes for a code.

    >>> ucum_code("mmol/L"), ucum_code("次/分")
    ('mmol/L', None)
    """
    return _valid(str(text)) if text else None


@lru_cache(maxsize=1024)
def _valid(text: str) -> str | None:
    if is_null(text):
        return NULL
    return text if ucum.is_valid(text) else None
