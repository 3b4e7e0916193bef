"""A record that real inputs go into, and what a client and an operator then see of it.

Inputs take the product's own way: journal, pipeline, database; the record is read over the
FHIR API.  What was told of an input is what an operator can list: issues of the conversion,
of the journal and of the quarantine, and the fields that were seen and not read.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import create_engine

from fhir_bridge import clock, hl7v2
from fhir_bridge.app import Services, make_pipeline, web_application
from fhir_bridge.database.schema import metadata
from fhir_bridge.fhir.marks import NULL, USUAL
from fhir_bridge.identity import load_rules
from fhir_bridge.identity.personal import PersonalNumbers
from fhir_bridge.ingest import Intake, Pipeline, Replay, Validation, convert, find_standard_feed
from fhir_bridge.journal import Message
from fhir_bridge.listeners import MllpServer
from fhir_bridge.store import maintenance, open_store
from fhir_bridge.transform import Library

__all__ = ["Record", "empty", "opened"]

_CONTROL_ID = re.compile(rb"^(?:[^|]*[|]){9}[^|]*")
_OF_THE_DATABASE = frozenset({"symbol", "setting"})


@dataclass
class Record:
    """One record and what was told of each input."""

    services: Services
    client: FlaskClient
    statuses: dict[str, str] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    _taken: dict[str, tuple[Message, int]] = field(default_factory=dict)
    _told: dict[str, list[str]] = field(default_factory=dict)

    def take(self, path: Path, feed: str = "", *, again: bool = False) -> None:
        """Sends one file as its feed would, and waits until it is worked off.

        `again`: as a sender does that does not know whether it was taken, in a message of
        another control id, a file of other bytes.
        """
        services, data = self.services, path.read_bytes()
        if again:
            data = (
                _CONTROL_ID.sub(rb"\g<0>R", data, count=1)
                if path.suffix == ".hl7"
                else data + b"\n"
            )
        chosen = services.feeds[feed or self._feed(path, data)]
        arrival = Message(chosen.name, data, path.name, "", path.name)
        taken = services.intake.append([arrival])[0]
        services.pipeline.drain()
        items = services.store.quarantine.of_message(taken.message_id)
        self.statuses[path.name] = services.store.journal.get(taken.message_id).status
        self.quarantined[path.name] = len(items)
        self._taken[path.name] = arrival, taken.message_id
        self._told.pop(path.name, None)

    def told(self, name: str = "") -> list[str]:
        """What an operator reads of an input, or of all of them."""
        if not name:
            return [line for each in self._taken for line in self.told(each)]
        if name not in self._told:
            self._told[name] = self._read_told(*self._taken[name])
        return self._told[name]

    def _read_told(self, arrival: Message, message_id: int) -> list[str]:
        services = self.services
        converted = convert(
            arrival.data,
            feeds=services.feeds,
            library=services.library,
            feed=services.feeds[arrival.feed],
            validation=Validation(services.validator),
        )
        items = services.store.quarantine.of_message(message_id)
        issues = [*converted.issues, *(each for item in items for each in item.issues)]
        detail = services.store.journal.get(message_id).detail
        return [detail, *dict.fromkeys(map(str, issues))]

    def counts(self) -> dict[str, int]:
        """How many resources there are of each type, beside the trail of who said what."""
        found = self.services.store.counts_by_type()
        return {kind: count for kind, count in found.items() if kind != "Provenance"}

    def replay(self, library: Library) -> None:
        """Tries what rests in quarantine again, with other maps."""
        store = self.services.store
        pipeline = _pipeline(replace(self.services, library=library))
        Replay(store, pipeline, wait=0).items([item.item_id for item in store.quarantine.list()])
        pipeline.drain()

    def answer(self, path: Path) -> str:
        """What the hospital's port answers to a message, as text."""
        feed = self.services.feeds["hospital-his"]
        anywhere = replace(feed, listener=replace(feed.listener, port=0))
        server = MllpServer([anywhere], self.services.intake)
        server.start()
        try:
            with socket.create_connection(server.addresses[feed.name], timeout=60) as peer:
                peer.sendall(hl7v2.frame(path.read_bytes()))
                framer = hl7v2.Framer()
                while data := peer.recv(65536):
                    for event in framer.feed(data):
                        if isinstance(event, hl7v2.Frame):
                            return event.payload.decode()
        finally:
            server.stop()
        raise AssertionError("the port closed without an answer")

    def unsound(self) -> list[str]:
        """What a check of the record finds, and bodies that show the marks of maps."""
        store = self.services.store
        found = maintenance.check(
            store, numbers=PersonalNumbers(load_rules(self.services.artifacts))
        )
        marked = [
            f"a {resource_type} shows a mark of a map: {body.decode()}"
            for resource_type in store.counts_by_type()
            for body in store.bodies(resource_type)
            if any(mark.encode() in body for mark in (NULL, USUAL))
        ]
        return [*map(str, found.issues), *marked]

    def search(self, query: str) -> dict[str, Any]:
        """All that a search finds, as one Bundle of the client."""
        found: list[dict[str, Any]] = []
        address = f"/fhir/{query}{'&' if '?' in query else '?'}_count=200"
        bundle: dict[str, Any] = {}
        while address:
            answer = self.client.get(address)
            bundle = answer.get_json(force=True)
            assert answer.status_code == 200, bundle
            found += bundle.get("entry", ())
            links = {each["relation"]: each["url"] for each in bundle.get("link", ())}
            address = links.get("next", "")
        return {**bundle, "entry": found} if found else {**bundle, "entry": []}

    def _feed(self, path: Path, data: bytes) -> str:
        if path.suffix == ".hl7":
            return "hospital-his"
        if path.suffix == ".xml":
            return "hospital-cda" if b"ClinicalDocument" in data else "standard-cda"
        return find_standard_feed(data, self.services.feeds).name


@contextmanager
def opened(services: Services, database: str) -> Iterator[Record]:
    """The maps and feeds of `services` over an empty database."""
    store = open_store(database, registry=services.registry)
    clock.set_id_key(store.naming_key)
    pipeline = _pipeline(replace(services, store=store))
    intake = Intake(store, pipeline.wake)
    own = replace(services, store=store, pipeline=pipeline, intake=intake)
    try:
        yield Record(own, web_application(own).test_client())
    finally:
        store.close()


def empty(database: str) -> None:
    """Takes everything out of a record, but not its numbers of types and its keys."""
    engine = create_engine(database)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            if table.name not in _OF_THE_DATABASE:
                connection.execute(table.delete())
    engine.dispose()


def _pipeline(services: Services) -> Pipeline:
    return make_pipeline(
        services.settings,
        services.artifacts,
        store=services.store,
        feeds=services.feeds,
        library=services.library,
        validator=services.validator,
    )
