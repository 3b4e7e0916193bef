"""Language tags of BCP 47 from what senders write.

https://www.rfc-editor.org/rfc/rfc5646#section-2.2.1: the shortest code of ISO 639 is the tag
of a language (``en``, never ``eng``), a script has four letters, a region two or three digits.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib.resources import files

__all__ = ["language_tag"]

_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?\Z")


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
