"""A small site: real embedded database, real linker and validator, two small maps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions, parse_json
from fhir_bridge.identity import Linker, load_rules
from fhir_bridge.ingest import Feed, Intake, Pipeline, parse_feed
from fhir_bridge.journal import Message
from fhir_bridge.search import Registry
from fhir_bridge.store import Store, open_store
from fhir_bridge.transform import Library
from fhir_bridge.validation import Validator
from tests.ingest.speaking import Record
from tests.store.databases import scratch_schema

ADT_MAP = """
/// url = "urn:test:adt"
/// name = "adt"

group Message(source message, target bundle : Bundle) {
  message -> bundle.type = 'transaction' "type";
  message.PID as pid -> bundle.entry as entry, entry.fullUrl = 'urn:uuid:patient', entry.resource = create('Patient') as patient then {
    pid.f3 as cx -> patient.identifier as identifier, identifier.system = 'urn:oid:1.2.3', identifier.value = (c1) "mrn";
    pid.f19 as id -> patient.identifier as identifier, identifier.system = 'urn:oid:2.16.156.10011.1.3', identifier.value = id "id";
    pid.f5 as name -> patient.name as target, target.text = name "name";
    pid.f7 as born -> patient.birthDate = (substring(0, 4) + '-' + substring(4, 2) + '-' + substring(6, 2)) "born";
    pid.f8 as sex -> patient.gender = sex "sex";
  } "patient";
  message.PV1 as pv1 -> bundle.entry as entry, entry.fullUrl = 'urn:uuid:visit', entry.resource = create('Encounter') as encounter then {
    pv1.f19 as number -> encounter.identifier as identifier, identifier.system = 'urn:oid:1.2.4', identifier.value = number "number";
    pv1 -> encounter.status = 'in-progress' "status";
    pv1.f2 as kind -> encounter.class as coding, coding.code = kind "class";
    pv1 -> encounter.subject as subject, subject.reference = 'urn:uuid:patient' "subject";
    pv1 -> encounter.serviceProvider as provider, provider.reference = 'Organization?identifier=urn:oid:1.2.5|H1' "provider";
    pv1 -> bundle.entry as other, other.resource = create('Organization') as organization then {
      pv1 -> organization.identifier as identifier, identifier.system = 'urn:oid:1.2.5', identifier.value = 'H1' "number";
      pv1.f3 as name -> organization.name = name "name";
    } "organization";
  } "visit";
}
"""
ROW_MAP = """
/// url = "urn:test:row"
/// name = "row"

group Line(source row, target bundle : Bundle) {
  row -> bundle.type = 'transaction' "type";
  row.number as number -> bundle.entry as entry, entry.fullUrl = 'urn:uuid:patient', entry.resource = create('Patient') as patient then {
    number -> patient.identifier as identifier, identifier.system = 'urn:oid:1.2.9', identifier.value = number "number";
    row.name as name -> patient.name as target, target.text = name "name";
    row.born as born -> patient.birthDate = born "born";
    row.id as id -> patient.identifier as identifier, identifier.system = 'urn:oid:2.16.156.10011.1.3', identifier.value = id "id";
  } "patient";
}
"""
HIS = """
title.en = "HIS"
title.zh = "医院"
source = "hospital"
format = "hl7v2"
ignore = ["ACK"]
maps."ADT" = "urn:test:adt"
"""
CSV = """
title.en = "Register"
source = "public-health"
format = "table"
map = "urn:test:row"
"""


@dataclass
class Site:
    """What a test talks to."""

    store: Store
    pipeline: Pipeline
    journal: Intake
    feeds: dict[str, Feed]
    library: Library

    def send(self, *messages: str | bytes, feed: str = "his") -> None:
        """Journal `messages` and work through them."""
        data = [each.encode() if isinstance(each, str) else each for each in messages]
        self.journal.append([Message(feed, each, f"{hash(each)}") for each in data])
        self.pipeline.drain()

    def resources(self, resource_type: str) -> list[dict[str, Any]]:
        """The current resources of a type."""
        return [parse_json(body) for body in self.store.bodies(resource_type)]


def adt(
    number: str = "P1",
    name: str = "张三",
    visit: str = "V1",
    *,
    control: str = "M1",
    more: str = "",
) -> str:
    """An admission; `more` are further fields of PID from 8 on."""
    return (
        f"MSH|^~\\&|HIS|H1|FB|C1|20260101120000||ADT^A01|{control}|P|2.5\r"
        f"PID|1||{number}||{name}||19700101|{more}\rPV1|1|I|内科|||||||||||||||||{visit}\r"
    ).replace("|内科|||||||||||||||||", "|内科||||||||||||||||")


def make_site(path: Path) -> Site:
    """A site over the database file at `path`."""
    feeds = {"his": parse_feed("his", HIS), "register": parse_feed("register", CSV)}
    store = open_store(f"sqlite:///{path}", registry=Registry(definitions()))
    library = Library(definitions(), [ADT_MAP, ROW_MAP])
    pipeline = Pipeline(
        store,
        feeds,
        library=library,
        validator=Validator(definitions(), Profiles.from_artifacts(Artifacts())),
        linker=Linker(load_rules(Artifacts()), {name: feed.source for name, feed in feeds.items()}),
        batch=50,
    )
    return Site(store, pipeline, Intake(store, pipeline.wake), feeds, library)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A fresh site."""
    made = make_site(tmp_path / "record.sqlite3")
    yield made
    made.store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def record(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Record]:
    """An empty record on either database, to which feeds speak."""
    registry = Registry(definitions())
    with ExitStack() as closing:
        database = f"sqlite:///{tmp_path}/spoken.sqlite3"
        if request.param == "postgresql":
            url = os.environ.get("FHIR_BRIDGE_TEST_POSTGRESQL")
            if not url:
                pytest.skip("no PostgreSQL (set FHIR_BRIDGE_TEST_POSTGRESQL)")
            database = closing.enter_context(scratch_schema(url))
        store = open_store(database, registry=registry)
        closing.callback(store.close)
        yield Record(store)
