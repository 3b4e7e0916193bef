"""The limits that a reference range says in words: ``3.5-9.5``, ``<10``, ``≥ 60``.

HL7 v2.5.1 section 7.4.2.7 (OBX-7): lower-upper, > lower, < upper; anything else is words.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["read_limits"]

_NUMBER = r"(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)"
_INTERVAL = re.compile(rf"\s*{_NUMBER}\s*(?:-{{1,2}}|~|～|—)\s*{_NUMBER}\s*\Z")
_UP_TO = re.compile(rf"\s*(?:<=?|≤|＜)\s*{_NUMBER}\s*\Z")
_FROM = re.compile(rf"\s*(?:>=?|≥|＞)\s*{_NUMBER}\s*\Z")


@lru_cache(maxsize=4096)
def read_limits(text: str) -> tuple[str | None, str | None]:
    """(lower, upper) as decimal text; None for a limit that is not said."""
    if found := _INTERVAL.match(text):
        return found.group(1), found.group(2)
    if found := _UP_TO.match(text):
        return None, found.group(1)
    if found := _FROM.match(text):
        return found.group(1), None
    return None, None
