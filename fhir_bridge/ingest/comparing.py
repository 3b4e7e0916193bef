"""Resources compared: what the store adds left out, decimals to the letter, whose each one is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fhir_bridge.fhir import Resource, render_json

__all__ = ["SUBJECTS", "bare", "is_same", "persons_of"]

SUBJECTS = ("subject", "patient", "beneficiary", "for", "participant")
"""Elements that name the persons a resource is of."""


def bare(resource: Resource) -> Resource:
    """A stored resource without what the store adds."""
    meta = {
        key: value
        for key, value in resource.get("meta", {}).items()
        if key not in {"versionId", "lastUpdated"}
    }
    bare = {key: value for key, value in resource.items() if key != "meta"}
    return bare | {"meta": meta} if meta else bare


def is_same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same to the letter: 1.10 is not 1.1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(v, other[k]) for k, v in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, Decimal) or isinstance(other, Decimal):
        return one == other and render_json({"": one}) == render_json({"": other})
    return type(one) is type(other) and bool(one == other)


def persons_of(resource: Resource, name: str) -> set[str]:
    """The Patients that a resource is of; an account, a contract, an appointment may name several."""
    said = resource.get(name)
    texts = [
        str(each.get("actor", each).get("reference", ""))
        for each in (said if isinstance(said, list) else [said])
        if isinstance(each, dict)
    ]
    return {text.removeprefix("Patient/") for text in texts if text.startswith("Patient/")}
