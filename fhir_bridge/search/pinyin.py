"""Other texts by which a person's name in Han characters is found: parts, pinyin, initials.

A surname is read as a surname (``surnames.csv``: 单 is shan, 曾 zeng, 欧阳 one surname); every
other character by its common readings (``readings.csv``, made by
``definitions/generate_readings.py``), so that 王重 is found as wangzhong and as wangchong.  The
vowel ü is written v, u and, as in passports, yu.  A name of several parts (买买提·艾力) is
found from each part on, with and without the dot.

Promises: no look-up reads more than two tables of some 100 KB, once; a name has at most
`MAX_READINGS` readings.
"""

from __future__ import annotations

import csv
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from itertools import islice, product

__all__ = ["MAX_NAME_LENGTH", "MAX_READINGS", "name_forms"]

MAX_NAME_LENGTH = 8
"""Han characters of a part of a name; longer text is not a person's name."""

MAX_PARTED_LENGTH = 24
"""The same for all parts of a name with a dot together."""

MAX_READINGS = 6
"""Combinations of readings by which one name is found."""

DOT = "·"
"""What folding makes of every kind of middle dot."""

Reading = tuple[str, ...]


@lru_cache(maxsize=1 << 15)
def name_forms(folded: str, *, is_given: bool = False) -> tuple[str, ...]:
    """Other texts by which a folded name in Han characters is found; none for other names.

    >>> name_forms("单小明")
    ('小明', '明', 'shanxiaoming', 'sxm', 'xiaoming')
    >>> name_forms("艾力·马")
    ('艾力马', 'ailima', 'alm', 'yilima', 'ylm', '马', 'ma')
    """
    parts = "".join(folded.split()).split(DOT)
    letters = "".join(parts)
    longest = MAX_NAME_LENGTH if len(parts) == 1 else MAX_PARTED_LENGTH
    if not 0 < len(letters) <= longest or not all(map(_is_han, letters)):
        return ()
    forms = _of_one(letters, is_given=is_given) if len(parts) == 1 else _of_parts(parts)
    return tuple(dict.fromkeys(each for each in forms if each != folded))


def _of_one(letters: str, *, is_given: bool) -> Iterator[str]:
    """From each character on; the whole by pinyin and initials; the given name by pinyin."""
    for start in range(1, len(letters)):
        yield letters[start:]
    surname = "" if is_given else _surname_of(letters)
    starts = _surname_readings(surname)
    ends = _readings(letters[len(surname) :])
    for both in islice(product(starts, ends), MAX_READINGS):
        yield from _written((*both[0], *both[1]))
    if surname:
        yield from ("".join(end) for end in ends if end)


def _of_parts(parts: list[str]) -> Iterator[str]:
    """Without dots, from each part on; the same by pinyin; the initials of the whole."""
    for start in range(len(parts)):
        rest = "".join(parts[start:])
        yield rest
        for reading in _readings(rest):
            yield from _written(reading) if start == 0 else ("".join(reading),)


def _written(reading: Reading) -> Iterator[str]:
    yield "".join(reading)
    if len(reading) > 1:
        yield "".join(syllable[0] for syllable in reading)


def _readings(letters: str) -> list[Reading]:
    """The combinations of the characters' readings, usual ones first."""
    return list(islice(product(*map(_syllables, letters)), MAX_READINGS))


@lru_cache(maxsize=1 << 13)
def _syllables(letter: str) -> tuple[str, ...]:
    """The ways to read and to write one character; one without a reading stands for itself."""
    letters, usual, others = _table()
    place = bisect_left(letters, letter)
    if place == len(letters) or letters[place] != letter:
        return (letter,)
    readings = (usual[place], *others.get(letter, ()))
    return tuple(way for reading in readings for way in _spellings(reading))


def _spellings(syllable: str) -> tuple[str, ...]:
    if "v" not in syllable:
        return (syllable,)
    return tuple(syllable.replace("v", vowel) for vowel in ("v", "u", "yu"))


@cache
def _table() -> tuple[str, list[str], dict[str, list[str]]]:
    """Every character in order, the usual reading of each, further readings of some.

    Some 40,000 characters as one text and one list cost 0.5 MB; as keys they would cost 6.
    """
    pairs: list[tuple[str, str]] = []
    others: dict[str, list[str]] = {}
    for row in _rows("readings.csv"):
        reading = row["reading"]
        pairs += [(letter, reading) for letter in row["usual"]]
        for letter in row["other"]:
            others.setdefault(letter, []).append(reading)
    pairs.sort()
    return "".join(letter for letter, _ in pairs), [reading for _, reading in pairs], others


def _surname_of(letters: str) -> str:
    """Two characters when they are a compound surname, otherwise the first."""
    return letters[:2] if letters[:2] in _surnames() else letters[:1]


def _surname_readings(surname: str) -> list[Reading]:
    readings = _surnames().get(surname)
    if readings is None:
        return _readings(surname)
    return [
        spelt for reading in readings for spelt in product(*map(_spellings, reading.split("-")))
    ]


@cache
def _surnames() -> dict[str, tuple[str, ...]]:
    return {row["surname"]: tuple(row["readings"].split()) for row in _rows("surnames.csv")}


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())


def _is_han(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff" or "\U00020000" <= letter <= "\U0003ffff"
