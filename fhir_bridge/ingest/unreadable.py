"""Names whose characters were lost on the way name nobody.

A program that writes a character its character set does not have puts ``?`` (most drivers and
exports), U+FFFD (Unicode 15.0, section 23.8) or a box in its place.  Nothing brings the name
back, and ``??`` is the name of every person of that sender, so such a record is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource

__all__ = ["unreadable_names"]

_MARKS = "?\uff1f\ufffd\u25a1\u25af"
_LOST = re.compile(f"[{_MARKS}]")
_NOTHING_ELSE = re.compile(rf"[{_MARKS}\s.,\u00b7]+\Z")
_NAMED = frozenset({"Patient", "Practitioner", "RelatedPerson", "Person"})


def unreadable_names(bundle: Resource) -> list[Issue]:
    """FB-6007 for a Patient of whose names none can be read, FB-6008 for any that holds marks."""
    issues: list[Issue] = []
    for number, entry in enumerate(bundle.get("entry", ())):
        resource = entry.get("resource") if type(entry) is dict else None
        if type(resource) is not dict or resource.get("resourceType") not in _NAMED:
            continue
        kind = str(resource["resourceType"])
        names = {f"{kind}.name[{place}]": _text(name) for place, name in _items(resource, "name")}
        is_nobody = kind == "Patient" and _is_nobody(names.values())
        for place, contact in _items(resource, "contact"):
            names[f"{kind}.contact[{place}].name"] = _text(contact.get("name"))
        for where, text in names.items():
            marks = "".join(dict.fromkeys(_LOST.findall(text)))
            if marks:
                issue = Issue("FB-6008", "warning", f"entry[{number}] {where}", {"marks": marks})
                if is_nobody:
                    issue = Issue("FB-6007", "error", issue.where, issue.details)
                    is_nobody = False
                issues.append(issue)
    return issues


def _is_nobody(names: Iterable[str]) -> bool:
    given = [name for name in names if name]
    return bool(given) and all(_LOST.search(name) and _NOTHING_ELSE.match(name) for name in given)


def _items(resource: Resource, key: str) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a list with their places."""
    items = resource.get(key)
    items = items if type(items) is list else []
    return [(place, item) for place, item in enumerate(items) if type(item) is dict]


def _text(name: Any) -> str:
    """What a name says: its text, or its parts."""
    if type(name) is not dict:
        return ""
    given = name.get("given")
    parts = [name.get("family"), *(given if type(given) is list else [])]
    return str(name.get("text") or " ".join(str(part) for part in parts if part))
