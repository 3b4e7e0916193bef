"""Patterns of our own that are searched for in others' text take time in its length, not its square.

A pattern that is only matched at one place is not looked at: what repeats in a search is the
start.  Where the square hides, a text of one repeated piece shows it.
"""

from __future__ import annotations

import importlib
import re
import time
from pathlib import Path

import pytest

import fhir_bridge
from fhir_bridge.interactions.patch.xml_patch import apply_xml_patch
from fhir_bridge.search.types.reference import target_type

PACKAGE = Path(fhir_bridge.__file__).parent
SEARCHED = re.compile(r"\b(_?[A-Z][A-Z0-9_]*)\.(?:search|finditer|findall|subn?|split)\(")
PIECES = (
    *("A", "a", "1", " ", "<", "<div ", "<a", '"', "'", "/", "A/", "http://", "href='", "&", "&a"),
    *("(", "[", "{", "|", "\\", "-", ".", "a.", "_", "^", "~", "é", "中", "\n", " \n", "1.", "@"),
    *("$", "%", "*/", ":", "a:", ",", ";", "=", "a=", "#", "?", "</", "A1", "Aa", "9:", "\t", "\r"),
)
LENGTH = 30_000


def _searched() -> list[re.Pattern[str] | re.Pattern[bytes]]:
    """The patterns of modules that are searched for in the module that has them."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        names = set(SEARCHED.findall(path.read_text(encoding="utf-8")))
        if names:
            parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
            module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
            held = [getattr(module, name, None) for name in sorted(names)]
            found += [each for each in held if isinstance(each, re.Pattern)]
    return found


def _seconds(pattern: re.Pattern[str] | re.Pattern[bytes], piece: str) -> float:
    text = (piece * LENGTH)[:LENGTH] + "!"
    began = time.process_time()
    if isinstance(pattern.pattern, bytes):
        pattern.sub(b"", text.encode())  # type: ignore[arg-type]
    else:
        pattern.sub("", text)  # type: ignore[arg-type]
    return time.process_time() - began


def test_no_search_takes_the_square_of_a_text() -> None:
    """30,000 characters are searched in a blink; the square would be 0.3 s and more."""
    patterns = _searched()
    assert len(patterns) > 30
    slow = {
        (each.pattern, piece)
        for each in patterns
        for piece in PIECES
        if _seconds(each, piece) > 0.15 and _seconds(each, piece) > 0.15
    }
    assert not slow


def test_a_reference_of_one_long_word_is_read_at_once() -> None:
    """Found by fuzzing searches: 64 KB took two seconds."""
    began = time.process_time()
    assert not target_type("A" * 300_000)
    assert time.process_time() - began < 1
    assert [target_type(text) for text in ("http://a/Patient/1", "Patient/1#a")] == ["Patient"] * 2


def test_a_selector_of_one_long_word_is_read_at_once() -> None:
    """The same in a patch."""
    patch = f"<diff><remove sel='{'a' * 300_000}:b'/></diff>".encode()
    began = time.process_time()
    with pytest.raises(fhir_bridge.errors.BridgeError):
        apply_xml_patch({"resourceType": "Patient"}, patch)
    assert time.process_time() - began < 2
