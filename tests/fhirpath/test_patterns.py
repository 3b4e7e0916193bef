"""Regular expressions: what is safe runs on any text, what may explode is refused."""

from __future__ import annotations

import time

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath import compile_pattern

SAFE = [
    r"(a|b)*c",
    r"([a-z]+,)*[a-z]+",
    r"^[A-Za-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*(\[x])?)*$",
    r"^[^\s.,:;\[\]]{1,64}(\.[^\s.,:;\[\]]{1,64}(\[x\])?(\:[^\s\.]+)?)*$",
    r"(/[A-Za-z0-9\-]+)*(\?(\w+=\w+&)*)?",
    r"((\d{1,3}\.)+\d{1,3})",
]
EXPLOSIVE = [
    r"(a+)+$",
    r"(a*)*b",
    r"(a|aa)+$",
    r"(\s*a+\s*)*$",
    r"(.*)*x",
    r"(\.a*a*)*$",
    r"(ab|a|b)*$",
]


@pytest.mark.parametrize("source", SAFE)
def test_deterministic_repetitions_are_taken(source: str) -> None:
    """A repetition whose rounds the next character tells apart is quick on texts that do not fit."""
    for text in ("a" * 5000, ".a" * 2500 + "!", "1." * 2500, "/a" * 2500 + " "):
        start = time.process_time()
        compile_pattern(source, "", len(text)).fullmatch(text)
        assert time.process_time() - start < 1


@pytest.mark.parametrize("source", EXPLOSIVE)
def test_explosive_repetitions_are_refused(source: str) -> None:
    """A repetition that can read one text in many ways is refused for all but short texts."""
    assert compile_pattern(source, "", 10) is not None
    with pytest.raises(BridgeError) as caught:
        compile_pattern(source, "", 40)
    assert caught.value.code == "FB-2005"
