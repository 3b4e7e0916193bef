"""A record, an access log beside it, and its keeper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fhir_bridge.access import Caller, Role
from fhir_bridge.audit import AccessLog, AuditKeeper
from fhir_bridge.fhir import parse_json
from tests.api.world import BASE, World, open_world

DOCTOR = Caller(
    account="a1",
    client="app",
    roles=(Role("doctor", practitioner="dr", organization="hospital"),),
    purpose="TREAT",
    token="t1",
)


@dataclass
class Watched:
    """A world whose access is logged."""

    world: World
    folder: Path
    keeper: AuditKeeper = field(init=False)

    def __post_init__(self) -> None:
        self.keeper = AuditKeeper(self.world.store, self.folder, BASE, 6)

    def events(self) -> list[dict]:
        """Every AuditEvent, after the keeper has worked."""
        self.keeper.work()
        return [parse_json(body) for body in self.world.store.bodies("AuditEvent")]

    def put(self, *resources: dict) -> None:
        """Stores resources, past the log."""
        with self.world.store.transaction() as opened:
            opened.put_many(resources)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A record with two patients and an Observation of one."""
    folder = tmp_path / "audit"
    log = AccessLog(folder)
    world = open_world(f"sqlite:///{tmp_path / 'record.sqlite3'}", access_log=log, caller=DOCTOR)
    made = Watched(world, folder)
    made.put(
        {"resourceType": "Patient", "id": "p"},
        {"resourceType": "Patient", "id": "q"},
        {
            "resourceType": "Observation",
            "id": "o",
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": "Patient/p"},
        },
    )
    yield made
    log.close()
    world.store.close()
