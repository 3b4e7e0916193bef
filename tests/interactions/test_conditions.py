"""Conditional headers."""

from __future__ import annotations

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions.conditions import is_unchanged, wanted_version

NOW = "2026-01-02T03:04:05.678Z"


@pytest.mark.parametrize(
    ("tag", "expected"),
    [('W/"3"', 3), ('"3"', 3), ("3", 3), ("", None), ("*", None), ('W/"x"', -1)],
)
def test_if_match_names_a_version(tag: str, expected: int | None) -> None:
    """Weak and strong tags mean the same here; a foreign tag can match nothing."""
    assert expected == wanted_version({"if-match": tag})


@pytest.mark.parametrize("text", ['W/"1", W/"2"', "x", '"a b"'])
def test_what_is_no_tag_is_refused(text: str) -> None:
    """FHIR defines one entity tag for If-Match."""
    with pytest.raises(BridgeError) as raised:
        wanted_version({"if-match": text})
    assert raised.value.code == "FB-4024"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"if-none-match": 'W/"2"'}, True),
        ({"if-none-match": 'W/"1", W/"2"'}, True),
        ({"if-none-match": 'W/"1"'}, False),
        ({"if-modified-since": "Fri, 02 Jan 2026 03:04:05 GMT"}, True),
        ({"if-modified-since": "Fri, 02 Jan 2026 03:04:04 GMT"}, False),
        ({"if-modified-since": "yesterday"}, False),
        ({"if-none-match": 'W/"1"', "if-modified-since": "Fri, 02 Jan 2026 03:04:05 GMT"}, False),
        ({}, False),
    ],
)
def test_a_client_is_told_that_nothing_changed(headers: dict[str, str], expected: bool) -> None:
    """The tag wins over the date."""
    assert expected == is_unchanged(headers, 2, NOW)
