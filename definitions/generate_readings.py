"""Makes ``fhir_bridge/search/readings.csv``: how Han characters are read, without tones.

Usage: ``python definitions/generate_readings.py`` with the package pypinyin (MIT) installed; the
shipped table was made by 0.55.0.  A character's usual reading is the one most of pypinyin's
47,000 phrases have; others count when at least one phrase in twenty (and three in all) has
them.  A character that stands in no phrase has the first two readings of the dictionary.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

from pypinyin.constants import PHRASES_DICT, PINYIN_DICT
from pypinyin.contrib.tone_convert import to_normal

_TABLE = Path(__file__).parents[1] / "fhir_bridge" / "search" / "readings.csv"
_LEAST_SHARE, _LEAST_PHRASES, _MOST = 0.05, 3, 3


def main() -> None:
    """Write one row (reading, characters usually read so, characters also read so)."""
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for phrase, syllables in PHRASES_DICT.items():
        if len(phrase) == len(syllables):
            for letter, readings in zip(phrase, syllables, strict=True):
                counted[letter][_plain(readings[0])] += 1
    usual: defaultdict[str, list[str]] = defaultdict(list)
    others: defaultdict[str, list[str]] = defaultdict(list)
    for code, listed in sorted(PINYIN_DICT.items()):
        first, *more = _readings(listed, counted[chr(code)])
        usual[first].append(chr(code))
        for reading in more:
            others[reading].append(chr(code))
    rows = [
        f"{reading},{''.join(usual[reading])},{''.join(others[reading])}"
        for reading in sorted(usual.keys() | others.keys())
    ]
    _TABLE.write_text("\n".join(["reading,usual,other", *rows, ""]), encoding="utf-8")


def _readings(listed: str, phrases: Counter[str]) -> list[str]:
    """The readings of one character, the usual one first."""
    total = phrases.total()
    if total < _LEAST_PHRASES:
        return list(dict.fromkeys(_plain(each) for each in listed.split(",")))[:2]
    common = [
        reading
        for reading, count in phrases.most_common(_MOST)
        if count >= max(_LEAST_PHRASES, total * _LEAST_SHARE)
    ]
    return common or [phrases.most_common(1)[0][0]]


@cache
def _plain(syllable: str) -> str:
    """Without its tone, ü as v."""
    return to_normal(syllable).replace("ü", "v").replace("ê", "e")


if __name__ == "__main__":
    main()
