"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real inputs and public suites; a clear skip where there is none."""
    folder = Path(os.environ.get("FHIR_BRIDGE_SHARED", "../shared")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no shared material at {folder} (set FHIR_BRIDGE_SHARED)")
    return folder
