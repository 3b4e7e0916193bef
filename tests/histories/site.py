"""The product as it is wired, with a second hospital, over SQLite or PostgreSQL.

Many histories share one record: opening a new one for each would cost more than the history.
A death of the service is an exception that nothing in the product catches, thrown inside the
writing transaction; afterwards a new pipeline, which remembers nothing, goes on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from fhir_bridge import app, clock
from fhir_bridge.api import create_app
from fhir_bridge.app import Services
from fhir_bridge.config import load_settings
from fhir_bridge.ingest import Intake, Pipeline, Replay
from fhir_bridge.journal import Message
from fhir_bridge.store import Store, open_store
from tests.histories.client import Follower
from tests.histories.events import Event
from tests.histories.hl7 import message
from tests.histories.numbers import Numbers
from tests.histories.rows import CLEARED, table

__all__ = ["FEEDS", "MEMORY", "Site", "open_site"]

_FEEDS = Path(__file__).parents[2] / "mappings" / "feeds"
FEEDS = {
    "A": "hospital-his",
    "B": "hospital-two",
    "C": "public-health-files",
    "D": "contract-agreements",
}


MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112
"""Where a record may stand that no power cut need survive: each step is a commit or two."""


class Killed(BaseException):
    """The service died; no handler of the product may catch it."""


@dataclass
class Site:
    """The services of a site and a client that follows the record."""

    services: Services
    pipeline: Pipeline
    follower: Follower
    made: Callable[..., Pipeline]
    """Makes a pipeline over a store, with all else that the first one was made with."""
    spaces: int = 0

    def over(self, url: str) -> Site:
        """The same site over another, empty record; much cheaper than a new one."""
        store = open_store(url, registry=self.services.registry)
        clock.set_id_key(store.naming_key)
        pipeline = self.made(store)
        services = replace(
            self.services, store=store, pipeline=pipeline, intake=Intake(store, pipeline.wake)
        )
        return Site(services, pipeline, _follower(services), self.made)

    def new_numbers(self) -> Numbers:
        """The numbers of a history that nobody has used."""
        self.spaces += 1
        self.follower.begin()
        return Numbers(self.spaces)

    def send(self, event: Event, place: int, numbers: Numbers, history: list[Event]) -> None:
        """Makes the message of `event` durable, or asks for an earlier one to be worked on again."""
        if event.act == "replay":
            self._reopen(event, numbers, history)
            return
        origin = history[event.of] if event.of >= 0 else event
        if not origin.minute:
            time.sleep(0.002)  # what says no time is ordered by arrival, to the millisecond
        data, control = _bytes(event, origin, place, numbers)
        self.services.intake.append([Message(FEEDS[origin.source], data, control)])

    def record(self, source: str, data: bytes, control: str) -> None:
        """Has one message recorded, and reads what became of it."""
        self.services.intake.append([Message(FEEDS[source], data, control)])
        self.work()
        self.follower.follow()

    def work(self) -> None:
        """Records what is pending."""
        self.pipeline.drain()

    def die_at_work(self) -> None:
        """Works on what is pending, dies before the commit, and starts again."""
        store = self.services.store
        transaction = store.transaction

        @contextmanager
        def dying(**settings: Any) -> Iterator[Any]:
            with transaction(**settings) as made:
                yield made
                raise Killed

        store.transaction = dying  # type: ignore[method-assign]
        try:
            with suppress(Killed):
                self.pipeline.drain()
        finally:
            del store.transaction  # type: ignore[method-assign]
        self.pipeline = self.made(store)
        self.pipeline.drain()

    def refused(self, numbers: Numbers) -> list[str]:
        """What of the present history rests in quarantine."""
        found = []
        for item in self.services.store.quarantine.list(limit=20):
            if numbers.prefix.encode() in item.data:
                codes = ", ".join(f"{each.code} {each.where}" for each in item.issues[:3])
                found.append(f"refused: {codes}")
        return found

    def _reopen(self, event: Event, numbers: Numbers, history: list[Event]) -> None:
        origin = history[event.of]
        data, control = _bytes(origin, origin, event.of, numbers)
        appended = self.services.intake.append([Message(FEEDS[origin.source], data, control)])
        Replay(self.services.store, _Asleep(), wait=0).messages([appended[0].message_id])


def open_site(url: str, folder: Path, *overlay: Path) -> Site:
    """A site over the database at `url`, its files in `folder`; `overlay` may change its data."""
    _add_feeds(folder / "site" / "mappings" / "feeds")
    settings = load_settings(
        {},
        data=folder,
        database=url,
        overlay=(folder / "site", *overlay),
        log_level="ERROR",
        models_check="off",
    )
    made: list[Callable[..., Pipeline]] = []

    def recording(store: Store, *given: Any, **named: Any) -> Pipeline:
        made.append(lambda store: Pipeline(store, *given, **named))
        return made[-1](store)

    with patch.object(app, "Pipeline", recording):
        services = app.build(settings)
    return Site(services, services.pipeline, _follower(services), made[-1])


def _follower(services: Services) -> Follower:
    return Follower(create_app(services, validation=services.settings.validation).test_client())


def _add_feeds(folder: Path) -> None:
    """The second hospital, with numbers of its own; and a word that clears a cell of a table."""
    folder.mkdir(parents=True, exist_ok=True)
    hospital = (_FEEDS / "hospital-his.toml").read_text(encoding="utf-8")
    for old, new in (
        ("2575", "2576"), ('"hospital"\n\n[var', '"hospital-two"\n\n[var'), ('"JCCH"', '"HTWO"'),
        ("sid/hospital/", "sid/hospital-two/"),
    ):  # fmt: skip
        assert old in hospital, f"hospital-his.toml has no {old} any more"
        hospital = hospital.replace(old, new)
    (folder / "hospital-two.toml").write_text(hospital, encoding="utf-8")
    files = (_FEEDS / "public-health-files.toml").read_text(encoding="utf-8")
    cleared = files.replace("[table]\n", f'[table]\nclear = ["{CLEARED}"]\n')
    assert cleared != files
    (folder / "public-health-files.toml").write_text(cleared, encoding="utf-8")


class _Asleep:
    """A pipeline that nobody need wake: the history drains it when it is time."""

    def wake(self) -> None:
        """Nothing."""


def _bytes(event: Event, origin: Event, place: int, numbers: Numbers) -> tuple[bytes, str]:
    """The bytes to send and their control id; what is sent once more keeps or changes the id."""
    if origin.source in "CD":
        return table(origin, numbers), ""
    number = event.of if event.act == "same" else place
    control = f"{numbers.prefix}M{number}"
    return message(origin, numbers, control), control
