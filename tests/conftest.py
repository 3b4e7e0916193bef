"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, so that a red run can be repeated; look for new ones with
# ``HYPOTHESIS_SEARCH=1 make test``.
settings.register_profile("repeatable", derandomize=True)
if not os.environ.get("HYPOTHESIS_SEARCH"):
    settings.load_profile("repeatable")


# A test that hangs ends, with the stacks of all threads, and the others go on (pytest-timeout).
# Generous, since several suites may share a machine; a test that needs more says so with
# ``@pytest.mark.timeout(…)``.
os.environ.setdefault("PYTEST_TIMEOUT", "300")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real inputs and public suites; a clear skip where there is none."""
    folder = Path(os.environ.get("FHIR_BRIDGE_SHARED", "../shared")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no shared material at {folder} (set FHIR_BRIDGE_SHARED)")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--accept`` rewrites expected files; the diff is what is reviewed."""
    parser.addoption("--accept", action="store_true", help="rewrite expected files")


@pytest.fixture(scope="session")
def accept(request: pytest.FixtureRequest) -> bool:
    """Whether expected files are to be rewritten instead of compared."""
    return bool(request.config.getoption("--accept"))
