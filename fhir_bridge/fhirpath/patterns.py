"""Regular expressions of ``matches()`` and friends, made safe.

FHIRPath asks for PCRE-like patterns, partial match, ``.`` matching line ends
(http://hl7.org/fhirpath/N1/#matchesregex--string--boolean).  Patterns that may take
exponential time (`backtracking`) are refused (FB-2005) on texts of any length that matters,
and long texts are refused for patterns with many repetitions.
"""

from __future__ import annotations

import re
import re._parser as grammar  # type: ignore[import-not-found]
from collections.abc import Callable
from functools import lru_cache

from fhir_bridge.fhirpath.backtracking import is_deterministic, may_explode, repetitions
from fhir_bridge.fhirpath.evaluation import fail

__all__ = ["compile_pattern", "substitution"]

_LONGEST = 5_000
_NAMED = re.compile(r"\(\?<([A-Za-z]\w*)>")
_GROUP = re.compile(r"\$(?:(\d{1,2})|\{(\w+)\}|(\$))")


def compile_pattern(source: str, flags: str, length: int) -> re.Pattern[str]:
    """The compiled pattern for a text of `length`; FB-2005 when it is none or too costly."""
    pattern, repeats, explosive = _compiled(source, flags)
    if explosive and length > 16:
        raise fail(
            "the regular expression repeats what can be read in several ways; make each round start or end with a character of its own"
        )
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
        repeats = 1 if is_deterministic(tree) else repetitions(tree)
        return re.compile(text, options), repeats, may_explode(tree)
    except (re.error, OverflowError, RecursionError) as error:
        raise fail(
            f"the regular expression cannot be read: {getattr(error, 'msg', 'too large')}"
        ) from None


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
