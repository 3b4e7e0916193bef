"""Rows of a table as JSON."""

from __future__ import annotations

import pytest

from fhir_bridge import tables
from fhir_bridge.errors import BridgeError


def test_a_text_that_is_not_utf8_is_refused() -> None:
    """FB-1305, whatever stands in the bytes."""
    with pytest.raises(BridgeError, match="FB-1305"):
        list(tables.read_rows(b'[{"a": "\xac"}]'))
