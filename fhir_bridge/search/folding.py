"""Text folded so that what people mean as the same is the same for search.

https://hl7.org/fhir/R4/search.html#string: search ignores case, accents and other
diacritics; we also fold full width to half width, and traditional Han characters to
simplified ones (``traditional.csv``, made from ICU data by ``definitions/generate_folding.py``).
Every kind of middle dot (in names such as 买买提·艾力) is one and the same.

Promises: folding never fails and never changes what is stored.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

__all__ = ["fold", "has_han", "words"]

_DOTS = "•∙⋅‧・●᛫⸱⸳"
_FULL_STOP = re.compile(r"(?<=[\u3400-\u9fff])\.(?=[\u3400-\u9fff])")


@lru_cache(maxsize=1 << 15)
def fold(text: str) -> str:
    """`text` in the form in which strings are compared.

    >>> fold("Müller"), fold("ＡＢＣ　張學友"), fold("買買提・艾力")
    ('muller', 'abc 张学友', '买买提·艾力')
    """
    text = text.replace("\x00", "")
    if text.isascii():
        return " ".join(text.lower().split())
    wide = unicodedata.normalize("NFKC", text).casefold().translate(_simplified())
    if "." in wide:
        wide = _FULL_STOP.sub("·", wide)
    return " ".join("".join(map(_without_marks, wide)).split())


def has_han(text: str) -> bool:
    """Whether `text` holds a Han character."""
    return not text.isascii() and any(_is_han(letter) for letter in text)


def words(text: str) -> list[str]:
    """The words of `text`, folded, each once; each Han character is a word.

    >>> words("Blood pressure: 血压")
    ['blood', 'pressure', '血', '压']
    """
    folded: dict[str, None] = {}
    word = ""
    for letter in fold(text) + " ":
        if letter.isalnum() and not _is_han(letter):
            word += letter
            continue
        if word:
            folded[word] = None
            word = ""
        if _is_han(letter):
            folded[letter] = None
    return list(folded)


@cache
def _simplified() -> dict[int, str]:
    text = files(__package__).joinpath("traditional.csv").read_text(encoding="utf-8")
    folded = {
        ord(row["traditional"]): row["simplified"] for row in csv.DictReader(text.splitlines())
    }
    return folded | {ord(dot): "·" for dot in _DOTS}


def _without_marks(letter: str) -> str:
    """Latin, Greek and Cyrillic letters lose their marks; other scripts keep theirs."""
    if letter < "\x80" or letter >= "\u2000" or (letter >= "\u0590" and letter < "\u1e00"):
        return letter
    parts = unicodedata.normalize("NFD", letter)
    return "".join(part for part in parts if not unicodedata.combining(part))


def _is_han(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff" or "\U00020000" <= letter <= "\U0003ffff"
