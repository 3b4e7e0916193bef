"""The words of a document's narrative that an entry refers to (CDA R2 §4.3.5.1).

``<text><reference value="#sig1"/></text>`` stands for the content of the element with ID
``sig1`` somewhere in the narrative.  The IDs of a document are looked up once.
"""

from __future__ import annotations

import re
from functools import lru_cache

from fhir_bridge import xml

__all__ = ["narrative_of"]

_BLANKS = re.compile(r"\s+")
_MAX_LENGTH = 10_000


def narrative_of(element: xml.Element, name: str) -> str:
    """The text with single blanks of what has ID `name` in the document of `element`; "" if none."""
    root = element
    while (parent := root.getparent()) is not None:
        root = parent
    found = _elements_by_id(root).get(name)
    if found is None:
        return ""
    return _BLANKS.sub(" ", " ".join(str(text) for text in found.itertext())).strip()[:_MAX_LENGTH]


@lru_cache(maxsize=1)
def _elements_by_id(root: xml.Element) -> dict[str, xml.Element]:
    return {str(one.get("ID")): one for one in root.iter("*") if one.get("ID")}
