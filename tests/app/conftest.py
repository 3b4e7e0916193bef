"""A site with nothing in it, open_services as in production."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_bridge.app import Services, build
from fhir_bridge.config import Settings, load_settings

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A folder of its own; the hospital's listener takes any free port, folders settle at once."""
    feeds = tmp_path / "site" / "mappings" / "feeds"
    feeds.mkdir(parents=True)
    for path in (ROOT / "mappings" / "feeds").glob("*.toml"):
        text = path.read_text(encoding="utf-8").replace("port = 2575", "port = 0")
        (feeds / path.name).write_text(
            text.replace('kind = "folder"', 'kind = "folder"\nsettle_seconds = 0.1'),
            encoding="utf-8",
        )
    return load_settings(
        {},
        data=tmp_path / "var",
        overlay=(tmp_path / "site",),
        port=free_port(),
        log_level="ERROR",
    )


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    """The parts, closed at the end."""
    made = build(settings)
    yield made
    made.store.close()
