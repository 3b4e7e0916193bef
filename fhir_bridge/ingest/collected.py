"""What a map makes as a Bundle of type collection that stands alone.

https://hl7.org/fhir/R4/bundle.html#bdl-3, bdl-7 (each fullUrl once), https://hl7.org/fhir/R4/references.html#logical

Inside the product an entry says how it is to be recorded (``request``) and refers to what
another message described by a search (``Organization?identifier=system|value``).  Both
belong to transactions; a collection says the same by the number itself.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from fhir_bridge.fhir import Resource

__all__ = ["collected"]

_CONDITIONAL = re.compile(r"(?P<type>[A-Z][A-Za-z]+)\?identifier=(?P<token>[^&]*)\Z")


def collected(bundle: Resource) -> Resource:
    """`bundle` with logical references and without requests; one of another type stays."""
    if bundle.get("type") != "collection":
        return bundle
    entries: dict[str, Any] = {}
    for index, entry in enumerate(bundle.get("entry", ())):
        plain = {key: _logical(value) for key, value in entry.items() if key != "request"}
        name = str(entry.get("fullUrl", index))
        if name in entries:  # said twice of one thing: what comes later stands over the earlier
            plain["resource"] = {**entries[name]["resource"], **plain["resource"]}
        entries[name] = plain
    return {**bundle, "entry": [*entries.values()]} if entries else bundle


def _logical(value: Any) -> Any:
    if isinstance(value, list):
        return [_logical(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _logical(item) for key, item in value.items()}
    reference = found.get("reference")
    match = _CONDITIONAL.match(reference) if isinstance(reference, str) else None
    if match is None:
        return found
    system, _, number = unquote(match["token"]).rpartition("|")
    identifier = {"system": system, "value": number} if system else {"value": number}
    rest = {key: item for key, item in found.items() if key != "reference"}
    return {"type": match["type"], "identifier": identifier, **rest}
