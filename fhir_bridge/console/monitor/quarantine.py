"""A quarantined message as a page shows it: its issues and its bytes as harmless text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fhir_bridge.console.text.display import minute
from fhir_bridge.console.text.issue_text import IssueText, in_language
from fhir_bridge.journal import Quarantined

__all__ = ["MAX_READ", "EntryDetail", "detail"]

MAX_READ = 32 * 1024 * 1024
"""Of what is larger no byte is read for a page."""


_MAX_BYTES, _MAX_LINES, _MAX_ISSUES = 64 * 1024, 2_000, 100
_LINES = re.compile(r"\r\n|\r|\n")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class EntryDetail:
    """One message with everything that is known of its trouble."""

    id: int
    feed: str
    received: str
    source: str
    size: int
    issues: tuple[IssueText, ...]
    lines: tuple[str, ...]
    cut: bool
    count: int
    last_seen: str


def detail(entry: Quarantined, language: str) -> EntryDetail:
    """The page's view of `entry`; at most the first 64 KiB and 2,000 lines of it."""
    shown = entry.data[:_MAX_BYTES]
    lines = _LINES.split(_text(shown).rstrip("\r\n"))
    return EntryDetail(
        id=entry.item_id,
        feed=entry.feed,
        received=minute(entry.received),
        source=entry.source,
        size=entry.size,
        issues=tuple(in_language(issue, language) for issue in entry.issues[:_MAX_ISSUES]),
        lines=tuple(lines[:_MAX_LINES]),
        cut=len(shown) < entry.size or len(lines) > _MAX_LINES,
        count=entry.count,
        last_seen=minute(entry.last_seen),
    )


def _text(data: bytes) -> str:
    """The bytes as text, UTF-8 or GB18030; controls and marks of direction become visible."""
    for codec in ("utf-8", "gb18030"):
        try:
            text = data.decode(codec)
            break
        except UnicodeDecodeError:
            continue
    else:
        text = data.decode("utf-8", "replace")
    return _CONTROLS.sub(lambda found: f"⟨{ord(found.group()):02X}⟩", text)
