"""A record to which feeds speak in mapped Bundles: what tests of statements share."""

from __future__ import annotations

from typing import Any

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.fhir import parse_json
from fhir_bridge.identity import Linker, load_rules
from fhir_bridge.ingest import parse_feed
from fhir_bridge.ingest.draft import Draft
from fhir_bridge.ingest.resolve import Resolver, Spoken
from fhir_bridge.ingest.resolved import Resolved
from fhir_bridge.store import Store
from fhir_bridge.update import load_update_rules

FEED = 'title.en = "F"\nsource = "hospital"\nformat = "fhir"\nmentions.Mention = ["Encounter"]\n'
HOSPITAL = parse_feed("hospital", FEED)
OTHER = parse_feed("other", FEED)
NUMBER = {"identifier": [{"system": "urn:v", "value": "1"}]}
ADMITTED = {"status": "in-progress", "class": {"code": "IMP"}, "period": {"start": "2026"}}
DISCHARGED = {"status": "finished", "period": {"end": "2027"}}


RECEIVED = 4_102_444_800_000  # 2100, after all that happens in the tests


class Record:
    """A record to which feeds speak."""

    def __init__(self, store: Store) -> None:
        self.store = store
        linker = Linker(load_rules(Artifacts()), {})
        self.resolver = Resolver(linker, load_update_rules(Artifacts()))
        self.messages = 0

    def say(
        self,
        *entries: dict[str, Any],
        at: str = "",
        feed: Any = HOSPITAL,
        kind: str = "",
        again: int = 0,
        **bundle: Any,
    ) -> Resolved:
        """One message of `feed`; `again` is the number of an earlier one, worked on once more."""
        self.messages += not again
        number = again or self.messages
        received = RECEIVED + 1_000 * number
        spoken = Spoken(feed, lambda: f"digest {number}", (kind,), number, received)
        stamped = {"timestamp": at} if at else {}
        whole = {"resourceType": "Bundle", "entry": list(entries)} | stamped | bundle
        with self.store.transaction() as transaction:
            draft = Draft(transaction)
            resolved = self.resolver.resolve(self.resolver.read(whole, spoken), draft)
            draft.apply()
        self.resolver.keep()
        return resolved

    def read(self, kind: str) -> list[dict[str, Any]]:
        """The current resources of a type."""
        return [parse_json(body) for body in self.store.bodies(kind)]

    def one(self, kind: str) -> dict[str, Any]:
        """The only resource of a type, without what the store adds."""
        (found,) = self.read(kind)
        del found["meta"]
        return found


def entry(resource_type: str, /, full_url: str = "", **content: Any) -> dict[str, Any]:
    """An entry of a Bundle."""
    return {"fullUrl": full_url, "resource": {"resourceType": resource_type, **content}}


def visit(**content: Any) -> dict[str, Any]:
    """A statement of the visit with number 1."""
    return entry("Encounter", **NUMBER, **content)
