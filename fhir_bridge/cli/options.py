"""What commands open: the settings with the options that most share, files, the services.

Heavy packages are imported where they are used, so that ``--help`` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.config import Settings, load_settings

if TYPE_CHECKING:
    from fhir_bridge.app import Services
    from fhir_bridge.store import Store

__all__ = [
    "INPUTS",
    "artifacts",
    "data_options",
    "input_files",
    "open_record",
    "open_services",
    "read_input",
]

Command = TypeVar("Command", bound=Callable[..., Any])

INPUTS = click.Path(exists=True, path_type=Path, allow_dash=True)


def data_options(command: Command) -> Command:
    """``--data`` and ``--database``, handed to the command as `settings`."""

    @click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Data folder.")
    @click.option("--database", help="Database URL; default: a file in the data folder.")
    @wraps(command)
    def with_settings(*places: Any, data: Path | None, database: str | None, **named: Any) -> Any:
        chosen = data.resolve() if data else None
        return command(*places, settings=load_settings(data=chosen, database=database), **named)

    return with_settings  # type: ignore[return-value]


@contextmanager
def open_services(settings: Settings) -> Iterator[Services]:
    """The services of a site, closed at the end."""
    from fhir_bridge.app import build

    services = build(settings)
    try:
        yield services
    finally:
        services.store.close()


@contextmanager
def open_record(settings: Settings) -> Iterator[Store]:
    """The record alone, without feeds and maps, closed at the end."""
    from fhir_bridge.app import search_registry
    from fhir_bridge.conformance import Profiles
    from fhir_bridge.store import open_store

    profiles = Profiles.from_artifacts(Artifacts(*settings.overlay))
    registry = search_registry(settings, profiles)
    if not settings.database:
        settings.data.mkdir(parents=True, exist_ok=True)
    store = open_store(settings.database_url, registry=registry)
    try:
        yield store
    finally:
        store.close()


def artifacts() -> Artifacts:
    """The mappings and profiles of the product and of the site's overlays."""
    return Artifacts(*load_settings().overlay)


def read_input(path: Path) -> bytes:
    """The bytes of a file, or of standard input for ``-``."""
    return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()


def input_files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """The files among `paths`, folders walked in name order, hidden files left out."""
    for path in paths:
        if str(path) != "-" and path.is_dir():
            yield from sorted(
                one for one in path.rglob("*") if one.is_file() and not one.name.startswith(".")
            )
        else:
            yield path
