r"""Regular expressions whose cost grows with the text only: RE2 behind one door.

https://github.com/google/re2/wiki/Syntax

Python's own matcher may take exponential time and holds the interpreter meanwhile.  Patterns
that clients send, and those of files that speak of what clients send, are therefore read by
RE2, which walks a text once.  What RE2 cannot say (look-around, back-references, atomic
groups and possessive repetitions) is refused by name (FB-2012).

The meaning is that of :mod:`re` on text, with a few additions: ``\d``, ``\w``, ``\s`` and
their opposites know all of Unicode, ``.`` takes line ends, ``$`` stands before a line end
that closes the text as well, and ``\p{L}`` names a class of Unicode.  ``\b`` is a boundary
between ASCII words in a text that has other characters (docs/clarifications/fhirpath.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

from fhir_bridge.budget import Budget
from fhir_bridge.pattern_syntax import read_pattern, refused

__all__ = ["Costly", "Pattern", "compile_pattern"]

_MAX_MEMORY = 4 * 1024 * 1024
"""Bytes that RE2 may take for one program and what it remembers of texts."""
_STEP = 9
"""Powers of two of (instruction, byte) pairs in a step: together a microsecond at worst."""
_FREE = 32
"""Steps that need no budget."""
_SHORT, _MAX_MEMO = 64, 512
"""Characters of a text whose answer is remembered, and how many of them a pattern has."""
_MARK = re.compile(r"\$(?:([0-9]{1,2})|\{(\w+)\}|(\$))")


class Costly(Exception):  # noqa: N818 - no error: the caller asks again with a budget
    """The text is too long for this pattern to be matched without a budget."""


class Pattern:
    """A compiled pattern; shared by threads."""

    def __init__(self, source: str, flags: str = "") -> None:
        reading = read_pattern(source, flags)
        self.source = source
        self._has_end = reading.has_end
        self._narrow = _Program(reading.ascii)
        self._wide_text = reading.wide
        # codes and words come again and again: four of five need no match
        self._memo = lru_cache(_MAX_MEMO)(self._match)

    @cached_property
    def _wide(self) -> _Program:
        narrow = self._narrow
        return narrow if narrow.text == self._wide_text else _Program(self._wide_text)

    def search(self, text: str, budget: Budget | None = None) -> bool:
        """Whether the pattern is found anywhere in `text`.

        Raises Costly when there is no budget and the text is long for this pattern.
        """
        if len(text) <= _SHORT:
            try:
                return self._memo(text)
            except Costly:
                pass
        return self._match(text, budget)

    def _match(self, text: str, budget: Budget | None = None) -> bool:
        program, data = self._prepare(text, budget)
        if program.tester.search(data) is not None:
            return True
        if self._has_end and data[-1:] == b"\n":
            return program.tester.search(data[:-1]) is not None
        return False

    def fullmatch(self, text: str, budget: Budget | None = None) -> bool:
        """Whether the pattern takes the whole of `text`; else as `search`."""
        program, data = self._prepare(text, budget)
        return program.tester.fullmatch(data) is not None

    def replace(self, text: str, template: str, budget: Budget) -> str:
        """`text` with each match as `template` says: ``$1``, ``${name}``, ``$$``."""
        program, data = self._prepare(text, budget)
        end = len(data)
        matches = list(_matches(program.finder, data, budget))
        if self._has_end and data[-1:] == b"\n" and not _takes_up_to(end, matches):
            end -= 1
            matches = list(_matches(program.finder, data[:end], budget))
        parts = _template_parts(template, program.finder)
        pieces, place = [], 0
        for match in matches:
            made = [part if isinstance(part, bytes) else match[part] or b"" for part in parts]
            budget.text(sum(map(len, made)))
            pieces += [data[place : match.start()], *made]
            place = match.end()
        budget.text(len(data))
        return _decoded(b"".join([*pieces, data[place:]]))

    def _prepare(self, text: str, budget: Budget | None) -> tuple[_Program, bytes]:
        """The program for `text`, its cost counted, and the text in UTF-8."""
        program = self._narrow if text.isascii() else self._wide
        data = _encoded(text)
        steps = len(data) * program.size >> _STEP
        if budget is not None:
            budget.spend(steps)
        elif steps > _FREE:
            raise Costly
        return program, data


class _Program:
    """One reading of the pattern, compiled."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tester = _compiled(text, captures=False)
        self.size: int = self.tester.programsize

    @cached_property
    def finder(self) -> Any:
        """The same with its groups, which cost more to keep."""
        return _compiled(self.text, captures=True)


def _compiled(text: str, *, captures: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    options.never_capture = not captures
    try:
        return re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise refused(told) from None
    finally:
        re2.purge()  # else 128 programs outlive those that are kept here


def _matches(finder: Any, data: bytes, budget: Budget) -> Iterator[Any]:
    """Each match in turn; an empty one is followed by the next character."""
    place, end = 0, len(data)
    while place <= end:
        match = finder.search(data, place)
        if match is None:
            return
        yield match
        budget.spend(1 + (end - place >> 14))
        place = match.end()
        if match.start() == place:
            place += 1
            while place < end and data[place] & 0xC0 == 0x80:
                place += 1


def _takes_up_to(end: int, matches: list[Any]) -> bool:
    return bool(matches) and matches[-1].end() == end != matches[-1].start()


def _template_parts(template: str, finder: Any) -> list[bytes | int]:
    """Texts, and numbers of groups; a group that the pattern has not stays as it is written."""
    parts: list[bytes | int] = []
    place = 0
    names = finder.groupindex
    for mark in _MARK.finditer(template):
        parts.append(_encoded(template[place : mark.start()]))
        place = mark.end()
        number = names.get(mark[2]) if mark[2] else int(mark[1] or 0)
        if mark[3]:
            parts.append(b"$")
        elif number is None or number > finder.groups:
            parts.append(_encoded(mark[0]))
        else:
            parts.append(number)
    return [*parts, _encoded(template[place:])]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


@lru_cache(128)
def compile_pattern(source: str, flags: str = "") -> Pattern:
    """The compiled pattern, kept.  Raises BridgeError FB-2012 when there is none."""
    return Pattern(source, flags)
