"""Feeds: what is known of one interface of a source system, read from data.

``mappings/feeds/<feed>.toml``; the keys are described in ``mappings/feeds/README.md``.

Promises: a Feed is frozen and complete (defaults filled in); a key or value that is not
understood is BridgeError FB-6301 naming feed and key, when the product starts and not
when a message comes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from fhir_bridge.tables import Dialect

__all__ = [
    "FORMATS",
    "SOURCES",
    "Acknowledgement",
    "Feed",
    "Identity",
    "Listener",
    "Table",
    "find_map",
    "find_mentions",
    "get_feed",
    "load_feeds",
    "parse_feed",
]

SOURCES = ("hospital", "public-health", "contract")
FORMATS = ("hl7v2", "cda", "table", "fhir")

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
_ZONE = re.compile(r"Z|[+-](?:0\d|1[0-4]):[0-5]\d")


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


def load_feeds(artifacts: Artifacts) -> Mapping[str, Feed]:
    """All feeds by name, each with what it leaves to the standard feed of its format.

    Raises BridgeError FB-6301 for the first that cannot be used.
    """
    alone = [
        _parse(path.stem, _read(path)) for _, path in artifacts.walk("mappings/feeds", ".toml")
    ]
    standard = {feed.format: feed for feed in alone if feed.standard and feed.format != "table"}
    feeds = {feed.name: _completed(feed, standard.get(feed.format)) for feed in alone}
    ports: dict[int, str] = {}
    for feed in feeds.values():
        port = feed.listener.port
        if port and ports.setdefault(port, feed.name) != feed.name:
            raise _wrong(feed.name, f"port {port} is taken by the feed {ports[port]}")
    return feeds


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


def parse_feed(name: str, text: str) -> Feed:
    """The feed that `text` (TOML) describes by itself.  Raises BridgeError FB-6301."""
    return _completed(_parse(name, text), None)


def _completed(feed: Feed, standard: Feed | None) -> Feed:
    """The feed with what it leaves to the standard feed of its format: maps, mentions, variables.

    Maps are taken type by type, unless the feed has one for everything, and "" takes a type
    away; mentions are taken as a whole, variables one by one.
    """
    maps, mentions, variables = feed.maps, feed.mentions, feed.variables
    if standard is not None:
        variables = {**standard.variables, **variables}
        if not feed.map and "*" not in maps:
            maps = {**standard.maps, **maps}
        mentions = mentions or standard.mentions
    maps = {kind: url for kind, url in maps.items() if url}
    if feed.format != "fhir" and not feed.map and not maps:
        raise _wrong(feed.name, "map or [maps] is missing")
    return replace(feed, maps=maps, mentions=mentions, variables=variables)


def _parse(name: str, text: str) -> Feed:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(name, str(error)) from None
    if not _NAME.match(name):
        raise _wrong(name, "a feed's name is small letters, digits and -")
    try:
        feed = _build(name, data)
    except (TypeError, ValueError, AttributeError) as error:
        raise _wrong(name, str(error)) from None
    _check(feed)
    return feed


def _build(name: str, data: dict[str, Any]) -> Feed:
    title = data.pop("title", {})
    _refuse_other_keys("", data, {each.name for each in fields(Feed)} - {"name"})
    listener = dict(data.pop("listener", {}))
    own = {each.name for each in fields(Listener)} - {"options"}
    options = {key: listener.pop(key) for key in list(listener) if key not in own}
    if options and listener.get("kind") != "rest":
        raise ValueError(f"listener.{next(iter(options))} is not a key")
    identity = {"owner": name} | data.pop("identity", {})
    return Feed(
        name=name,
        title=title if isinstance(title, dict) else {"en": title},
        source=data.pop("source", ""),
        format=data.pop("format", ""),
        listener=_section("listener", Listener, listener | {"options": options}),
        acknowledgement=_section(
            "acknowledgement", Acknowledgement, data.pop("acknowledgement", {})
        ),
        table=_section("table", Table, data.pop("table", {})),
        identity=_section("identity", Identity, identity),
        profiles={kind: _texts(urls) for kind, urls in data.pop("profiles", {}).items()},
        mentions={kind: _texts(names) for kind, names in data.pop("mentions", {}).items()},
        ignore=_texts(data.pop("ignore", ())),
        hooks=_texts(data.pop("hooks", ())),
        **data,
    )


def _section(section: str, shape: type[Any], data: dict[str, Any]) -> Any:
    """A section as its dataclass; lists become tuples, kinds are compared with the default's."""
    _refuse_other_keys(f"{section}.", data, {each.name for each in fields(shape)})
    default = shape()
    values: dict[str, Any] = {}
    for key, value in data.items():
        usual = getattr(default, key)
        values[key] = _texts(value) if isinstance(usual, tuple) else value
        wanted = (int, float) if isinstance(usual, int | float) else type(usual)
        if isinstance(value, bool) is not isinstance(usual, bool) or not isinstance(
            values[key], wanted
        ):
            raise ValueError(f"{section}.{key} takes another kind of value")
    return shape(**values)


def _check(feed: Feed) -> None:
    choices = [
        ("source", feed.source, SOURCES),
        ("format", feed.format, FORMATS),
        ("listener.kind", feed.listener.kind, ("mllp", "folder", "rest", "none")),
        (
            "acknowledgement.mode",
            feed.acknowledgement.mode,
            ("auto", "original", "enhanced", "none"),
        ),
        ("models_check", feed.models_check, ("", "first", "all", "off")),
        ("table.empty", feed.table.empty, ("keep", "clear")),
    ]
    for key, value, allowed in choices:
        if value not in allowed:
            raise _wrong(feed.name, f"{key} is one of {', '.join(filter(None, allowed))}")
    if not feed.title.get("en"):
        raise _wrong(feed.name, "title.en is missing")
    if not _ZONE.fullmatch(feed.zone):
        raise _wrong(feed.name, "zone is written like +08:00")
    if feed.listener.kind == "mllp" and not 0 <= feed.listener.port <= 65535:
        raise _wrong(feed.name, "listener.port is between 1 and 65535")
    for name in sorted({name for names in feed.mentions.values() for name in names}):
        if name not in definitions().resource_types or name == "Patient":
            raise _wrong(feed.name, f"{name} cannot be a mention (a Patient is linked)")


def _refuse_other_keys(prefix: str, data: Mapping[str, Any], names: set[str]) -> None:
    for key in data:
        if key not in names:
            raise ValueError(f"{prefix}{key} is not a key")


def _texts(value: Any) -> tuple[str, ...]:
    found = (value,) if isinstance(value, str) else tuple(value)
    if not all(isinstance(each, str) for each in found):
        raise ValueError(f"{value} is not a list of texts")
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise _wrong(path.stem, "the file is not UTF-8") from None


def _wrong(feed: str, reason: str) -> BridgeError:
    return BridgeError("FB-6301", f"mappings/feeds/{feed}.toml", feed=feed, reason=reason)
