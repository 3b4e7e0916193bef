"""Regular expressions of ``matches()`` and friends, made safe.

FHIRPath asks for PCRE-like patterns, partial match, ``.`` matching line ends
(http://hl7.org/fhirpath/N1/#matchesregex--string--boolean).  Python's engine may take
exponential time on nested repetition, so such patterns are refused (FB-2005) unless their
parts cannot overlap, and long texts are refused for patterns with many repetitions.
"""

from __future__ import annotations

import re
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as grammar  # type: ignore[import-not-found]
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from fhir_bridge.fhirpath.evaluation import fail

__all__ = ["compile_pattern", "substitution"]

_LONGEST = 5_000
_NAMED = re.compile(r"\(\?<([A-Za-z]\w*)>")
_GROUP = re.compile(r"\$(?:(\d{1,2})|\{(\w+)\}|(\$))")
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT)


def compile_pattern(source: str, flags: str, length: int) -> re.Pattern[str]:
    """The compiled pattern for a text of `length`; FB-2005 when it is none or too costly."""
    pattern, repeats, nested = _compiled(source, flags)
    if nested and length > 16:
        raise fail("the regular expression nests repetitions that overlap")
    if repeats > 3 and length ** min(repeats, 4) > 10**13:
        raise fail("the text is too long for this regular expression")
    return pattern


@lru_cache(1024)
def _compiled(source: str, flags: str) -> tuple[re.Pattern[str], int, bool]:
    if set(flags) - {"i", "m"}:
        raise fail("the flags are i and m")
    if len(source) > _LONGEST:
        raise fail("the regular expression is too long")
    options = re.DOTALL
    options |= re.IGNORECASE if "i" in flags else re.NOFLAG
    options |= re.MULTILINE if "m" in flags else re.NOFLAG
    text = _NAMED.sub(r"(?P<\1>", source)
    try:
        tree = grammar.parse(text, options)
        repeats, nested = _cost(tree, inside=False)
        return re.compile(text, options), repeats, nested
    except (re.error, OverflowError, RecursionError) as error:
        raise fail(
            f"the regular expression cannot be read: {getattr(error, 'msg', 'too large')}"
        ) from None


def _cost(tree: Any, *, inside: bool) -> tuple[int, bool]:
    """How many unbounded repetitions there are, and whether one overlaps another inside it."""
    repeats, nested = 0, False
    for code, argument in tree:
        if code in _REPEATS and argument[1] > 50:
            repeats += 1
            body = argument[2]
            inner, deeper = _cost(body, inside=True)
            repeats += inner
            nested = nested or deeper or (inner > 0 and not _anchored(body))
        else:
            for part in _parts(argument):
                inner, deeper = _cost(part, inside=inside)
                repeats += inner
                nested = nested or deeper
    return repeats, nested


def _parts(argument: Any) -> list[Any]:
    """The sub-patterns in the argument of an opcode."""
    if isinstance(argument, grammar.SubPattern):
        return [argument]
    if isinstance(argument, (tuple, list)):
        return [part for each in argument for part in _parts(each)]
    return []


def _anchored(body: Any) -> bool:
    """Whether each round of a repetition starts with a character its own repetitions refuse."""
    flat = list(body)
    while len(flat) == 1 and flat[0][0] is codes.SUBPATTERN:
        flat = list(flat[0][1][3])
    if len(flat) < 2 or flat[0][0] not in (codes.LITERAL, codes.IN):
        return False
    first = _matcher(flat[0])
    rest = [item for item in flat[1:] if item[0] in _REPEATS]
    if len(rest) != len(flat) - 1 or len(rest) != 1:
        return False
    inner = list(rest[0][1][2])
    if len(inner) != 1 or inner[0][0] not in (codes.LITERAL, codes.NOT_LITERAL, codes.IN):
        return False
    second = _matcher(inner[0])
    return not any(first(one) and second(one) for one in map(chr, range(256)))


def _matcher(item: Any) -> Callable[[str], bool]:
    """Whether one opcode matches one character."""
    compiled = re._compiler.compile(_single(item))  # type: ignore[attr-defined]  # noqa: SLF001
    return lambda character: compiled.match(character) is not None


def _single(item: Any) -> Any:
    state = grammar.State()
    state.str = ""
    return grammar.SubPattern(state, [item])


def substitution(template: str, pattern: re.Pattern[str]) -> Callable[[re.Match[str]], str]:
    """``$1``, ``${name}`` and ``$$`` of `template` filled from a match."""

    def fill(match: re.Match[str]) -> str:
        def group(mark: re.Match[str]) -> str:
            if mark[3]:
                return "$"
            if mark[2]:
                return match[mark[2]] or "" if mark[2] in pattern.groupindex else mark[0]
            number = int(mark[1])
            return match[number] or "" if number <= pattern.groups else mark[0]

        return _GROUP.sub(group, template)

    return fill
