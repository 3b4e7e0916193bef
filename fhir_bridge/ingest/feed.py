"""Feeds: what is known of one interface of a source system.

A Feed is frozen and complete (defaults filled in); :mod:`.feed_file` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.tables import Dialect

__all__ = [
    "Acknowledgement",
    "Feed",
    "Identity",
    "Listener",
    "Table",
    "find_map",
    "find_mentions",
    "get_feed",
]


@dataclass(frozen=True, slots=True)
class Listener:
    """Where data arrive; `options` holds what a kind of its own needs (REST sources)."""

    kind: str = "none"
    port: int = 0
    largest_frame: int = 16 * 1024 * 1024
    frame_seconds: float = 60
    idle_seconds: float = 3600
    answer_seconds: float = 60
    connections: int = 64
    connections_per_address: int = 32
    folder: str = ""
    pattern: tuple[str, ...] = ()
    settle_seconds: float = 2
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """How HL7 v2 messages are answered, and which are taken."""

    mode: str = "auto"
    processing_ids: tuple[str, ...] = ("P",)
    require_control_id: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """How a table is read and recognised.

    `full_export` says that each file holds everything: what a row said that is no longer there
    is taken back.
    """

    group_by: str = ""
    whose: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    delimiter: str = ""
    quote: str = ""
    header_row: int = 0
    sheet: str = ""
    clear: tuple[str, ...] = ()
    empty: str = "keep"
    full_export: bool = False

    @property
    def dialect(self) -> Dialect:
        """What the reader of tables asks."""
        return Dialect(
            delimiter=self.delimiter,
            quote=self.quote or '"',
            header_row=self.header_row or None,
            sheet=self.sheet,
            required=self.required,
            clear=self.clear,
            empty=self.empty,
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose numbers the feed's identifiers are."""

    owner: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed; see the README for the meaning of each key."""

    name: str
    title: Mapping[str, str]
    source: str
    format: str
    charset: str = ""
    zone: str = "+08:00"
    map: str = ""
    maps: Mapping[str, str] = field(default_factory=dict)
    hooks: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    standard: bool = False
    lineage: bool = False
    variables: Mapping[str, Any] = field(default_factory=dict)
    profiles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mentions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    models_check: str = ""
    listener: Listener = Listener()
    acknowledgement: Acknowledgement = Acknowledgement()
    table: Table = Table()
    identity: Identity = Identity()


def get_feed(feeds: Mapping[str, Feed], name: str) -> Feed:
    """The feed called `name`; BridgeError FB-6302 where there is none."""
    if name not in feeds:
        raise BridgeError("FB-6302", feed=name)
    return feeds[name]


def find_map(feed: Feed, *types: str) -> str | None:
    """The map for data of `types` (most particular first); "" to ignore them, None if unknown."""
    for kind in types:
        if kind in feed.ignore:
            return ""
        if kind in feed.maps:
            return feed.maps[kind]
    return feed.maps.get("*") or feed.map or None


def find_mentions(feed: Feed, *types: str) -> tuple[str, ...]:
    """The resource types that data of `types` (most particular first) only mention."""
    for kind in (*types, "*"):
        if kind in feed.mentions:
            return feed.mentions[kind]
    return ()
