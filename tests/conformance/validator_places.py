"""Whether two places of issues, ours and a published one, are the same or one inside the other.

https://hl7.org/fhir/R4/operationoutcome.html#loc

Published places name the type of a resource in a comment (``resource/*Patient/1*/``), the URL of
an extension, and an index only where an element repeats; an issue of the reader has an XPath
(``/f:Patient/f:name``), the name of the syntax or nothing.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["is_of_reading", "shares_place"]

_DECORATION = re.compile(r"/\*.*?\*/|\[url='.*?'\]|\.ofType\([^)]*\)")
_NO_PATH = re.compile(r"\(\w+\)|.*/?f:.*")


def is_of_reading(item: dict[str, Any]) -> bool:
    """Whether a published issue says that the text could not be read as a resource."""
    expression = item.get("expression")
    return expression is None or _NO_PATH.fullmatch(str(expression)) is not None


def shares_place(ours: str, published: str) -> bool:
    """Whether the places are the same, or one encloses the other without being all of the resource."""
    one, other = _steps(ours), _steps(published)
    common = min(len(one), len(other))
    return one[:common] == other[:common] and (common > 1 or len(one) == len(other))


def _steps(place: str) -> list[str]:
    plain = _DECORATION.sub("", place)
    return [step if step.endswith("]") else f"{step}[0]" for step in plain.split(".")]
