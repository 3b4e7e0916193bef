"""A small record behind the pages: one resident seen by three systems, some trouble."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from flask import Flask

from fhir_bridge.access import Access
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.console import create_console
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir import definitions
from fhir_bridge.ingest import parse_feed
from fhir_bridge.journal import Message, Refusal
from fhir_bridge.search import Registry
from fhir_bridge.store import open_store
from tests.console.community import resources

EXT = "https://fhir-bridge.org/fhir/StructureDefinition/"


def _feed(name, source, zh, en):
    text = f'title.zh="{zh}"\ntitle.en="{en}"\nsource="{source}"\nformat="hl7v2"\nmap="http://x"'
    return parse_feed(name, text)


FEEDS = {
    feed.name: feed
    for feed in (
        _feed("hospital-adt", "hospital", "市中心医院 HIS", "Central Hospital HIS"),
        _feed("public-health-files", "public-health", "居民健康档案", "Health files"),
        _feed("contract-agreements", "contract", "签约协议", "Agreements"),
    )
}


@dataclass
class Services:
    """The wiring's value, smaller."""

    store: object
    registry: Registry
    profiles: Profiles
    settings: object
    feeds: dict = field(default_factory=lambda: dict(FEEDS))
    secret: bytes = b"k" * 32
    access: Access = field(default_factory=Access.everything)
    replayed: list = field(default_factory=list)
    still: list = field(default_factory=list)
    asleep: bool = False

    @property
    def pipeline(self):
        """Itself: what is tried again is noted."""
        return self

    def wake(self):
        """Record what is pending again, or put it back with what is still wrong."""
        for message in self.store.journal.pending():
            if message.control_id.startswith("C") or self.asleep:
                continue
            self.replayed.append(message.data)
            with self.store.transaction() as transaction:
                transaction.journal_done(
                    message.message_id, "quarantined" if self.still else "done"
                )
                if self.still:
                    transaction.quarantine_add(
                        Refusal(
                            Message(message.feed, message.data),
                            self.still,
                            message_id=message.message_id,
                        )
                    )

    def access_for(self, request):
        """What the test says."""
        if self.access is None:
            raise BridgeError("FB-4201")
        return self.access


@pytest.fixture(scope="session")
def registry():
    """The search parameters of R4."""
    return Registry(definitions())


@pytest.fixture(scope="session")
def profiles():
    """The product's own definitions."""
    return Profiles.from_artifacts(Artifacts())


@pytest.fixture
def services(tmp_path, registry, profiles):
    """A record with the small community in it."""
    store = open_store(f"sqlite:///{tmp_path / 'record.sqlite3'}", registry=registry)
    with store.transaction() as transaction:
        transaction.put_many(resources())
    store.journal.append(
        [
            Message("hospital-adt", b"MSH|^~\\&|1", f"C{n}", received="2026-09-01T08:00:00Z")
            for n in range(3)
        ]
    )
    store.quarantine.add(
        Refusal(
            Message(
                "hospital-adt",
                "MSH|^~\\&|HIS|JCCH\rPID|1||P1||<script>alert(1)</script>^李\u202e四\x00\r".encode(),
                received="2026-09-01T08:00:00Z",
                source="10.0.0.7",
            ),
            [Issue("FB-1010", "error", "PID-7 of message 8831", {"reason": "month 13"})],
        )
    )
    settings = SimpleNamespace(language="zh-CN", fhir_base="http://127.0.0.1:8080/fhir")
    yield Services(store, registry, profiles, settings)
    store.close()


@pytest.fixture
def client(services):
    """A browser without cookies."""
    app = Flask("test")
    app.register_blueprint(create_console(services))
    return app.test_client()
