"""Memo of the index rows that recurring contents add: codes, statuses, subjects.

https://hl7.org/fhir/R4/datatypes.html#complex

Most of what a feed sends in ``status``, ``code`` or ``meta`` was sent a thousand times before,
and the rows that such an element adds depend on nothing but its content.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fhir_bridge.fhir import Definitions, ElementDefinition, Resource, render_json
from fhir_bridge.search.rows import IndexRows

__all__ = ["Extract", "RowMemo", "is_recurring"]

Extract = Callable[[Resource, IndexRows], None]

_MAX_CONTENTS = 1 << 13
_MAX_CONTENT_LENGTH = 1_000
_RECURRING_TYPES = frozenset({"boolean", "code", "Coding", "CodeableConcept", "Meta"})


def is_recurring(element: ElementDefinition | None, definitions: Definitions) -> bool:
    """Whether the same content is likely to be in many resources."""
    if element is None:
        return False
    if element.type == "Reference":
        return not element.is_list  # of lists of results each is new
    shape = definitions.types.get(element.type)
    return element.type in _RECURRING_TYPES or (shape is not None and shape.kind == "backbone")


class RowMemo:
    """The rows that contents add, for a bounded number of contents; safe to share."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, bytes], IndexRows] = {}
        self._keys = 0

    def memoise(self, key: str, extracts: Sequence[Extract]) -> Extract:
        """The same as all of `extracts`, which look at nothing but the property `key`."""
        self._keys += 1
        number, known = self._keys, self._known

        def extract(resource: Resource, rows: IndexRows) -> None:
            content = number, render_json(resource[key])
            more = known.get(content)
            if more is None:
                more = IndexRows()
                for each in extracts:
                    each(resource, more)
                if len(content[1]) <= _MAX_CONTENT_LENGTH:
                    if len(known) >= _MAX_CONTENTS:
                        known.clear()
                    known[content] = more
            rows.add(more)

        return extract
