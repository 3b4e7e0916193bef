"""What ``mappings/update.toml`` says: identity of list items, what belongs together, retiring.

https://hl7.org/fhir/R4/profiling.html#discriminator tells items apart in the same manner:
by paths within the item.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, definitions

__all__ = ["Path", "UpdateRules", "load_update_rules"]

_FILE = "mappings/update.toml"
_KEYS = frozenset({
    "parts", "spans", "united", "aliases", "ahead_hours", "identity", "together", "retired"
})  # fmt: skip

Path = tuple[str, ...]
"""Names of elements from an item down; ``("type", "coding", "code")``."""


@dataclass(frozen=True, eq=False)
class UpdateRules:
    """The rules of a site, told apart as objects; `identity` is by datatype or by ``Type.element``.

    An event that lies more than `ahead_hours` after its receipt counts as of its receipt.
    """

    parts: frozenset[str] = frozenset({"Period"})
    spans: frozenset[str] = frozenset()
    united: frozenset[str] = frozenset()
    aliases: frozenset[str] = frozenset()
    ahead_hours: float = 24
    identity: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    together: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    retired: Mapping[str, Resource] = field(default_factory=dict)

    def paths(self, element_path: str, type_name: str) -> tuple[Path, ...]:
        """What tells items of a list apart; nothing where the list is stated as a whole."""
        found = self.identity.get(element_path)
        return found if found is not None else self.identity.get(type_name, ())

    def group(self, resource_type: str, element: str) -> str:
        """The slot of an element that is stated together with others: its first element."""
        for names in self.together.get(resource_type, ()):
            if element in names:
                return f"{names[0]}&"
        return element


def load_update_rules(artifacts: Artifacts) -> UpdateRules:
    """The rules of the site.  Raises BridgeError FB-6311 naming what cannot be used."""
    path = artifacts.find(_FILE)
    if path is None:
        return UpdateRules()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return _rules(data)
    except (tomllib.TOMLDecodeError, TypeError, AttributeError, ValueError) as error:
        raise BridgeError("FB-6311", _FILE, reason=error) from None


def _rules(data: dict[str, Any]) -> UpdateRules:
    for name in data:
        if name not in _KEYS:
            raise ValueError(f"{name} is not a key")
    for section in ("together", "retired"):
        for name in data.get(section, {}):
            if name not in definitions().resource_types:
                raise ValueError(f"{section}.{name} is not a resource type")
    return UpdateRules(
        frozenset(data.get("parts", ("Period",))),
        frozenset(data.get("spans", ())),
        frozenset(data.get("united", ())),
        frozenset(data.get("aliases", ())),
        float(data.get("ahead_hours", 24)),
        {
            name: tuple(tuple(path.split(".")) for path in paths)
            for name, paths in data.get("identity", {}).items()
        },
        {
            name: tuple(tuple(names) for names in groups)
            for name, groups in data.get("together", {}).items()
        },
        dict(data.get("retired", {})),
    )


@cache
def has_error_status(resource_type: str) -> bool:
    """Whether the status of a type can say that the resource was a mistake."""
    element = definitions().types[resource_type].elements.get("status")
    if element is None or element.type != "code":
        return False
    codes = definitions().required_codes(element.value_set)
    return codes is not None and "entered-in-error" in codes


@cache
def required_elements(resource_type: str) -> frozenset[str]:
    """The elements that R4 requires of a type, as slots are named."""
    elements = definitions().types[resource_type].elements.values()
    names = {each.choice + "[x]" if each.choice else each.key for each in elements if each.min}
    return frozenset(names | {f"{name}&" for name in names})
