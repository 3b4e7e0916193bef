"""What the search tests share."""

from __future__ import annotations

import pytest

from fhir_bridge.fhir import definitions
from fhir_bridge.search import Registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The parameters of R4."""
    return Registry(definitions())
