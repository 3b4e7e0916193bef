"""Translation of codes by ConceptMaps, compiled once into look-up tables.

https://hl7.org/fhir/R4/conceptmap.html, equivalences
https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html; the R5 shape
(``relationship``, ``noMap``) is read too.

Promises: a code that no group maps and no ``unmapped`` mode covers gives None, never a
blank code; the closest equivalence wins, then the order of the resource.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_bridge.errors import BridgeError

__all__ = ["ConceptMaps", "Translation"]

_CLOSENESS = (
    "equal",
    "equivalent",
    "wider",
    "source-is-narrower-than-target",
    "subsumes",
    "narrower",
    "source-is-broader-than-target",
    "specializes",
    "inexact",
    "relatedto",
    "related-to",
)
_NO_MATCH = frozenset({"unmatched", "disjoint", "not-related-to"})
_MAX_MAPS = 8


@dataclass(frozen=True, slots=True)
class Translation:
    """A target code with its system and display (empty when not given) and equivalence."""

    system: str
    code: str
    display: str = ""
    equivalence: str = "equivalent"


@dataclass(slots=True)
class _Group:
    """One group: codes of one system to codes of another, and what happens to the rest."""

    source: str
    target: str
    codes: dict[str, Translation | None] = field(default_factory=dict)
    mode: str = ""
    fixed: Translation | None = None
    other_map: str = ""


class ConceptMaps:
    """A set of concept maps by URL (with or without ``|version``) and by id."""

    def __init__(self, resources: Iterable[Mapping[str, Any]] = ()) -> None:
        self._maps: dict[str, list[_Group]] = {}
        for resource in resources:
            self.add(resource)

    def add(self, resource: Mapping[str, Any], *, url: str = "") -> None:
        """Take a ConceptMap in, under its own URL and id, or under `url` only.

        Raises BridgeError FB-2203 when the resource cannot be used.
        """
        name = url or str(resource.get("url") or resource.get("id") or "")
        try:
            groups = [_compiled(group) for group in resource.get("group") or ()]
        except (AttributeError, KeyError, TypeError) as error:
            raise BridgeError("FB-2203", name, url=name, reason=repr(error)) from None
        if not name:
            raise BridgeError("FB-2203", url="", reason="it has neither url nor id")
        self._maps[name] = groups
        version = resource.get("version")
        if version and not url:
            self._maps[f"{name}|{version}"] = groups
        if not url and resource.get("id"):
            self._maps.setdefault(str(resource["id"]), groups)

    def __contains__(self, url: object) -> bool:
        return url in self._maps

    def __iter__(self) -> Any:
        return iter(self._maps)

    def merged(self, other: ConceptMaps) -> ConceptMaps:
        """Both sets; `other` wins."""
        both = ConceptMaps()
        both._maps = {**self._maps, **other._maps}
        return both

    def translate(self, url: str, system: str, code: str) -> Translation | None:
        """The closest translation of `code`, or None when it is unmapped.

        An empty `system` looks through the groups of every source system.  Raises
        BridgeError FB-2202 when no map has the URL.
        """
        return self._translate(url, system, code, 0)

    def _translate(self, url: str, system: str, code: str, depth: int) -> Translation | None:
        groups = self._maps.get(url) or self._maps.get(url.partition("|")[0])
        if groups is None or depth > _MAX_MAPS:
            raise BridgeError("FB-2202", url=url)
        for group in groups:
            if not system or not group.source or group.source == system:
                found = group.codes.get(code)
                if found is not None:
                    return found
        for group in groups:
            if system and group.source and group.source != system:
                continue
            if code in group.codes:  # said to have no counterpart: unmapped does not apply
                continue
            if group.mode in ("provided", "use-source-code"):
                return Translation(group.target or system, code)
            if group.mode == "fixed":
                return group.fixed
            if group.mode == "other-map":
                return self._translate(group.other_map, system, code, depth + 1)
        return None


def _compiled(group: Mapping[str, Any]) -> _Group:
    compiled = _Group(_canonical(group.get("source")), _canonical(group.get("target")))
    for element in group.get("element") or ():
        targets = [
            target
            for target in element.get("target") or ()
            if target.get("code") and _equivalence(target) not in _NO_MATCH
        ]
        best = min(targets, key=_distance, default=None)
        if element.get("code") not in compiled.codes:
            compiled.codes[element["code"]] = best and Translation(
                compiled.target,
                best["code"],
                best.get("display", ""),
                _equivalence(best),
            )
    unmapped = group.get("unmapped") or {}
    compiled.mode = unmapped.get("mode", "")
    if compiled.mode == "fixed":
        compiled.fixed = Translation(
            compiled.target, unmapped["code"], unmapped.get("display", ""), "inexact"
        )
    compiled.other_map = unmapped.get("url") or unmapped.get("otherMap") or ""
    return compiled


def _canonical(url: Any) -> str:
    return str(url or "").partition("|")[0]


def _equivalence(target: Mapping[str, Any]) -> str:
    return str(target.get("equivalence") or target.get("relationship") or "equivalent")


def _distance(target: Mapping[str, Any]) -> int:
    equivalence = _equivalence(target)
    return _CLOSENESS.index(equivalence) if equivalence in _CLOSENESS else len(_CLOSENESS)
