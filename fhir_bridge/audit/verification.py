"""Whether what was written of accesses is still what was written.

An event that was changed, one that is gone, one that was put in between and a chain that was cut in
its middle are found.  Whoever can write the whole table can write the whole chain anew: the digest
of a day, kept elsewhere, tells that, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from fhir_bridge.store import Store

__all__ = ["DayOfEvents", "verify"]


@dataclass(frozen=True, slots=True)
class DayOfEvents:
    """The events of one day (UTC) in the order of the chain.

    `head` is the digest of its last link, in hexadecimal.  `faults` are the ids (or the numbers of
    the links, where the event is gone) of what does not agree; `ends_early` says that older events
    than these were dropped, as the setting asks.
    """

    day: str
    count: int
    head: str
    faults: tuple[str, ...]
    ends_early: bool = False


def verify(store: Store) -> Iterator[DayOfEvents]:
    """Each day of the chain; then, as a day "", the events that no link holds."""
    day, count, head, faults, cut = "", 0, b"", list[str](), False
    number = 0
    for link in store.audit_links.check():
        link_day = datetime.fromtimestamp(link.at / 1000, UTC).date().isoformat()
        if day and link_day > day:
            yield DayOfEvents(day, count, head.hex(), tuple(faults), cut)
            count, faults, cut = 0, [], False
        day = max(day, link_day)
        is_first = number == 0
        if link.is_anchor and is_first:
            cut = True
        elif (
            link.is_anchor
            or (not is_first and link.number != number + 1)
            or link.digest != link.expected
        ):
            faults.append(link.event_id or f"link {link.number}")
        if is_first and not link.is_anchor and link.number != 1:
            faults.append(f"link {link.number}")
        count += not link.is_anchor
        number, head = link.number, link.digest
    if day:
        yield DayOfEvents(day, count, head.hex(), tuple(faults), cut)
    loose = store.audit_links.unlinked()
    if loose:
        yield DayOfEvents("", len(loose), "", tuple(loose))
