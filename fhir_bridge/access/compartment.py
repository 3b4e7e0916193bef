"""What is of a patient beyond R4's Patient compartment, as data: ``profiles/access/compartment.toml``.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html leaves out types that name a patient only
through others: the agreement of a family, the team of an agreement, the content of a document.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions

__all__ = ["Compartment", "Rule", "load_compartment", "shared_types"]

_FILE = "profiles/access/compartment.toml"
_KEYS = frozenset({"type", "by", "through", "of", "referrer", "because"})


@dataclass(frozen=True, slots=True)
class Rule:
    """How a resource of `resource_type` is of a patient.

    `by`: its search parameter names the patient.  `through`: its search parameter names a resource
    of the patient, of the type `of` where one is given.  `referrer`: a resource of the patient
    (type, code) names it.  One of the three is set.
    """

    resource_type: str
    by: str = ""
    through: str = ""
    of: str = ""
    referrer: tuple[str, str] = ("", "")
    because: str = ""


@dataclass(frozen=True, slots=True)
class Compartment:
    """The rules by type, and the types that are of nobody."""

    rules: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    because: str = ""


def load_compartment(artifacts: Artifacts) -> Compartment:
    """The rules of the site.  Raises BridgeError FB-7601 naming what cannot be used."""
    path = artifacts.find(_FILE)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8")) if path else {}
        _require_keys(data, frozenset({"visible", "shared"}))
        found = [_rule(each) for each in data.get("visible", ())]
        shared = data.get("shared", {})
        types = frozenset(map(_type, shared.get("types", ())))
    except (tomllib.TOMLDecodeError, TypeError, AttributeError, KeyError, ValueError) as error:
        raise BridgeError("FB-7601", _FILE, reason=error) from None
    rules: dict[str, tuple[Rule, ...]] = {}
    for each in found:
        rules[each.resource_type] = (*rules.get(each.resource_type, ()), each)
    return Compartment(rules, types, shared.get("because", ""))


@cache
def shared_types() -> frozenset[str]:
    """The types that are of nobody, as the product ships them."""
    return load_compartment(Artifacts()).shared


def _rule(data: dict[str, Any]) -> Rule:
    _require_keys(data, _KEYS)
    kinds = [name for name in ("by", "through", "referrer") if data.get(name)]
    if len(kinds) != 1:
        raise ValueError(f"{data['type']}: one of by, through, referrer")
    namer, _, code = data.get("referrer", "").partition(".")
    if namer:
        _type(namer)
    if data.get("of"):
        _type(data["of"])
    return Rule(
        _type(data["type"]),
        data.get("by", ""),
        data.get("through", ""),
        data.get("of", ""),
        (namer, code),
        data.get("because", ""),
    )


def _require_keys(data: dict[str, Any], known: frozenset[str]) -> None:
    unknown = data.keys() - known
    if unknown:
        raise ValueError(f"{min(unknown)} is not a key")


def _type(name: str) -> str:
    if name not in definitions().resource_types:
        raise ValueError(f"{name} is not a resource type")
    return name
