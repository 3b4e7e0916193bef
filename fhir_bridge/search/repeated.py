"""What elements add to the index, kept for contents that come again: codes, statuses, subjects.

https://hl7.org/fhir/R4/datatypes.html#complex

Most of what a feed sends in ``status``, ``code`` or ``meta`` was sent a thousand times before,
and the rows that such an element adds depend on nothing but its content.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from fhir_bridge.fhir import Definitions, ElementDefinition, Resource, read_back, render_json
from fhir_bridge.search.rows import IndexRows

__all__ = ["Extract", "Repeated", "comes_again"]

Extract = Callable[[Resource, IndexRows], None]

_MOST_CONTENTS = 1 << 13
_COME_AGAIN = frozenset({"boolean", "code", "Coding", "CodeableConcept", "Meta"})


def comes_again(element: ElementDefinition | None, definitions: Definitions) -> bool:
    """Whether the same content is likely to stand in many resources."""
    if element is None:
        return False
    if element.type == "Reference":
        return not element.is_list  # of lists of results each is new
    shape = definitions.types.get(element.type)
    return element.type in _COME_AGAIN or (shape is not None and shape.kind == "backbone")


class Repeated:
    """The rows that contents add, for a bounded number of contents; safe to share."""

    def __init__(self) -> None:
        self._extracts: list[tuple[str, Sequence[Extract]]] = []
        self._rows = lru_cache(maxsize=_MOST_CONTENTS)(self._worked_out)

    def kept(self, key: str, extracts: Sequence[Extract]) -> Extract:
        """The same as all of `extracts`, which look at nothing but the property `key`."""
        place, rows_of = len(self._extracts), self._rows
        self._extracts.append((key, extracts))

        def extract(resource: Resource, rows: IndexRows) -> None:
            rows.add(rows_of(place, render_json(resource[key])))

        return extract

    def _worked_out(self, place: int, content: bytes) -> IndexRows:
        key, extracts = self._extracts[place]
        rows, resource = IndexRows(), {key: read_back(content)}
        for extract in extracts:
            extract(resource, rows)
        return rows
