"""``half_width(text)``: full-width letters, digits and signs as the usual ones (NFKC)."""

from __future__ import annotations

import unicodedata

RESULT = "string"


def half_width(text: str | None) -> str | None:
    """`text` in compatibility composition (Unicode annex 15), without outer blanks.

    >>> half_width("１２Ａ　")
    '12A'
    """
    return unicodedata.normalize("NFKC", str(text)).strip() or None if text else None
