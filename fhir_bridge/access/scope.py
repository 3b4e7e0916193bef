"""Scopes: what an app asks for, and what it was given.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

``patient/Observation.rs?category=laboratory`` is a resource scope: whose records (``patient``,
``user``, ``system``), which type (``*`` for all), what may be done (an ordered subset of
``cruds``) and which of them (a search).  Version 1 wrote ``.read``, ``.write``, ``.*``.  The other
scopes ask for a launch context, an identity or a lasting session.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal, cast
from urllib.parse import parse_qsl

__all__ = ["ResourceScope", "Scopes", "read_scopes"]

Level = Literal["patient", "user", "system"]

_RESOURCE_SCOPE = re.compile(
    r"(patient|user|system)/(\*|[A-Z][A-Za-z]{1,63})\.(c?r?u?d?s?|read|write|\*)(?:\?(.+))?"
)
_VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}
_PARAMETER = re.compile(r"_?[a-z][A-Za-z0-9-]{0,63}")
_SPECIAL = frozenset({"_security", "_tag", "_profile", "_id", "_lastUpdated"})
"""Of the parameters of every type those that choose resources by what they are."""
_OTHERS = frozenset({
    "openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter",
    "online_access", "offline_access",
})  # fmt: skip
MAX_SCOPES, MAX_LENGTH = 200, 8_192


@dataclass(frozen=True, slots=True)
class ResourceScope:
    """One permission: `interactions` are letters of ``cruds``, `query` the search that limits it.

    `text` is the scope as it was asked for.
    """

    level: Level
    resource_type: str
    interactions: str
    query: tuple[tuple[str, str], ...] = ()
    text: str = field(default="", compare=False)

    def allows(self, resource_type: str, interaction: str) -> bool:
        """Whether some resource of a type may be reached by an interaction (a letter)."""
        return interaction in self.interactions and self.resource_type in {"*", resource_type}

    def covers(self, other: ResourceScope) -> bool:
        """Whether everything that `other` allows is allowed here, too."""
        return (
            self.level == other.level
            and self.resource_type in {"*", other.resource_type}
            and set(self.interactions) >= set(other.interactions)
            and set(self.query) <= set(other.query)
        )


@dataclass(frozen=True, slots=True)
class Scopes:
    """A set of scopes; `refused` are words that nobody can be given."""

    resources: tuple[ResourceScope, ...] = ()
    others: frozenset[str] = frozenset()
    refused: tuple[str, ...] = ()

    def at(self, level: Level) -> tuple[ResourceScope, ...]:
        """The resource scopes of one level."""
        return tuple(each for each in self.resources if each.level == level)

    def covers(self, other: Scopes) -> bool:
        """Whether `other` asks for nothing beyond this: a session only ever shrinks."""
        return (
            not other.refused
            and other.others <= self.others
            and all(any(mine.covers(each) for mine in self.resources) for each in other.resources)
        )

    def only(self, kept: Iterable[str]) -> Scopes:
        """Those whose text is among `kept`: what a person leaves ticked."""
        wanted = frozenset(kept)
        resources = tuple(each for each in self.resources if each.text in wanted)
        return Scopes(resources, self.others & wanted)

    def __str__(self) -> str:
        """The scopes as a token says them: each as it was asked for."""
        return " ".join([*sorted(self.others), *(each.text for each in self.resources)])


def read_scopes(text: str, resource_types: Collection[str]) -> Scopes:
    """The scopes of a request, in its order; what is no scope, or cannot be kept, is refused.

    Modifiers, chains and parameters that shape an answer limit nothing, so a scope with one is
    refused rather than given wider than it reads.
    """
    words = list(dict.fromkeys(text[: MAX_LENGTH + 1].split()))
    if len(text) > MAX_LENGTH or len(words) > MAX_SCOPES:
        return Scopes(refused=tuple(words[:1]))
    resources, refused = list[ResourceScope](), list[str]()
    for word in words:
        if word in _OTHERS:
            continue
        scope = _resource_scope(word, resource_types)
        if scope is None:
            refused.append(word)
        else:
            resources.append(scope)
    return Scopes(tuple(resources), _OTHERS.intersection(words), tuple(refused))


def _resource_scope(word: str, resource_types: Collection[str]) -> ResourceScope | None:
    found = _RESOURCE_SCOPE.fullmatch(word)
    if found is None or not found[3]:
        return None
    level, resource_type, interactions, search = found.groups()
    if resource_type != "*" and resource_type not in resource_types:
        return None
    query: tuple[tuple[str, str], ...] = ()
    if search is not None:
        pairs = parse_qsl(search, keep_blank_values=True, max_num_fields=20)
        query = tuple(pairs)
        if interactions in _VERSION_1 or not pairs or not all(map(_is_limiting, pairs)):
            return None
    letters = _VERSION_1.get(interactions, interactions)
    return ResourceScope(cast(Level, level), resource_type, letters, query, word)


def _is_limiting(pair: tuple[str, str]) -> bool:
    """Whether a parameter chooses resources by a value of their own."""
    name, value = pair
    if not value or not _PARAMETER.fullmatch(name):
        return False
    return not name.startswith("_") or name in _SPECIAL
