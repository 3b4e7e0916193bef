r"""Escape sequences, HL7 v2.5.1 section 2.7."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_bridge.hl7v2 import Separators, escape, unescape

SEPARATORS = Separators()


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (r"王\F\五\S\\T\\R\\E\x", "王|五^&~\\x"),
        (r"one\.br\two\.sp 2\three", "one\ntwo\\.sp 2\\three"),
        (r"one\.sp2\two\.in+4\three", "one\n\ntwothree"),
        (r"\H\bold\N\ plain", "bold plain"),
        (r"\XE5BCA0\三", "张三"),
        (r"\X00410D0A\end", "A\nend"),
        (r"\X4\odd", r"\X4\odd"),
        (r"\C2842\a\M242942\b", "ab"),
        (r"C:\temp\new", r"C:\temp\new"),
        ("lonely\\", "lonely\\"),
        (r"\Zown\kept", r"\Zown\kept"),
    ],
)
def test_a_sequence_means_what_the_standard_says(sent: str, meant: str) -> None:
    """Known sequences are replaced, unknown ones stay as sent."""
    assert unescape(sent, SEPARATORS) == meant


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r")))
def test_escaped_text_comes_back_and_parts_nothing(text: str) -> None:
    """Unescape ∘ escape is the identity, and no separator survives in the middle."""
    sent = escape(text, SEPARATORS)

    assert not set("|^~&\r\n") & set(sent)
    assert unescape(sent, SEPARATORS) == text
