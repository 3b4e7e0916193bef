"""What each role may do, as data: the files of ``profiles/access/roles``, found and not listed.

A grant says whose resources (`of`), what may be done (letters of ``cruds``) and with which types.
Who that is at the moment is found out by `fhir_bridge.entitlement`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from fhir_bridge.access.grant import ALL, Query
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions

__all__ = ["REACHES", "RoleGrant", "RolePolicy", "load_roles", "read_query"]

_FOLDER = "profiles/access/roles"
_KEYS = frozenset({"of", "may", "types", "except", "only", "never", "purposes", "because"})
REACHES = frozenset({"nobody", "everybody", "self", "wards", "team", "referred"})
"""Whose resources: of no patient, of all, of the person, of children in their care, of the residents of a
team, of patients who are referred to a hospital."""


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """One table ``[[grants]]``; `types` None: all, `shared`: those that are of nobody."""

    of: str
    may: str
    types: frozenset[str] | None = None
    shared: bool = False
    without: frozenset[str] = frozenset()
    only: tuple[Query, ...] = ()
    never: tuple[Query, ...] = ()
    purposes: frozenset[str] = frozenset()
    because: str = ""

    def resource_types(self, shared: frozenset[str]) -> frozenset[str] | None:
        """The types it is about, None for all; `shared` are those that are of nobody."""
        types = shared if self.shared else self.types
        if not self.without:
            return types
        return (definitions().resource_types if types is None else types) - self.without


@dataclass(frozen=True, slots=True)
class RolePolicy:
    """One role: its names and its grants."""

    name: str
    titles: Mapping[str, str]
    grants: tuple[RoleGrant, ...]


def load_roles(artifacts: Artifacts) -> dict[str, RolePolicy]:
    """The roles of the site by name.  Raises BridgeError FB-7601 naming what cannot be used."""
    found = {}
    for name, path in artifacts.walk(_FOLDER, ".toml"):
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            found[path.stem] = _role(path.stem, data)
        except (tomllib.TOMLDecodeError, TypeError, AttributeError, KeyError, ValueError) as error:
            raise BridgeError("FB-7601", name, reason=error) from None
    return found


def _role(name: str, data: dict[str, Any]) -> RolePolicy:
    _require(data, {"en", "zh", "grants"}, "key of a role")
    titles = {language: str(data[language]) for language in ("en", "zh")}
    return RolePolicy(name, titles, tuple(map(_grant, data.get("grants", ()))))


def _grant(data: dict[str, Any]) -> RoleGrant:
    _require(data, _KEYS, "key of a grant")
    _require([data["of"]], REACHES, "word for whose resources")
    _require(data["may"], ALL, "letter of what may be done")
    listed = data["types"]
    types = None if listed in ("all", "shared") else frozenset(listed)
    without = frozenset(data.get("except", ()))
    _require((types or frozenset()) | without, definitions().resource_types, "resource type")
    if data["of"] == "nobody" and listed == "all":
        raise ValueError("what is of nobody is of named types")
    return RoleGrant(
        data["of"],
        data["may"],
        types,
        listed == "shared",
        without,
        tuple(map(read_query, data.get("only", ()))),
        tuple(map(read_query, data.get("never", ()))),
        frozenset(data.get("purposes", ())),
        data.get("because", ""),
    )


def read_query(text: str) -> Query:
    """``status=executed&type=x`` as pairs.

    >>> read_query("status=executed")
    (('status', 'executed'),)
    """
    return tuple(parse_qsl(text, keep_blank_values=True, strict_parsing=True))


def _require(words: Iterable[str], known: Iterable[str], what: str) -> None:
    unknown = set(words) - set(known)
    if unknown:
        raise ValueError(f"{min(unknown)} is no {what}")
