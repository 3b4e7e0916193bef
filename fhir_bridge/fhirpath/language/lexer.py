"""Tokens of FHIRPath (http://hl7.org/fhirpath/N1/grammar.html, lexer rules).

One regular expression finds every token; white space and comments are dropped.  Identifiers
may also start with a letter outside ASCII, so that a table column such as 姓名 needs no
back-ticks (an extension; see docs/clarifications/fhirpath.md).

Promises: linear in the text; every refusal is BridgeError FB-2001 with line and column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fhir_bridge.errors import BridgeError

__all__ = ["Token", "locate", "tokenize", "unescape"]

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n\f\v\u00a0\ufeff]+|/\*.*?\*/|//[^\r\n]*)
  | (?P<datetime>@[0-9]{4}(?:-[0-9][0-9](?:-[0-9][0-9])?)?T(?:[0-9][0-9](?::[0-9][0-9](?::[0-9][0-9](?:\.[0-9]+)?)?)?(?:Z|[+-][0-9][0-9]:[0-9][0-9])?)?)
  | (?P<date>@[0-9]{4}(?:-[0-9][0-9](?:-[0-9][0-9])?)?)
  | (?P<time>@T[0-9][0-9](?::[0-9][0-9](?::[0-9][0-9](?:\.[0-9]+)?)?)?)(?P<zone>Z|[+-][0-9][0-9]:[0-9][0-9])?
  | (?P<long>[0-9]+L\b)
  | (?P<number>[0-9]+(?:\.[0-9]+)?)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<delimited>`(?:[^`\\]|\\.)*`)
  | (?P<quoted>"(?:[^"\\]|\\.)*")
  | (?P<special>\$(?:this|index|total)\b)
  | (?P<identifier>[^\W\d]\w*)
  | (?P<symbol><=|>=|!=|!~|/(?!\*)|[.,:()\[\]{}|&+\-*=~<>%])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SIMPLE = {"f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind, its text (quotes removed, escapes resolved), its offset."""

    kind: str
    text: str
    offset: int


def tokenize(text: str) -> list[Token]:
    """The tokens of `text`, closed by one of kind ``end``.  Raises FB-2001."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise BridgeError("FB-2001", locate(text, position), reason=_unexpected(text, position))
        kind = match.lastgroup or ""
        if match["zone"]:
            raise BridgeError("FB-2001", locate(text, position), reason="a time has no zone")
        if kind != "space":
            found = match.group(kind)
            if kind in ("string", "delimited", "quoted"):
                found = unescape(found[1:-1])
            tokens.append(Token(kind, found, position))
        position = match.end()
    tokens.append(Token("end", "end of expression", len(text)))
    return tokens


def locate(text: str, offset: int) -> str:
    """`offset` as people count: ``line 2, column 7``."""
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return f"line {line}, column {column}"


def unescape(text: str) -> str:
    r"""Resolve ``\'``, ``\n``, ``\u0041`` and the like; surrogate pairs become one character.

    >>> unescape(r"Peter\u0027s")
    "Peter's"
    """
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(_character, text)
    if any("\ud800" <= character <= "\udfff" for character in plain):
        plain = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return plain


def _character(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return _SIMPLE.get(match[2], match[2])


def _unexpected(text: str, position: int) -> str:
    character = text[position]
    if text.startswith("/*", position):
        return "the comment is not closed"
    if character in "'`":
        return f"the {'string' if character == chr(39) else 'identifier'} is not closed"
    if character == "@":
        return "expected a date, dateTime or time after @"
    return f"unexpected character {character!r}"
