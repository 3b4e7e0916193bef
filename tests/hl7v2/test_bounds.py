"""What one message is cut into, and what its escapes unpack to, is bounded."""

from __future__ import annotations

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.hl7v2 import parse

HEADER = "MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5\r"


@pytest.mark.parametrize("sign", ["|", "^", "~", "&"])
def test_the_parts_of_a_message_are_bounded_whatever_parts_them(sign: str) -> None:
    """Two million are far more than any message has."""
    with pytest.raises(BridgeError, match="FB-1106"):
        parse(f"{HEADER}PID|1|{sign * 2_000_001}\r".encode())


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_the_lines_of_a_message_are_bounded(end: str) -> None:
    """Segments that are only a name cost as others do."""
    with pytest.raises(BridgeError, match="FB-1106"):
        parse((HEADER + f"PV1{end}" * 500_001).encode())


def test_empty_lines_that_escapes_ask_for_are_bounded() -> None:
    """Eight characters may ask for a thousand lines; those of a real text stay."""
    few = parse(f"{HEADER}OBX|1|FT|||a\\.sp3\\b\\.br\\c\r".encode())
    many = parse((f"{HEADER}OBX|1|FT|||" + "\\.sp999\\x" * 20 + "\r").encode())

    assert str(few.get("OBX").get("f5")) == "a\n\n\nb\nc"
    with pytest.raises(BridgeError, match="FB-1123"):
        str(many.get("OBX").get("f5"))
