"""Dates in other forms than ISO 8601: the format codes of ``toDate(format)``.

http://hl7.org/fhirpath/#format-codes.  Codes are case sensitive, every other character
stands for itself.  Names of months are English; a two-digit year below 50 is of this
century.  The names of time zones (``z``) are not read.
"""

from __future__ import annotations

import re
from functools import lru_cache

from fhir_bridge.fhirpath_values.failure import fail
from fhir_bridge.fhirpath_values.temporal import Temporal, parse_temporal

__all__ = ["read_date"]

_CODE = re.compile(r"yyyy|yy|M{1,4}|dd?|hh?|HH?|mm?|ss?|S{1,9}|a|Z|z|.", re.DOTALL)
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_SHORT = [name[:3] for name in _MONTHS.split("|")]
_TWO, _ONE_OR_TWO = r"\d\d", r"\d\d?"
# code -> the part of the date that it reads and how that is written
_CODES: dict[str, tuple[str, str]] = {
    "yyyy": ("year", r"\d{4}"),
    "yy": ("century_year", _TWO),
    "MMMM": ("month_name", _MONTHS),
    "MMM": ("month_name", "|".join(_SHORT)),
    "MM": ("month", _TWO),
    "M": ("month", _ONE_OR_TWO),
    "dd": ("day", _TWO),
    "d": ("day", _ONE_OR_TWO),
    "hh": ("half_hour", _TWO),
    "h": ("half_hour", _ONE_OR_TWO),
    "HH": ("hour", _TWO),
    "H": ("hour", _ONE_OR_TWO),
    "mm": ("minute", _TWO),
    "m": ("minute", _ONE_OR_TWO),
    "ss": ("second", _TWO),
    "s": ("second", _ONE_OR_TWO),
    "a": ("half", "[ap]m?|上午|下午"),
    "Z": ("zone", r"z|[+-]\d\d:?\d\d"),
}


def read_date(text: str, pattern: str) -> Temporal | None:
    """`text` by the format codes in `pattern`; None when it does not fit; FB-2005 for a bad format.

    >>> str(read_date("15-01-2024", "dd-MM-yyyy"))
    '2024-01-15'
    """
    match = _compiled(pattern).fullmatch(text)
    if match is None:
        return None
    parts = {name: value for name, value in match.groupdict().items() if value is not None}
    return _assembled(parts)


@lru_cache(256)
def _compiled(pattern: str) -> re.Pattern[str]:
    if len(pattern) > 100:
        raise fail("the date format is longer than 100 characters")
    written, seen = "", set()
    for code in _CODE.findall(pattern):
        if code == "z":
            raise fail("the format code z (name of a time zone) is not read")
        name, form = (
            ("fraction", rf"\d{{{len(code)}}}") if code[0] == "S" else _CODES.get(code, ("", ""))
        )
        if not name:
            written += re.escape(code)
        elif name in seen:
            raise fail(f"the date format has {code} twice")
        else:
            seen.add(name)
            written += f"(?P<{name}>{form})"
    return re.compile(written, re.IGNORECASE | re.ASCII)


def _assembled(parts: dict[str, str]) -> Temporal | None:
    """The date or dateTime of the parts; None when one is missing between others."""
    if "century_year" in parts:
        short = int(parts["century_year"])
        parts["year"] = str(short + (2000 if short < 50 else 1900))
    if "month_name" in parts:
        parts["month"] = str(_SHORT.index(parts["month_name"][:3].lower()) + 1)
    if "half_hour" in parts:
        hour = int(parts["half_hour"])
        if not 1 <= hour <= 12:
            return None
        afternoon = parts.get("half", "a").lower() in ("p", "pm", "下午")
        parts["hour"] = str(hour % 12 + (12 if afternoon else 0))
    text = parts.get("year", "")
    missing = not text
    for name, lead in (
        ("month", "-"),
        ("day", "-"),
        ("hour", "T"),
        ("minute", ":"),
        ("second", ":"),
    ):
        if name not in parts:
            missing = True
        elif missing:
            return None
        else:
            text += lead + parts[name].zfill(2)
    if "fraction" in parts:
        if missing:
            return None
        text += "." + parts["fraction"]
    zone = parts.get("zone", "").upper()
    if zone and "hour" in parts:
        text += zone if zone == "Z" or ":" in zone else f"{zone[:3]}:{zone[3:]}"
    return parse_temporal(text)
