"""Chinese personal names as they are borne: surnames by frequency, given names by generation."""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from random import Random

from fhir_bridge.demo.facts import pick, rows

__all__ = ["given_name", "pinyin", "surname"]


def surname(random: Random) -> str:
    """A surname; the hundred most frequent ones and a few of two characters."""
    return pick(random, *_surnames())


def given_name(random: Random, birth_year: int, *, male: bool) -> str:
    """One or two characters in the fashion of the years of birth."""
    characters = _characters(birth_year, male)
    first = random.choice(characters)
    if random.random() < (0.35 if birth_year < 1995 else 0.15):
        return first
    return first + random.choice(characters)


@cache
def pinyin(family: str) -> str:
    """How `family` is romanised, in capitals (Ü is written V, as in passports' records)."""
    found = next((row["pinyin"] for row in rows("surnames") if row["surname"] == family), "")
    return found.upper().replace("Ü", "V")


@cache
def _surnames() -> tuple[tuple[str, ...], tuple[float, ...]]:
    table = rows("surnames")
    weights = accumulate(float(row["per_mille"]) for row in table)
    return tuple(row["surname"] for row in table), tuple(weights)


@cache
def _characters(birth_year: int, male: bool) -> str:
    sex = "male" if male else "female"
    fitting = [
        row
        for row in rows("given_characters")
        if row["sex"] == sex and int(row["from_year"]) <= birth_year
    ]
    return max(fitting, key=lambda row: int(row["from_year"]))["characters"]
