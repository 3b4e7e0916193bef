"""``name_text(family, given, further, not_given)``: the text of `human_name` with the same parts."""

from __future__ import annotations

from fhir_bridge.map_functions.human_name import human_name

RESULT = "string"


def name_text(
    family: str | None,
    given: str | None = None,
    further: str | None = None,
    not_given: str | None = None,
) -> str | None:
    """The name in one text, for a Reference.display.

    >>> name_text("王", "医生", None, "医生")
    '王'
    """
    name = human_name(family, given, further, not_given)
    return None if name is None else str(name["text"])
