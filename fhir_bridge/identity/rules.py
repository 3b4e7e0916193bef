"""The rules of persons: which numbers identify, and when a change is a correction.

Read from ``mappings/identity.toml`` (numbers that are verified, trust of sources),
``mappings/identity/numbers.toml`` and ``mappings/identity/corrections.toml``.
https://hl7.org/fhir/R4/datatypes.html#Identifier
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.identity.verified import VerifiedSystem, mod11_2_holds, verified_system

__all__ = ["Corrections", "IdentityRules", "VerifiedSystem", "load_rules", "mod11_2_holds"]

_VERIFIED = "mappings/identity.toml"
_NUMBERS = "mappings/identity/numbers.toml"
_CORRECTIONS = "mappings/identity/corrections.toml"
_NOTHING = re.compile(r"(?!)")
_NOT_VERIFIED = "https://fhir-bridge.org/fhir/StructureDefinition/identifier-not-verified"


@dataclass(frozen=True, slots=True)
class Corrections:
    """When other facts under a known number are a correction, and when an overlay.

    `events` are patterns of types of messages that may correct, `rows` whether rows of tables
    may, but not those of `not_feeds`; names and birth dates that stand for "unknown" count
    as no fact.
    """

    overlay_facts: int = 2
    overlay_share: float = 0.5
    events: tuple[str, ...] = ()
    rows: bool = False
    not_feeds: frozenset[str] = frozenset()
    placeholder_names: re.Pattern[str] = _NOTHING
    placeholder_births: frozenset[str] = frozenset()

    def may_correct(self, feed: str, event: str) -> bool:
        """Whether a message of type `event` ("": a row) speaks for the register of persons."""
        if feed in self.not_feeds:
            return False
        return _fits(event, self.events) if event else self.rows

    def is_overlay(self, changed: int, compared: int) -> bool:
        """Whether `changed` of `compared` facts are too many for a correction."""
        return changed >= self.overlay_facts and changed > compared * self.overlay_share


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """Verified systems by URL; source kinds from the most to the least trusted; the rest.

    `no_person_types` (HL7 table 0203) and `no_person_systems` are numbers that tell no
    person by themselves.
    """

    verified: Mapping[str, VerifiedSystem]
    precedence: tuple[str, ...] = ()
    no_person_types: frozenset[str] = frozenset()
    no_person_systems: re.Pattern[str] = _NOTHING
    corrections: Corrections = field(default_factory=Corrections)

    def rank(self, source: str) -> int:
        """Place of a source kind in the order of trust; unknown kinds come last."""
        return self.precedence.index(source) if source in self.precedence else len(self.precedence)

    def identifies(self, identifier: Mapping[str, Any]) -> bool:
        """Whether a number tells one person from another within its authority."""
        system = identifier.get("system")
        if not system or not identifier.get("value") or system in self.verified:
            return False
        if any(e.get("url") == _NOT_VERIFIED for e in identifier.get("extension", ())):
            return False
        if self._is_no_person_system(system):
            return False
        codings = identifier.get("type", {}).get("coding", ())
        return not any(coding.get("code") in self.no_person_types for coding in codings)

    def _is_no_person_system(self, system: str) -> bool:
        return _searched(self.no_person_systems, system)


@lru_cache(maxsize=4096)
def _searched(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.search(text) is not None


@lru_cache(maxsize=4096)
def _fits(event: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(event, pattern) for pattern in patterns)


def load_rules(artifacts: Artifacts) -> IdentityRules:
    """The rules of a site; without the files no number is verified and each identifies.

    Raises BridgeError FB-5103 naming what cannot be used.
    """
    verified = _read(artifacts, _VERIFIED)
    numbers = _read(artifacts, _NUMBERS)
    corrections = _read(artifacts, _CORRECTIONS)
    name = _VERIFIED
    try:
        systems = [verified_system(row) for row in verified.get("verified", [])]
        name = _NUMBERS
        _refuse_other_keys(numbers, {"types", "systems"})
        types, no_person = frozenset(numbers.get("types", ())), _any(numbers.get("systems", ()))
        name = _CORRECTIONS
        return IdentityRules(
            {each.system: each for each in systems},
            tuple(verified.get("precedence", ())),
            types,
            no_person,
            _corrections(corrections),
        )
    except (BridgeError, KeyError, TypeError, ValueError) as error:
        raise BridgeError("FB-5103", name, reason=error) from None


def _read(artifacts: Artifacts, name: str) -> dict[str, Any]:
    path = artifacts.find(name)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path else {}
    except tomllib.TOMLDecodeError as error:
        raise BridgeError("FB-5103", name, reason=error) from None


def _corrections(data: Mapping[str, Any]) -> Corrections:
    _refuse_other_keys(data, set(Corrections.__dataclass_fields__))
    return Corrections(
        int(data.get("overlay_facts", 2)),
        float(data.get("overlay_share", 0.5)),
        tuple(data.get("events", ())),
        bool(data.get("rows", False)),
        frozenset(data.get("not_feeds", ())),
        _any(data.get("placeholder_names", ()), re.IGNORECASE),
        frozenset(data.get("placeholder_births", ())),
    )


def _refuse_other_keys(data: Mapping[str, Any], names: set[str]) -> None:
    for name in data:
        if name not in names:
            raise ValueError(f"{name} is not a key")


def _any(patterns: Iterable[str], flags: int = 0) -> re.Pattern[str]:
    """One pattern that finds what any of `patterns` finds."""
    listed = [f"(?:{each})" for each in patterns]
    return re.compile("|".join(listed), flags) if listed else _NOTHING
