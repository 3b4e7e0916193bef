"""Scopes in plain words: what an app would see and do, for whom it asks."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_bridge.access import ResourceScope, Scopes
from fhir_bridge.sign_in.page import Words

__all__ = ["ScopeLine", "scope_lines"]

_READS, _WRITES = frozenset("rs"), frozenset("cud")


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """One scope as a person reads it; `scope` is what it is called by in the form."""

    scope: str
    sentence: str
    note: str = ""


def scope_lines(scopes: Scopes, words: Words) -> list[ScopeLine]:
    """The lines of a consent page, the record first."""
    lines = [_resource_line(each, words) for each in scopes.resources]
    for other in sorted(scopes.others):
        key = other.replace("/", "_")
        lines.append(ScopeLine(other, words(f"scope_{key}"), words.get(f"scope_{key}_note", "")))
    return lines


def _resource_line(scope: ResourceScope, words: Words) -> ScopeLine:
    letters = frozenset(scope.interactions)
    verb = (
        "both"
        if letters & _READS and letters & _WRITES
        else "read"
        if letters & _READS
        else "write"
    )
    what = words.get(f"type_{scope.resource_type}", scope.resource_type)
    if scope.query:
        what = words("narrowed", what=what, how="; ".join(f"{n} = {v}" for n, v in scope.query))
    whose = words(f"whose_{scope.level}")
    note = words("also_later") if scope.resource_type == "*" else ""
    return ScopeLine(scope.text, words(f"may_{verb}", what=what, whose=whose), note)
