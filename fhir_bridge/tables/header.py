"""The line of column names: where it is and how its names are cleaned.

Exports put a title and filling instructions above the names, mark required columns with
an asterisk, break names over two lines and leave blanks (also full-width ones) around
them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from fhir_bridge.errors import Issue

__all__ = ["clean_name", "column_index", "find_header", "names_of"]

_BLANKS = re.compile(r"\s+")
_BETWEEN_CHINESE = re.compile(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])")
_NUMBER = re.compile(r"^[-+]?[\d.,:/ -]+$")
_MAX_NAME_LENGTH = 60


def clean_name(name: object) -> str:
    """A column's name without marks, breaks and outer blanks, in half-width characters."""
    text = unicodedata.normalize("NFKC", "" if name is None else str(name))
    text = text.replace("\ufeff", "").replace("\u200b", "")
    text = _BLANKS.sub(" ", text).strip().strip("*").strip()
    return _BETWEEN_CHINESE.sub("", text)


def find_header(rows: Sequence[Sequence[object]]) -> int | None:
    """Index of the line of names among the first `rows`; None when none looks like one.

    It is the first line that fills at least half of the widest line with short, distinct
    texts that are not numbers.
    """
    width = max((_filled(row) for row in rows), default=0)
    for index, row in enumerate(rows):
        names = [name for name in (clean_name(cell) for cell in row) if name]
        if not names or len(names) * 2 < width:
            continue
        words = [n for n in names if len(n) <= _MAX_NAME_LENGTH and not _NUMBER.match(n)]
        if len(words) == len(names) and len(set(names)) * 2 > len(names):
            return index
    return None


def column_index(cells: Sequence[object], where: str) -> tuple[dict[str, int], list[Issue]]:
    """Name to position; a repeated name is kept as ``name_2`` and reported (FB-1306)."""
    index: dict[str, int] = {}
    issues = []
    for position, cell in enumerate(cells):
        name = clean_name(cell)
        if not name:
            continue
        if name in index:
            number = 2
            while f"{name}_{number}" in index:
                number += 1
            renamed = f"{name}_{number}"
            issues.append(Issue("FB-1306", "warning", where, {"column": name, "renamed": renamed}))
            name = renamed
        index[name] = position
    return index, issues


def names_of(cells: Sequence[object]) -> list[str]:
    """The cleaned names of a line, blanks left out."""
    return [name for name in map(clean_name, cells) if name]


def _filled(row: Sequence[object]) -> int:
    return sum(1 for cell in row if clean_name(cell))
