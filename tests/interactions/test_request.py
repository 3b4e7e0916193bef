"""Requests as values."""

from __future__ import annotations

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions import split_url
from fhir_bridge.interactions.request import Prefer, parse_prefer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Prefer()),
        ("return=minimal", Prefer("minimal")),
        ('return="representation", handling=lenient', Prefer("representation", lenient=True)),
        ("return=everything; respond-async; handling=strict", Prefer()),
    ],
)
def test_preferences_are_read_and_unknown_ones_ignored(text: str, expected: Prefer) -> None:
    """RFC 7240: several in one header, quoted or not."""
    assert expected == parse_prefer(text)


def test_a_url_is_decoded_once() -> None:
    """An encoded slash stays inside its segment; a plus is a blank in a query."""
    assert (("Patient", "a/b"), (("name", "x y"),)) == split_url("Patient/a%2Fb?name=x+y")
    assert (("Patient",), (("name", "%20"),)) == split_url("/Patient?name=%2520")


def test_nul_is_refused() -> None:
    """No FHIR string and no database holds it."""
    with pytest.raises(BridgeError) as raised:
        split_url("Patient?name=a%00")
    assert raised.value.code == "FB-4025"
