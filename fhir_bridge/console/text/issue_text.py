"""Issues in the reader's language: the catalogue is English, ``issues_zh.csv`` says it in Chinese.

A code without a Chinese row reads in English rather than not at all.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fhir_bridge.errors import Issue

__all__ = ["IssueText", "chinese", "in_language"]


@dataclass(frozen=True, slots=True)
class IssueText:
    """One issue as a page shows it."""

    code: str
    severity: str
    where: str
    sentence: str
    hint: str


class _Places(dict[str, str]):
    """A place without a value stays visible."""

    def __missing__(self, key: str) -> str:
        return "…"


def in_language(issue: Issue, language: str) -> IssueText:
    """The text of `issue` in `language`, in English where there is no other."""
    sentence, hint = issue.sentence, issue.hint
    if language.startswith("zh") and issue.code in chinese():
        sentence, hint = (text.format_map(_Places(issue.details)) for text in chinese()[issue.code])
    return IssueText(issue.code, issue.severity, issue.where, sentence, hint)


@cache
def chinese() -> Mapping[str, tuple[str, str]]:
    """Sentence and hint by code."""
    text = files(__package__).joinpath("issues_zh.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["code"]: (row["sentence"], row["hint"]) for row in rows}
