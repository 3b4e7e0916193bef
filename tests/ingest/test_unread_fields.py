"""Every field of a segment goes somewhere, or is told as unread: nothing is silent.

Segments are filled by position, not after our maps, so that what no rule reads turns up.
"""

from __future__ import annotations

import json

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.ingest import get_feed, load_feeds
from fhir_bridge.ingest.parse import parse
from fhir_bridge.ingest.transform import Transformer
from fhir_bridge.ingest.unread import unread_places
from fhir_bridge.transform import Library

_PID = "PID|1||P1^^^JCCH^PI||张三||19700101|M"
_MESSAGES = {
    "ADT^A01": [
        "EVN||20260301", _PID, "PD1|", "NK1|1|李四", "PV1|1|I|W^1^1", "PV2|", "AL1|1|DA|X",
        "DG1|1||I10^高血压", "GT1|1", "IN1|1", "ZZZ|1",
    ],
    "ORU^R01": [
        _PID, "NTE|1||x", "PV1|1|I", "ORC|RE", "OBR|1||F1|GLU^葡萄糖", "TQ1|1",
        "OBX|1|ST|A^B||v||||||F", "NTE|1||y", "SPM|1", "OBX|1|NM|C^D||5||||||F",
    ],
    "SIU^S12": ["SCH|1|2", _PID, "PV1|1|O", "RGS|1", "AIS|1", "AIP|1", "AIL|1"],
    "RDE^O11": [_PID, "PV1|1|I", "ORC|NW|1", "RXE|^BID|D^drug|1||mg", "TQ1|1", "RXR|PO"],
}  # fmt: skip
_READ_AS_OTHER_WORDS = frozenset({"OBX-11", "OBR-25", "SCH-25", "ORC-5"})
"""Codes of lists that say what every other code means."""
_MOST_FIELDS = 45


@pytest.fixture(scope="module")
def told():
    """A function: what a message became, and everything that is told of it."""
    artifacts = Artifacts()
    feeds = load_feeds(artifacts)
    feed = get_feed(feeds, "hospital-his")
    transformer = Transformer(Library.from_artifacts(artifacts))

    def of(message: str) -> str | None:
        record = next(parse(message.encode(), feed))
        try:
            mapped = transformer.transform(record, feed)
        except BridgeError:
            return None  # refused as a whole
        places = [text for _, _, text in unread_places(record.tree, "hl7v2")]
        issues = [f"{issue} {issue.where}" for issue in mapped.issues]
        return json.dumps([mapped.bundle, places, issues], ensure_ascii=False, default=str)

    return of


@pytest.mark.parametrize(
    ("kind", "place"), [(kind, n) for kind, lines in _MESSAGES.items() for n in range(len(lines))]
)
def test_no_field_of_a_segment_is_silent(told, kind, place) -> None:
    """One field after another, in its first component or in a far one."""
    lines = _MESSAGES[kind]
    fields = lines[place].split("|")
    fields += [""] * (_MOST_FIELDS + 1 - len(fields))
    silent = []
    for number in range(1, _MOST_FIELDS + 1):
        name, marker = f"{fields[0]}-{number}", f"QZX{number}Q"
        if fields[number] or name in {"OBX-2", *_READ_AS_OTHER_WORDS}:
            continue
        filled = [
            *fields[:number],
            f"{'^^^^^^^^' if number % 3 == 0 else ''}{marker}",
            *fields[number + 1 :],
        ]
        segments = [*lines[:place], "|".join(filled), *lines[place + 1 :]]
        head = f"MSH|^~\\&|A|JCCH|B|C|20260301||{kind}|1|P|2.5"
        found = told("".join(f"{line}\r" for line in [head, *segments]))
        if found is not None and marker not in found and name not in found:
            silent.append(name)

    assert [] == silent
