"""The pages' two languages: which one a reader wants, and the words of each (``texts.csv``)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

__all__ = ["LANGUAGES", "Words", "choose", "words"]

LANGUAGES = ("zh-CN", "en")


class Words:
    """The words of one language; an unknown key is a bug and raises KeyError."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, **places: object) -> str:
        """The words for `key`, with `places` filled in."""
        return self._texts[key].format(**places)

    def get(self, key: str, fallback: str) -> str:
        """The words for `key`, or `fallback` where the table has none."""
        return self._texts.get(key, fallback)

    @property
    def other(self) -> str:
        """The language a reader can change to."""
        return LANGUAGES[1] if self.language == LANGUAGES[0] else LANGUAGES[0]


@cache
def words(language: str) -> Words:
    """The words of `language` (one of :data:`LANGUAGES`)."""
    text = files(__package__).joinpath("texts.csv").read_text(encoding="utf-8")
    column = "en" if language == "en" else "zh"
    return Words(language, {row["key"]: row[column] for row in csv.DictReader(text.splitlines())})


def choose(asked: str | None, kept: str | None, accepted: str, default: str) -> str:
    """The language of a page: asked for, else kept in the cookie, else by Accept-Language.

    >>> choose(None, None, "fr, en-GB;q=0.8, zh;q=0.5", "zh-CN")
    'en'
    """
    for wish in (asked, kept):
        if wish in LANGUAGES:
            return wish
    for tag in _by_quality(accepted):
        if tag.startswith("zh"):
            return "zh-CN"
        if tag.startswith("en"):
            return "en"
    return default


def _by_quality(accepted: str) -> list[str]:
    """The language tags of an Accept-Language header, most wanted first (RFC 9110 12.5.4)."""
    found: list[tuple[float, int, str]] = []
    for position, part in enumerate(accepted.lower().split(",")):
        tag, _, parameter = part.strip().partition(";")
        try:
            quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            quality = 0.0
        if tag and quality > 0:
            found.append((-quality, position, tag))
    return [tag for _, _, tag in sorted(found)]
