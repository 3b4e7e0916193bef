"""``table_date(text)``: a date as spreadsheets and databases write it, as ``YYYY-MM-DD``.

https://hl7.org/fhir/R4/datatypes.html#date
"""

from __future__ import annotations

import re

RESULT = "string"

_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})\Z")
_YEAR = re.compile(r"(\d{4})\s*年\Z")
_LOOSE = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})(?:\s*[-/.月]\s*(\d{1,2})\s*日?)?月?(.*)\Z", re.DOTALL
)


def table_date(text: str | None) -> str | None:
    """`text` with two-digit month and day, its time kept; other forms as they came.

    >>> table_date("2024/1/5"), table_date("2024年1月5日"), table_date("2024.3"), table_date("20240105")
    ('2024-01-05', '2024-01-05', '2024-03', '2024-01-05')
    >>> table_date("2024年"), table_date("2024年3月")
    ('2024', '2024-03')
    >>> table_date("2024-1-5 8:00:00"), table_date("2024/1/5 8:05")
    ('2024-01-05 08:00:00', '2024-01-05 08:05')
    """
    if not text:
        return None
    if alone := _YEAR.match(str(text).strip()):
        return alone.group(1)
    if compact := _COMPACT.match(str(text).strip()):
        return "-".join(compact.groups())
    found = _LOOSE.match(str(text).strip())
    if found is None:
        return str(text)
    year, month, day, rest = found.groups()
    date = f"{year}-{month:0>2}" + (f"-{day:0>2}" if day else "")
    time = rest.strip().lstrip("T")
    if not time or not day:
        return date
    return f"{date} 0{time}" if re.match(r"\d:\d\d", time) else f"{date} {time}"
