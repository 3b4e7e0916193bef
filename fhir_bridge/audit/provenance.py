"""Provenance: which message, read by which map, made which resources.

https://hl7.org/fhir/R4/provenance.html.  One Provenance for each recorded message; its
id follows from the feed and the message, so that recording a message again says the
same again instead of more.  It names the source's own record of each person, so that what
two records of one feed made can be told apart later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from fhir_bridge import clock
from fhir_bridge.fhir import Resource

__all__ = ["FEED_SYSTEM", "MESSAGE_SYSTEM", "provenance"]

FEED_SYSTEM = "https://fhir-bridge.org/fhir/NamingSystem/feed"
MESSAGE_SYSTEM = "https://fhir-bridge.org/fhir/NamingSystem/message"

_ASSEMBLER = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
            "code": "assembler",
        }
    ]
}


def provenance(
    *,
    feed: str,
    title: str,
    message: str,
    targets: Sequence[str],
    recorded: str,
    structure_map: str = "",
    hooks: Sequence[str] = (),
    where: str = "",
    persons: Iterable[tuple[str, str]] = (),
    occurred: int = 0,
) -> Resource:
    """The Provenance of one message of `feed` (shown as `title`).

    `message` names the message within the feed (its digest or control id, and the row
    of a table); `targets` are references such as ``Patient/1``; `recorded` is a FHIR
    instant; `structure_map` is the canonical URL, with version, of the map that read it,
    `hooks` those of a site's own maps that were in its reach;
    `where` is the place in the sender's terms ("row 7").  `persons` are the source's own
    records (system, number) of the persons that it speaks of; `occurred` is the time of the
    event in milliseconds since 1970 (0: not known).
    """
    source: Resource = {"identifier": {"system": MESSAGE_SYSTEM, "value": f"{feed}/{message}"}}
    if where:
        source["display"] = where
    stated: Resource = {
        "resourceType": "Provenance",
        "id": clock.stable_id("Provenance", feed, message),
        "target": [{"reference": target} for target in targets],
        "recorded": recorded,
        "agent": [
            {
                "type": _ASSEMBLER,
                "who": {"identifier": {"system": FEED_SYSTEM, "value": feed}, "display": title},
            }
        ],
        "entity": [{"role": "source", "what": source}, *map(_of_person, dict.fromkeys(persons))],
    }
    if occurred:
        stated["occurredDateTime"] = clock.instant(datetime.fromtimestamp(occurred / 1000, UTC))
    if structure_map:
        stated["policy"] = [structure_map, *hooks]
    return stated


def _of_person(record: tuple[str, str]) -> Resource:
    system, number = record
    identifier = {"system": system, "value": number} if system else {"value": number}
    return {"role": "source", "what": {"type": "Patient", "identifier": identifier}}
