"""Real messages from public sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_bridge import hl7v2
from fhir_bridge.errors import BridgeError

FOLDERS = [
    "cn/hl7v2",
    "intl/ms-fhir-converter-hl7v2",
    "intl/santempi-hl7v2",
    "intl/linuxforhealth",
]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_message_parses_or_says_what_is_wrong(shared: Path, folder: str) -> None:
    """Each file gives messages whose every node answers, or one coded error."""
    files = [path for path in (shared / "samples" / folder).rglob("*") if path.is_file()]
    parsed, codes = 0, set()
    for path in files:
        try:
            for data in hl7v2.split_batch(path.read_bytes()):
                message = hl7v2.parse(data)
                parsed += all(segment.keys() for segment in message.segments)
        except BridgeError as error:
            codes.add(error.code[:5])

    assert codes <= {"FB-11"}
    assert parsed >= len(files) - 2


def test_names_are_read_alike_with_and_without_a_declared_character_set(shared: Path) -> None:
    """The re-encoded twins of one message hold the same name."""
    folder = shared / "samples" / "cn" / "hl7v2"
    names = {
        str(hl7v2.parse((folder / name).read_bytes()).get("PID").get("f5"))
        for name in ("ctms-adt-a01-hosp.hl7", "ctms-adt-a01-hosp.gb18030-nomsh18.hl7")
    }

    assert names == {"张三"}
