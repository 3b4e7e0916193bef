"""Whether a regular expression may make Python's engine try exponentially many ways.

It may when one round of a repetition can be read in two ways, for then n rounds can be read
in 2^n.  A repetition whose next step is always settled by the next character (a
*deterministic* expression, after Glushkov: no state leads to two overlapping characters) is
read in one way only; what is not of that kind counts as dangerous.  Repetitions side by side
cost a power of the length, with their number as exponent.

The parsed pattern is that of :mod:`re`; character sets are compared on a sample of
characters that includes every end of a range in the pattern.
"""

from __future__ import annotations

import re._compiler as compiler  # type: ignore[import-not-found]
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as grammar  # type: ignore[import-not-found]
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["is_deterministic", "may_explode", "repetitions"]

_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT)
_CHARACTERS = (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY)
_SAMPLE = frozenset([*map(chr, range(0x180)), *"Ωж٠\u2028\u3000中🔥"])
_MOST_STATES = 300
_MANY = 50


class _Unclear(Exception):  # noqa: N818 - no error: the answer "not known"
    """The pattern is not of the kind that this analysis can judge."""


def repetitions(tree: Any) -> int:
    """How many unbounded repetitions the pattern has: the degree of its cost, if it has one."""
    return sum(1 for _ in _unbounded(tree, outermost=False))


def may_explode(tree: Any) -> bool:
    """Whether a repetition in the pattern may read the same text in exponentially many ways."""
    return any(
        (_varies(loop[0][1][2]) or _branches(loop)) and not is_deterministic(loop)
        for loop in _unbounded(tree, outermost=True)
    )


def _unbounded(tree: Any, *, outermost: bool) -> Iterator[Any]:
    """Each unbounded repetition as a pattern of its own."""
    for code, argument in tree:
        if code in _REPEATS and argument[1] > _MANY:
            yield grammar.SubPattern(tree.state, [(code, argument)])
            if outermost:
                continue
        for part in _parts(argument):
            yield from _unbounded(part, outermost=outermost)


def _varies(body: Any) -> bool:
    least, most = body.getwidth()
    return bool(least != most)


def _branches(tree: Any) -> bool:
    return any(
        code is codes.BRANCH or any(map(_branches, _parts(argument))) for code, argument in tree
    )


def is_deterministic(tree: Any) -> bool:
    """Whether the next character always settles the next step of the pattern."""
    try:
        automaton = _Automaton(tree)
        whole = automaton.read(tree)
    except _Unclear:
        return False
    return automaton.settled(whole.first) and all(map(automaton.settled, automaton.following))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the pattern: may it be empty, and the states it begins and ends with."""

    empty: bool
    first: frozenset[int]
    last: frozenset[int]


_NOTHING = _Piece(True, frozenset(), frozenset())


class _Automaton:
    """One state for each character of the pattern, and which states follow which."""

    def __init__(self, tree: Any) -> None:
        self.flags = tree.state.flags
        self.sample = _SAMPLE.union(_range_ends(tree))
        self.characters: list[frozenset[str]] = []
        self.following: list[set[int]] = []

    def settled(self, states: Iterable[int]) -> bool:
        """Whether no two of the states take the same character."""
        seen: set[str] = set()
        for state in states:
            if not seen.isdisjoint(self.characters[state]):
                return False
            seen |= self.characters[state]
        return True

    def read(self, tree: Any) -> _Piece:
        piece = _NOTHING
        for code, argument in tree:
            piece = self.joined(piece, self.part(code, argument))
        return piece

    def part(self, code: Any, argument: Any) -> _Piece:
        if code in _CHARACTERS:
            return self.state(code, argument)
        if code is codes.AT:
            return _NOTHING
        if code is codes.SUBPATTERN:
            return self.read(argument[3])
        if code is codes.BRANCH:
            choices = [self.read(choice) for choice in argument[1]]
            return _Piece(
                any(choice.empty for choice in choices),
                frozenset().union(*(choice.first for choice in choices)),
                frozenset().union(*(choice.last for choice in choices)),
            )
        if code in _REPEATS:
            least, most, body = argument
            piece = self.read(body)
            if most > 1:
                self.link(piece.last, piece.first)
            return _Piece(piece.empty or least == 0, piece.first, piece.last)
        raise _Unclear

    def state(self, code: Any, argument: Any) -> _Piece:
        if len(self.characters) >= _MOST_STATES:
            raise _Unclear
        holder = grammar.State()
        holder.str = ""
        holder.flags = self.flags
        single = compiler.compile(grammar.SubPattern(holder, [(code, argument)]), self.flags)
        self.characters.append(frozenset(filter(single.fullmatch, self.sample)))
        self.following.append(set())
        own = frozenset({len(self.characters) - 1})
        return _Piece(False, own, own)

    def joined(self, left: _Piece, right: _Piece) -> _Piece:
        self.link(left.last, right.first)
        return _Piece(
            left.empty and right.empty,
            left.first | right.first if left.empty else left.first,
            left.last | right.last if right.empty else right.last,
        )

    def link(self, sources: frozenset[int], targets: frozenset[int]) -> None:
        """Lead from each source to each target; a second way between two states is unclear."""
        for source in sources:
            if not self.following[source].isdisjoint(targets):
                raise _Unclear
            self.following[source] |= targets


def _parts(argument: Any) -> list[Any]:
    """The sub-patterns in the argument of an opcode."""
    if isinstance(argument, grammar.SubPattern):
        return [argument]
    if isinstance(argument, (tuple, list)):
        return [part for each in argument for part in _parts(each)]
    return []


def _range_ends(tree: Any) -> Iterator[str]:
    """Every character named in the pattern, with its neighbours."""
    for code, argument in tree:
        numbers = [argument] if code in (codes.LITERAL, codes.NOT_LITERAL) else []
        if code is codes.IN:
            for kind, value in argument:
                numbers += [value] if kind is codes.LITERAL else []
                numbers += value if kind is codes.RANGE else []
        for number in numbers:
            yield from (
                chr(near) for near in (number - 1, number, number + 1) if 0 <= near < 0x110000
            )
        for part in _parts(argument):
            yield from _range_ends(part)
