"""Text folded so that what people mean as the same is the same for search.

https://hl7.org/fhir/R4/search.html#string: search ignores case, accents and other
diacritics; we also fold full width to half width, and traditional Han characters to
simplified ones (``traditional.csv``, made from ICU data by ``definitions/generate_folding.py``).
Names in Han characters are also found from any character on, by their pinyin and by the
initials of their pinyin; a surname is read as a surname (``surnames.csv``), the rest by
pypinyin.

Promises: folding never fails and never changes what is stored.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import KeysView
from functools import cache, lru_cache
from importlib.resources import files

__all__ = ["LONGEST_NAME", "fold", "has_han", "name_forms", "words"]

LONGEST_NAME = 8
"""Han characters of a name that can start a match; longer text is not a person's name."""


@lru_cache(maxsize=1 << 15)
def fold(text: str) -> str:
    """`text` in the form in which strings are compared.

    >>> fold("Müller"), fold("ＡＢＣ　張學友")
    ('muller', 'abc 张学友')
    """
    text = text.replace("\x00", "")
    if text.isascii():
        return " ".join(text.lower().split())
    wide = unicodedata.normalize("NFKC", text).casefold().translate(_simplified())
    return " ".join("".join(map(_without_marks, wide)).split())


def has_han(text: str) -> bool:
    """Whether `text` holds a Han character."""
    return not text.isascii() and any(_is_han(letter) for letter in text)


def words(text: str) -> list[str]:
    """The words of `text`, folded, each once; each Han character is a word.

    >>> words("Blood pressure: 血压")
    ['blood', 'pressure', '血', '压']
    """
    found: dict[str, None] = {}
    word = ""
    for letter in fold(text) + " ":
        if letter.isalnum() and not _is_han(letter):
            word += letter
            continue
        if word:
            found[word] = None
            word = ""
        if _is_han(letter):
            found[letter] = None
    return list(found)


@lru_cache(maxsize=1 << 15)
def name_forms(folded: str, *, is_given: bool = False) -> tuple[str, ...]:
    """Other texts by which a folded name in Han characters is found; none for other names.

    >>> name_forms("单小明")
    ('小明', '明', 'shanxiaoming', 'sxm')
    """
    letters = "".join(folded.split())
    if not letters or len(letters) > LONGEST_NAME or not all(map(_is_han, letters)):
        return ()
    forms = [letters[start:] for start in range(1, len(letters))]
    for reading in _readings(letters, is_given=is_given):
        forms.append("".join(reading))
        if len(reading) > 1:
            forms.append("".join(syllable[0] for syllable in reading))
    return tuple(dict.fromkeys(forms))


def _readings(letters: str, *, is_given: bool) -> list[tuple[str, ...]]:
    """Each way to read a name: the surname by its own table, the rest by the usual reading."""
    surname = "" if is_given else _surname_of(letters)
    if surname:
        rest = _syllables(letters[len(surname) :])
        return [(*reading.split("-"), *rest) for reading in _surnames()[surname]]
    split = 0 if is_given else 1
    reading = (*_syllables(letters[:split]), *_syllables(letters[split:]))
    return [reading] if reading else []


def _syllables(letters: str) -> tuple[str, ...]:
    """The usual reading; only letters that form a phrase are read together (which is slow)."""
    if len(letters) > 1 and not _phrases().isdisjoint(
        letters[start:end]
        for start in range(len(letters) - 1)
        for end in range(start + 2, len(letters) + 1)
    ):
        return _read(letters)
    return tuple(syllable for letter in letters for syllable in _read(letter))


@lru_cache(maxsize=1 << 15)
def _read(letters: str) -> tuple[str, ...]:
    from pypinyin import lazy_pinyin

    return tuple(lazy_pinyin(letters, errors="ignore"))


@cache
def _phrases() -> KeysView[str]:
    from pypinyin.constants import PHRASES_DICT

    return PHRASES_DICT.keys()


def _surname_of(letters: str) -> str:
    table = _surnames()
    return next((letters[:size] for size in (2, 1) if letters[:size] in table), "")


@cache
def _surnames() -> dict[str, tuple[str, ...]]:
    text = files(__package__).joinpath("surnames.csv").read_text(encoding="utf-8")
    return {
        row["surname"]: tuple(row["readings"].split()) for row in csv.DictReader(text.splitlines())
    }


@cache
def _simplified() -> dict[int, str]:
    text = files(__package__).joinpath("traditional.csv").read_text(encoding="utf-8")
    return {ord(row["traditional"]): row["simplified"] for row in csv.DictReader(text.splitlines())}


def _without_marks(letter: str) -> str:
    """Latin, Greek and Cyrillic letters lose their marks; other scripts keep theirs."""
    if letter < "\x80" or letter >= "\u2000" or (letter >= "\u0590" and letter < "\u1e00"):
        return letter
    parts = unicodedata.normalize("NFD", letter)
    return "".join(part for part in parts if not unicodedata.combining(part))


def _is_han(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff" or "\U00020000" <= letter <= "\U0003ffff"
