"""The text of ``_filter`` as a tree.

https://hl7.org/fhir/R4/search_filter.html: comparisons ``path operator value`` joined by
``and`` and ``or`` (from left to right, neither before the other), ``not``, parentheses; a path
follows references by dots and may hold a filter on what it passes: ``subject[active eq
true].name``.  Size and depth are bounded; every error says at which character.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from fhir_bridge.errors import BridgeError

__all__ = ["OPERATORS", "Combined", "Comparison", "Filter", "Negated", "Step", "parse_filter"]

OPERATORS = (
    "eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "sa", "eb",
    "pr", "po", "ss", "sb", "in", "ni", "re",
)  # fmt: skip
"""The comparison operators of R4."""

MAX_LENGTH = 8_000
"""Characters of a filter."""
MAX_COMPARISONS = 60
MAX_DEPTH = 16
"""Parentheses, brackets and ``not`` within each other."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*(?::[A-Za-z]+)?", re.ASCII)
_WORD = re.compile(r"[A-Za-z]+", re.ASCII)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BARE = re.compile(r"[^\s,()\[\]\"]+")
_BLANK = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Step:
    """One parameter of a path (``code`` or ``code:Type``), and a filter on what it leads to."""

    name: str
    within: Filter | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path operator value``; `position` is where it begins (from 1)."""

    path: tuple[Step, ...]
    operator: str
    value: str
    position: int


@dataclass(frozen=True, slots=True)
class Combined:
    """Filters, of which all (and) or one (or) must hold."""

    word: Literal["and", "or"]
    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """A filter that must not hold."""

    inner: Filter


Filter = Comparison | Combined | Negated


def parse_filter(text: str) -> Filter:
    """The tree of a filter.

    Raises BridgeError FB-4113, which names the character and what was expected there.

    >>> parse_filter('name co "pet"')
    Comparison(path=(Step(name='name', within=None),), operator='co', value='pet', position=1)
    """
    if len(text) > MAX_LENGTH:
        raise _refusal(MAX_LENGTH, f"a filter of at most {MAX_LENGTH} characters")
    parser = _Parser(text)
    tree = parser.filter(0)
    if parser.place < len(text):
        raise parser.expected("and, or, or the end")
    return tree


class _Parser:
    """Reads from `place` on; every method leaves it after what it read and after blanks."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.comparisons = 0
        self._skip_blanks()

    def filter(self, depth: int) -> Filter:
        """Terms joined by ``and`` and ``or``; a change of the word is a level of its own."""
        self._check(depth)
        parts, joined = [self._term(depth)], ""
        while (word := self._peek_word()) in ("and", "or"):
            self._advance(len(word))
            if joined not in ("", word):
                parts, depth = [_joined(joined, parts)], depth + 1
                self._check(depth)
            parts.append(self._term(depth))
            joined = word
        return _joined(joined, parts)

    def _term(self, depth: int) -> Filter:
        self._check(depth)
        if self._peek_word() == "not":
            self._advance(3)
            return Negated(self._term(depth + 1))
        if self._at("("):
            self._advance(1)
            inner = self.filter(depth + 1)
            self._close(")")
            return inner
        return self._comparison(depth)

    def _comparison(self, depth: int) -> Comparison:
        self.comparisons += 1
        if self.comparisons > MAX_COMPARISONS:
            raise self.expected(f"at most {MAX_COMPARISONS} comparisons")
        position = self.place + 1
        path = [self._step(depth)]
        while self._at("."):
            self.place += 1
            path.append(self._step(depth))
        if path[-1].within is not None:
            raise self.expected("a dot and a parameter after the bracket")
        self._skip_blanks()
        operator = self._peek_word()
        if operator not in OPERATORS:
            raise self.expected(f"one of the operators {', '.join(OPERATORS)}")
        self._advance(len(operator))
        return Comparison(tuple(path), operator, self._value(), position)

    def _step(self, depth: int) -> Step:
        match = _NAME.match(self.text, self.place)
        if not match:
            raise self.expected("the name of a search parameter")
        self.place = match.end()
        if not self._at("["):
            return Step(match[0])
        self._advance(1)
        within = self.filter(depth + 1)
        if not self._at("]"):
            raise self.expected("]")
        self.place += 1
        return Step(match[0], within)

    def _value(self) -> str:
        quoted = _QUOTED.match(self.text, self.place)
        if quoted:
            try:
                value = json.loads(quoted[0], strict=False)
            except ValueError:
                raise self.expected("a string with the escapes of JSON") from None
            self._advance(len(quoted[0]))
            return str(value)
        bare = _BARE.match(self.text, self.place)
        if not bare:
            raise self.expected('a value: a word, a number, a date or a "string"')
        self._advance(len(bare[0]))
        return bare[0]

    def _check(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self.expected(f"at most {MAX_DEPTH} levels of not, brackets and parentheses")

    def _close(self, letter: str) -> None:
        if not self._at(letter):
            raise self.expected(f"and, or, or {letter}")
        self._advance(1)

    def _at(self, letter: str) -> bool:
        return self.text.startswith(letter, self.place)

    def _peek_word(self) -> str:
        match = _WORD.match(self.text, self.place)
        return match[0] if match else ""

    def _advance(self, size: int) -> None:
        self.place += size
        self._skip_blanks()

    def _skip_blanks(self) -> None:
        match = _BLANK.match(self.text, self.place)
        self.place = match.end() if match else self.place

    def expected(self, expected: str) -> BridgeError:
        """What should be at the present place."""
        return _refusal(self.place + 1, expected)


def _joined(word: str, parts: list[Filter]) -> Filter:
    if len(parts) == 1:
        return parts[0]
    return Combined("and" if word == "and" else "or", tuple(parts))


def _refusal(position: int, expected: str) -> BridgeError:
    return BridgeError(
        "FB-4113", f"_filter, character {position}", position=position, expected=expected
    )
