"""Tests that look at the same content once: codes, systems and concepts come again and again.

https://hl7.org/fhir/R4/validation.html

Only what was accepted is kept, so a refusal is always worked out anew; what is kept is
bounded in number and in size.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from typing import Any

__all__ = ["memoized_content", "memoized_text"]

Test = Callable[[Any], bool]

_MAX_CONTENTS = 5_000
_MAX_CONTENT_SIZE = 400
_MAX_TEXTS = 5_000
_MAX_TEXT_SIZE = 200


def memoized_text(test: Test) -> Test:
    """`test` of texts that come again and again (systems, codes): each is looked at once."""
    known: set[str] = set()

    def memoized(value: Any) -> bool:
        if type(value) is not str:
            return False
        if value in known:
            return True
        if not test(value):
            return False
        if len(value) <= _MAX_TEXT_SIZE and len(known) < _MAX_TEXTS:
            known.add(value)
        return True

    return memoized


def memoized_content(test: Test) -> Test:
    """`test` of small objects that come again and again: each content is looked at once."""
    known: set[bytes] = set()

    def memoized(value: Any) -> bool:
        try:
            content = marshal.dumps(value, 2)  # version 2: equal contents give equal bytes
        except ValueError:
            return test(value)  # it holds a decimal
        if content in known:
            return True
        if not test(value):
            return False
        if len(content) <= _MAX_CONTENT_SIZE:
            if len(known) >= _MAX_CONTENTS:
                known.clear()
            known.add(content)
        return True

    return memoized
