"""Tests that look at the same content once: codes, systems and concepts come again and again.

https://hl7.org/fhir/R4/validation.html

Only what was accepted is kept, so a refusal is always worked out anew; what is kept is
bounded in number and in size.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from typing import Any

__all__ = ["remembered_content", "remembered_text"]

Test = Callable[[Any], bool]

_MOST_CONTENTS = 5_000
_LONGEST_CONTENT = 400
_MOST_TEXTS = 5_000
_LONGEST_TEXT = 200


def remembered_text(test: Test) -> Test:
    """`test` of texts that come again and again (systems, codes): each is looked at once."""
    known: set[str] = set()

    def remembered(value: Any) -> bool:
        if type(value) is not str:
            return False
        if value in known:
            return True
        if not test(value):
            return False
        if len(value) <= _LONGEST_TEXT and len(known) < _MOST_TEXTS:
            known.add(value)
        return True

    return remembered


def remembered_content(test: Test) -> Test:
    """`test` of small objects that come again and again: each content is looked at once."""
    known: set[bytes] = set()

    def remembered(value: Any) -> bool:
        try:
            content = marshal.dumps(value, 2)  # version 2: equal contents give equal bytes
        except ValueError:
            return test(value)  # it holds a decimal
        if content in known:
            return True
        if not test(value):
            return False
        if len(content) <= _LONGEST_CONTENT:
            if len(known) >= _MOST_CONTENTS:
                known.clear()
            known.add(content)
        return True

    return remembered
