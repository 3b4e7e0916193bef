"""A journal over a real embedded database, and a feed with a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_bridge.fhir import definitions
from fhir_bridge.search import Registry
from fhir_bridge.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A fresh store."""
    opened = open_store(f"sqlite:///{tmp_path}/record.sqlite3", registry=Registry(definitions()))
    yield opened
    opened.close()
