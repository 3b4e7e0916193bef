"""What a measured value in a cell says: number, comparator, unit, two numbers, a range.

People and programs write ``145``, ``145mmHg``, ``＞180``, ``78次/分``, ``145/92``, ``0.5-1``.
What cannot be read for sure (``约65``, ``65,5``, ``半``) gives nothing, so that the map keeps it
as text and says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

__all__ = ["Measure", "read_measure"]

_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"
_UNIT = r"(?P<unit>(?![0-9.,~/-])[^<>≤≥@]{1,12})?"
_ONE = re.compile(rf"(?P<sign><=?|>=?|≤|≥)?\s*(?P<number>-?{_NUMBER})\s*{_UNIT}")
_TWO = re.compile(rf"(?P<first>{_NUMBER})\s*/\s*(?P<second>{_NUMBER})\s*{_UNIT}")
_RANGE = re.compile(rf"(?P<low>{_NUMBER})\s*(?:-{{1,2}}|~|至|到)\s*(?P<high>{_NUMBER})\s*{_UNIT}")
_SIGNS = str.maketrans({"−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "¥": None})
_COMPARATORS = {"≤": "<=", "≥": ">="}


@dataclass(frozen=True, slots=True)
class Measure:
    """What was read; numbers are the digits as written, without thousands separators.

    `first` and `second` (``145/92mmHg``) are texts with the unit of both, to be read in turn.
    """

    number: str = ""
    comparator: str = ""
    unit: str = ""
    first: str = ""
    second: str = ""
    low: str = ""
    high: str = ""


@lru_cache(maxsize=4096)
def read_measure(text: str) -> Measure:
    """What `text` says; an empty Measure when it cannot be read for sure.

    >>> read_measure("＞180 mmHg")
    Measure(number='180', comparator='>', unit='mmHg', first='', second='', low='', high='')
    >>> read_measure("145/92").second, read_measure("0.5-1").high, read_measure("－1").number
    ('92', '1', '-1')
    >>> read_measure("约65") == read_measure("65,5") == Measure()
    True
    """
    plain = normalize("NFKC", text).translate(_SIGNS).strip()
    if found := _TWO.fullmatch(plain):
        unit = _unit(found)  # of both
        return Measure(first=_digits(found["first"]) + unit, second=_digits(found["second"]) + unit)
    if found := _RANGE.fullmatch(plain):
        low, high = _digits(found["low"]), _digits(found["high"])
        return (
            Measure(low=low, high=high, unit=_unit(found))
            if float(low) < float(high)
            else Measure()
        )
    if found := _ONE.fullmatch(plain):
        sign = found["sign"] or ""
        return Measure(
            number=_digits(found["number"]),
            comparator=_COMPARATORS.get(sign, sign),
            unit=_unit(found),
        )
    return Measure()


def _unit(found: re.Match[str]) -> str:
    return (found["unit"] or "").strip()


def _digits(number: str) -> str:
    """Without separators of thousands and leading zeros, which no JSON number may have."""
    sign, plain = ("-", number[1:]) if number.startswith("-") else ("", number)
    return sign + re.sub(r"\A0+(?=[0-9])", "", plain.replace(",", ""))
