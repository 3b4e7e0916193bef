"""Language tags of BCP 47 from what senders write.

https://www.rfc-editor.org/rfc/rfc5646#section-2.2.1: the shortest code of ISO 639 is the tag
of a language (``en``, never ``eng``), a script has four letters, a region two or three digits.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib.resources import files

__all__ = ["is_language_tag", "language_tag"]

_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?\Z")

_WELL_FORMED = re.compile(
    r"(?P<language>[A-Za-z]{2,3})(?:-[A-Za-z]{3}){0,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(?:-[0-9A-WYZa-wyz](?:-[A-Za-z0-9]{2,8})+)*"
    r"(?:-x(?:-[A-Za-z0-9]{1,8})+)?|x(?:-[A-Za-z0-9]{1,8})+|i-[A-Za-z]{2,8}"
)


def is_language_tag(text: str) -> bool:
    """Whether `text` is a tag: well formed, and its language one that is registered with two letters.

    >>> is_language_tag("zh-Hans-CN"), is_language_tag("eng"), is_language_tag("chinese")
    (True, False, False)
    """
    match = _WELL_FORMED.fullmatch(text)
    if match is None:
        return False
    language = (match["language"] or "x").lower()
    if len(language) == 2:
        return language in _short_tags()
    return language not in _tags()


def language_tag(text: str) -> str | None:
    """The tag that `text` means; None when it is no code of a language.

    >>> language_tag("eng"), language_tag("zh_cn"), language_tag("zh-hans-CN"), language_tag("1")
    ('en', 'zh-CN', 'zh-Hans-CN', None)
    """
    match = _TAG.match(text.strip())
    if match is None:
        return None
    language, script, region = match.groups()
    language = language.lower()
    known = _tags()
    if len(language) == 2 and language not in known.values():
        return None
    parts = [known.get(language, language)]
    parts += [script.title()] if script else []
    parts += [region.upper()] if region else []
    return "-".join(parts)


@cache
def _tags() -> dict[str, str]:
    """By three-letter code (both kinds of ISO 639-2) the code of two letters."""
    text = files(__package__).joinpath("languages.csv").read_text(encoding="utf-8")
    return {
        code: row["tag"]
        for row in csv.DictReader(text.splitlines())
        for code in (row["terminological"], row["bibliographic"])
        if code
    }


@cache
def _short_tags() -> frozenset[str]:
    return frozenset(_tags().values())
