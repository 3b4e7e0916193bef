"""Feeds read from their files: ``mappings/feeds/<feed>.toml`` (``mappings/feeds/README.md``).

A key or value that is not understood is BridgeError FB-6301 naming feed and key, when the
product starts and not when a message comes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions

from .feed import Acknowledgement, Feed, Identity, Listener, Table

__all__ = ["FORMATS", "SOURCES", "load_feeds", "parse_feed"]

SOURCES = ("hospital", "public-health", "contract")
FORMATS = ("hl7v2", "cda", "table", "fhir")

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
_ZONE = re.compile(r"Z|[+-](?:0\d|1[0-4]):[0-5]\d")


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
