"""The rules of labels: codes of a value set, and the labels that say how sensitive they are.

https://hl7.org/fhir/R4/security-labels.html, https://hl7.org/fhir/R4/valueset.html
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.pattern import Pattern, compile_pattern

__all__ = ["ACT_CODE", "CONFIDENTIALITY", "LEVELS", "CodeSet", "LabelRule", "load_label_rules"]

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
LEVELS = ("U", "L", "M", "N", "R", "V")

_TABLE = "profiles/sensitivity/labels.toml"
_MAX_CODE = 100
"""Characters of a code that is looked at: a longer one is none of these."""


@dataclass(frozen=True, slots=True)
class CodeSet:
    """The codes of a value set that are said in it, and the patterns of codes, by their systems."""

    codes: frozenset[tuple[str, str]]
    patterns: Mapping[str, tuple[Pattern, ...]]

    def __contains__(self, coding: tuple[str, str]) -> bool:
        """Whether a (system, code) is meant."""
        system, code = coding
        if coding in self.codes:
            return True
        return len(code) <= _MAX_CODE and any(
            pattern.fullmatch(code) for pattern in self.patterns.get(system, ())
        )


@dataclass(frozen=True, slots=True)
class LabelRule:
    """A row of the table; `under_age` 0: of any age."""

    value_set: str
    members: CodeSet
    labels: tuple[str, ...]
    level: str
    under_age: int = 0


def load_label_rules(artifacts: Artifacts) -> tuple[LabelRule, ...]:
    """The rules of a site; none without the file.

    Raises BridgeError FB-5110 naming what cannot be used.
    """
    path = artifacts.find(_TABLE)
    if path is None:
        return ()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        wanted = {str(row["value_set"]) for row in table.get("rule", ())}
        sets = dict(_value_sets(artifacts, wanted))
        return tuple(_rule(row, sets) for row in table.get("rule", ()))
    except (BridgeError, KeyError, TypeError, ValueError) as error:
        raise BridgeError("FB-5110", _TABLE, reason=error) from None


def _value_sets(artifacts: Artifacts, wanted: set[str]) -> Iterator[tuple[str, CodeSet]]:
    for name, path in artifacts.walk("profiles", ".json"):
        if name.rpartition("/")[2].startswith("ValueSet-"):
            resource = parse_json(path.read_bytes())
            if resource.get("url") in wanted:
                yield str(resource["url"]), _code_set(resource)


def _code_set(resource: Resource) -> CodeSet:
    codes, patterns = set[tuple[str, str]](), dict[str, tuple[Pattern, ...]]()
    for include in resource.get("compose", {}).get("include", ()):
        system = str(include["system"])
        codes.update((system, str(each["code"])) for each in include.get("concept", ()))
        for rule in include.get("filter", ()):
            if (rule["property"], rule["op"]) != ("code", "regex"):
                raise ValueError(f"a filter of {resource['url']} is no regex of the code")
            found = compile_pattern(str(rule["value"]))
            patterns[system] = (*patterns.get(system, ()), found)
    return CodeSet(frozenset(codes), patterns)


def _rule(row: dict[str, Any], sets: Mapping[str, CodeSet]) -> LabelRule:
    unknown = row.keys() - {"value_set", "labels", "level", "under_age"}
    if unknown:
        raise ValueError(f"there is no key {min(unknown)}")
    if row["value_set"] not in sets:
        raise ValueError(f"there is no value set {row['value_set']}")
    if row.get("level", "R") not in LEVELS:
        raise ValueError(f"there is no level {row['level']}")
    return LabelRule(
        row["value_set"],
        sets[row["value_set"]],
        tuple(map(str, row["labels"])),
        row.get("level", "R"),
        int(row.get("under_age", 0)),
    )
