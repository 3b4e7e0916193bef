"""Provenance: which message, read by which map, made which resources.

https://hl7.org/fhir/R4/provenance.html.  One Provenance for each recorded message; its
id follows from the feed and the message, so that recording a message again says the
same again instead of more.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    where: str = "",
) -> Resource:
    """The Provenance of one message of `feed` (shown as `title`).

    `message` names the message within the feed (its digest or control id, and the row
    of a table); `targets` are references such as ``Patient/1``; `recorded` is a FHIR
    instant; `structure_map` is the canonical URL, with version, of the map that read it;
    `where` is the place in the sender's terms ("row 7").
    """
    source: Resource = {"identifier": {"system": MESSAGE_SYSTEM, "value": f"{feed}/{message}"}}
    if where:
        source["display"] = where
    stated: Resource = {
        "resourceType": "Provenance",
        "id": clock.named_id("Provenance", feed, message),
        "target": [{"reference": target} for target in targets],
        "recorded": recorded,
        "agent": [
            {
                "type": _ASSEMBLER,
                "who": {"identifier": {"system": FEED_SYSTEM, "value": feed}, "display": title},
            }
        ],
        "entity": [{"role": "source", "what": source}],
    }
    if structure_map:
        stated["policy"] = [structure_map]
    return stated
