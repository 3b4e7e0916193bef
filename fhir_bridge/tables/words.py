"""Words that forms put where a value or a record would be; the list is ``words.csv``.

`nothing`: the cell says that there is nothing (无, 否认, 0).  `unknown`: nothing is known, or
nothing was done (不详, 未测).  `doubt`:
the sender is not sure (高血压待查); its group is what the doubt is about.  `line`: the
line is no record but a total, a signature or a remark.  All are patterns of a whole text in
compatibility form (NFKC).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from unicodedata import normalize

__all__ = ["is_doubt", "is_no_record", "is_unknown", "says_nothing", "without_doubt"]

_MAX_REMARK_CELLS = 2  # most filled cells of a remark
_PUNCTUATION = "。.;, "
_NAME = "某"  # stands for what a doubt is about


def says_nothing(text: str) -> bool:
    """Whether `text` says that there is nothing, or nothing known.

    >>> says_nothing("否认药物过敏史"), says_nothing("无"), says_nothing("无名指骨折")
    (True, True, False)
    """
    return _match("nothing", _plain(text)) is not None or is_unknown(text)


def is_unknown(text: str) -> bool:
    """Whether `text` says that nothing is known.

    >>> is_unknown("不详"), is_unknown("未测"), is_unknown("无")
    (True, True, False)
    """
    return _match("unknown", _plain(text)) is not None


def without_doubt(text: str) -> str | None:
    """What `text` doubts; None when it doubts nothing.

    >>> without_doubt("高血压待查"), without_doubt("糖尿病？"), without_doubt("高血压")
    ('高血压', '糖尿病', None)
    """
    found = _match("doubt", normalize("NFKC", text).strip())
    return next(filter(None, found.groups())).strip() if found else None


def is_doubt(text: str) -> bool:
    """Whether `text` is nothing but doubt, as in brackets behind a name.

    >>> is_doubt("待查"), is_doubt("？"), is_doubt("2015年")
    (True, True, False)
    """
    plain = normalize("NFKC", text).strip()
    return bool(plain) and without_doubt(f"{_NAME}{plain}") == _NAME


def is_no_record(cells: Sequence[str]) -> bool:
    """Whether a line of a table is a total, a signature or a remark.

    >>> is_no_record(["", "合计", "12"]), is_no_record(["填表人：", "某某"]), is_no_record(["1", "合计"])
    (True, True, False)
    """
    texts = (text for text in map(_plain, cells) if text)
    start = next(texts, "")
    first = re.sub(r"\s+", "", start)
    if not start or start.isdigit():  # a record number, as most lines begin
        return False
    if _match("line", start) is None and (first == start or _match("line", first) is None):
        return False
    return len(first) <= _MAX_TOTAL_LENGTH or len(list(texts)) < _MAX_REMARK_CELLS


_MAX_TOTAL_LENGTH = 6  # a line of figures whose first cell is 合计 or 填表人：


def _plain(text: str) -> str:
    return normalize("NFKC", text).strip().strip(_PUNCTUATION)


def _match(kind: str, text: str) -> re.Match[str] | None:
    return _patterns()[kind].fullmatch(text)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    text = files(__package__).joinpath("words.csv").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for row in csv.DictReader(text.splitlines()):
        found.setdefault(row["kind"], []).append(row["pattern"])
    return {kind: _one_of(patterns) for kind, patterns in found.items()}


def _one_of(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
