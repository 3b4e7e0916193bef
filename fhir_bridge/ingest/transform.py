"""Step 2, transform: a record becomes a Bundle by the feed's compiled map.

The map is chosen by the record's types (``[maps]`` of the feed).  A feed of format
``fhir`` needs none: its resources are taken as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir import Resource
from fhir_bridge.map_functions.authority_uri import authority_uri
from fhir_bridge.map_functions.system_uri import system_uri
from fhir_bridge.transform import LineageStep

from .feed import Feed, find_map
from .own_codes import OwnCodes
from .parse import Record
from .rounded import rounded_identities
from .unreadable import unreadable_names

__all__ = ["MapLibrary", "Mapped", "Transformer", "is_refused"]


class _Transformed(Protocol):
    @property
    def target(self) -> Any: ...
    @property
    def issues(self) -> Any: ...
    @property
    def lineage(self) -> Any: ...
    @property
    def codings(self) -> Any: ...


class _CompiledMap(Protocol):
    def run(
        self, source: Any, target: Any = None, *, variables: Any = None, lineage: bool = False
    ) -> _Transformed: ...

    def expect_many(self) -> None: ...


class _CodeSystems(Protocol):
    def codes(self, url: str, /) -> frozenset[str] | None: ...


class MapLibrary(Protocol):
    """What is asked of :class:`fhir_bridge.transform.Library`: compiled maps by URL, cached."""

    @property
    def code_systems(self) -> _CodeSystems:
        """The codes of the systems that are at hand whole."""

    def compile(self, map_url: str, hooks: Sequence[str] = (), /) -> _CompiledMap:
        """The map with the canonical URL `map_url`, and the maps `hooks` in its reach."""

    def digest(self, map_url: str, hooks: Sequence[str] = (), /) -> str:
        """A name for its text and what it reaches."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a record became: a Bundle (None when the feed ignores its type), the map's URL."""

    bundle: Resource | None
    structure_map: str = ""
    issues: list[Issue] = field(default_factory=list)
    lineage: list[LineageStep] = field(default_factory=list)


class Transformer:
    """Runs the maps of `library`; keeps what is constant for each feed."""

    def __init__(self, library: MapLibrary) -> None:
        self._library = library
        self._variables: dict[str, Mapping[str, Any]] = {}
        self._own_codes = OwnCodes(library.code_systems.codes)

    def compile_maps(self, feeds: Iterable[Feed]) -> None:
        """Compile every map that `feeds` name, so that no message waits for it."""
        used = {
            (url, feed.hooks) for feed in feeds for url in (feed.map, *feed.maps.values()) if url
        }
        for map_url, hooks in sorted(used):
            self._library.compile(map_url, hooks).expect_many()

    def transform(self, record: Record, feed: Feed) -> Mapped:
        """The Bundle of `record`.

        Raises BridgeError: FB-6003 no map for its type, FB-6004 the map gave no Bundle,
        FB-21xx/22xx from the map.
        """
        map_url = find_map(feed, *record.types)
        if map_url == "":
            return Mapped(None)
        if map_url is None:
            if feed.format == "fhir":
                return Mapped(_as_bundle(record.tree))
            kind = record.types[0] if record.types else ""
            where = "MSH-9" if feed.format == "hl7v2" else record.where or _place(record.tree)
            raise BridgeError("FB-6003", where, type=kind)
        transformed = self._library.compile(map_url, feed.hooks).run(
            record.tree, variables=self._variables_of(feed), lineage=feed.lineage
        )
        bundle = transformed.target
        issues = list(transformed.issues)
        if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
            if any(is_refused(issue) for issue in issues):
                return Mapped({"resourceType": "Bundle", "type": "collection"}, map_url, issues)
            raise BridgeError("FB-6004", record.where, url=map_url)
        self._own_codes.relabel(transformed.codings, lambda: _sender(record.tree, feed))
        issues += unreadable_names(bundle)
        issues += rounded_identities(bundle, getattr(record.tree, "rounded", ()))
        return Mapped(bundle, map_url, issues, list(transformed.lineage or ()))

    def _variables_of(self, feed: Feed) -> Mapping[str, Any]:
        variables = self._variables.get(feed.name)
        if variables is None:
            variables = {
                "zone": feed.zone,
                "feed": feed.name,
                "owner": feed.identity.owner,
                **feed.variables,
            }
            self._variables[feed.name] = variables
        return variables


def is_refused(issue: Issue) -> bool:
    """Whether an issue keeps its message out of the record."""
    return issue.severity in {"error", "fatal"}


def _as_bundle(resource: Resource) -> Resource:
    if resource.get("resourceType") == "Bundle":
        return resource
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]}


def _sender(tree: Any, feed: Feed) -> str:
    """The URI of whose codes these are: MSH-4 or MSH-3 of a message, else the feed's owner."""
    header = tree.get("MSH") if feed.format == "hl7v2" else None
    named = authority_uri(header.get("f4"), header.get("f3")) if header is not None else None
    return named or str(system_uri(feed.identity.owner or feed.name))


def _place(tree: Any) -> str:
    """The position of a tree's root in the sender's terms; "" where it has none."""
    return str(getattr(tree, "where", "") or "")
