"""``human_name(family, given, further, not_given)``: a HumanName from the parts of a sender.

https://hl7.org/fhir/R4/datatypes.html#HumanName; HL7 v2.5.1 section 2.A.88 (XPN).  Names in
Han characters are written family first and without a blank; systems for them often put the
whole name into the first part and something else into the second.
"""

from __future__ import annotations

import re
from typing import Any

from fhir_bridge.budget import new_budget
from fhir_bridge.fhir.marks import NULL, is_null
from fhir_bridge.pattern import compile_pattern

RESULT = "HumanName"

_HAN = re.compile("[\u3400-\u9fff]")


def human_name(
    family: str | None,
    given: str | None = None,
    further: str | None = None,
    not_given: str | None = None,
) -> dict[str, Any] | None:
    """Text always; family and given only where the sender splits the name.

    A second part that repeats the first, is in Latin letters beside a name in Han
    characters, or matches the pattern `not_given`, is no given name.  A part that takes back
    is as one that is absent; nothing but such parts take the name back.

    >>> human_name("张三", "ZHANGSAN"), human_name("张", "三")
    ({'text': '张三'}, {'text': '张三', 'family': '张', 'given': ['三']})
    >>> human_name("Smith", "John", "Q")
    {'text': 'John Q Smith', 'family': 'Smith', 'given': ['John', 'Q']}
    """
    name = _name(family, given, further, not_given)
    if name is not None and NULL in name["text"]:
        stated = [None if is_null(part) else part for part in (family, given, further)]
        return _name(stated[0], stated[1], stated[2], not_given) or {"text": NULL}
    return name


def _name(
    family: str | None, given: str | None, further: str | None, not_given: str | None
) -> dict[str, Any] | None:
    if not family:
        return {"text": str(given), "given": [str(given)]} if given else None
    first, second = str(family), str(given or "")
    han = _HAN.search(first) is not None
    if (
        not second
        or second == first
        or (not_given and compile_pattern(not_given).search(second, new_budget()))
    ):
        return {"text": first}
    if han and not _HAN.search(second):
        return {"text": first}
    givens = [second, str(further)] if further else [second]
    text = first + "".join(givens) if han else " ".join([*givens, first])
    return {"text": text, "family": first, "given": givens}
