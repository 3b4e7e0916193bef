"""Map text to tokens, with positions for people.

https://hl7.org/fhir/R5/mapping-language.html#grammar

The tokens of FHIRPath are a subset of these, so an expression inside a rule is cut out by
looking for the token that ends it; its text is then handed to `fhir_bridge.fhirpath`.
Identifiers may be letters of any script (a table's columns are named in the sender's
language).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from fhir_bridge.errors import BridgeError

__all__ = ["Text", "Token", "unquote"]

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n\f\ufeff\u00a0]+)
    | (?P<metadata>///[ \t]*[\w.\-]+[ \t]*=[ \t]*(?:\"\"\"(?:.|\n)*?\"\"\"|[^\n]*))
    | (?P<comment>//[^\n]*|/\*(?:.|\n)*?\*/)
    | (?P<markdown>\"\"\"(?:.|\n)*?\"\"\")
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<quoted>"(?:[^"\\]|\\.)*")
    | (?P<delimited>`(?:[^`\\]|\\.)*`)
    | (?P<date>@[0-9T][0-9:T.+\-]*Z?)
    | (?P<number>[0-9]+(?:\.[0-9]+|L\b)?)
    | (?P<external>[%$](?:\w[\w\-]*|`[^`]*`|'[^']*'))
    | (?P<name>[^\W\d]\w*)
    | (?P<sign>->|>-|~=|<<|>>|<=|>=|!=|!~|==|--|\.\.|[-+*/&|=<>~^!.,:;(){}\[\]#])
    """,
    re.VERBOSE,
)
_MAX_DIGITS = 400
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text: what kind, the characters, and where it starts and ends."""

    kind: str
    text: str
    start: int
    end: int


class Text:
    """Map text with its tokens; comments are kept apart, by the token they stand before.

    ``/// key = value`` is metadata before the first group, and a comment after it.
    """

    def __init__(self, text: str, name: str = "") -> None:
        self.text = text
        self.name = name
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self.tokens: list[Token] = []
        self.comments: dict[int, list[str]] = {}
        in_groups = False
        for token in self._scan():
            if token.kind == "comment" or (in_groups and token.kind == "metadata"):
                self.comments.setdefault(len(self.tokens), []).append(_comment(token.text))
            else:
                self.tokens.append(token)
                in_groups = in_groups or token.text == "group"
        self.tokens.append(Token("end", "", len(text), len(text)))

    def _scan(self) -> Iterator[Token]:
        text, position, length = self.text, 0, len(self.text)
        while position < length:
            match = _TOKEN.match(text, position)
            if match is None:
                raise self.error(position, "a word, a string or a sign", text[position])
            if match.lastgroup == "number" and match.end() - position > _MAX_DIGITS:
                raise self.error(position, f"a number of at most {_MAX_DIGITS} digits", "more")
            if match.lastgroup != "space":
                yield Token(str(match.lastgroup), match.group(), position, match.end())
            position = match.end()

    def line(self, position: int) -> int:
        """The line (from 1) of a character position."""
        return bisect_right(self._lines, position)

    def place(self, position: int) -> str:
        """The place in words: map NAME, line L, column C."""
        line = self.line(position)
        column = position - self._lines[line - 1] + 1
        prefix = f"map {self.name}, " if self.name else ""
        return f"{prefix}line {line}, column {column}"

    def error(self, position: int, expected: str, found: str) -> BridgeError:
        """FB-2101 with the place, what was expected and what stands there."""
        shown = "the end of the text" if not found else repr(found[:40])
        return BridgeError("FB-2101", self.place(position), expected=expected, found=shown)


def unquote(text: str) -> str:
    r"""The characters a quoted token stands for.

    >>> unquote("'it\\'s'")
    "it's"
    """
    return _ESCAPE.sub(
        lambda match: (
            chr(int(match[1][1:], 16)) if len(match[1]) > 1 else _ESCAPED.get(match[1], match[1])
        ),
        text[1:-1],
    )


def _comment(text: str) -> str:
    body = text[2:-2] if text.startswith("/*") else text.lstrip("/")
    return "\n".join(line.strip() for line in body.strip().split("\n"))
