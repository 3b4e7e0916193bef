"""Persons through the whole pipeline: the hospital's own messages, one by one and in one batch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions, parse_json
from fhir_bridge.identity import Linker, load_rules
from fhir_bridge.ingest import Intake, Pipeline, load_feeds
from fhir_bridge.journal import Message
from fhir_bridge.search import Registry
from fhir_bridge.store import Store, maintenance, open_store
from fhir_bridge.transform import Library
from fhir_bridge.update import load_update_rules
from fhir_bridge.validation import Validator
from tests.store.conftest import database, registry  # noqa: F401 - fixtures

FEED = "hospital-his"


@cache
def _library() -> Library:
    return Library.from_artifacts(Artifacts())


class Hospital:
    """The hospital's interface over an empty record; messages go in one by one, or together."""

    def __init__(self, store: Store) -> None:
        artifacts = Artifacts()
        feeds = dict(load_feeds(artifacts))
        update = load_update_rules(artifacts)
        sources = {name: feed.source for name, feed in feeds.items()}
        self.store = store
        self.pipeline = Pipeline(
            store,
            feeds,
            library=_library(),
            validator=Validator(definitions(), Profiles.from_artifacts(artifacts)),
            linker=Linker(load_rules(artifacts), sources, update),
            update_rules=update,
        )
        self.journal = Intake(store, self.pipeline.wake)
        self._waiting: list[Message] = []

    def send(self, event: str, *segments: str, at: str = "20260301100000") -> None:
        """One message, worked on when `work` is called."""
        control = f"C{len(self._waiting)}{event}{at}"
        head = rf"MSH|^~\&|HIS|JCCH|H|H|{at}+0800||{event}|{control}|P|2.5.1"
        text = "\r".join([head, f"EVN|{event[4:7]}|{at}+0800", *segments, ""])
        self._waiting.append(Message(FEED, text.encode(), control))

    def work(self, *, together: bool) -> None:
        """Everything that was sent, in one batch or each in a batch of its own."""
        for arrivals in [self._waiting] if together else [[each] for each in self._waiting]:
            self.journal.append(arrivals)
            self.pipeline.drain()
        self._waiting = []
        counts = self.store.quarantine.counts_by_feed()
        assert counts == {}, [each.issues for each in self.store.quarantine.list()]

    def all(self, resource_type: str) -> list[dict[str, Any]]:
        """Every current resource of a type."""
        return [parse_json(body) for body in self.store.bodies(resource_type)]

    def patient(self, number: str) -> dict[str, Any]:
        """The one living Patient with a number."""
        (found,) = [
            each
            for each in self.all("Patient")
            if each.get("active") is not False
            and any(one["value"] == number for one in each.get("identifier", ()))
        ]
        return found

    def subjects(self) -> dict[str, str]:
        """Value of each result -> id of its Patient."""
        return {
            str(each["valueQuantity"]["value"]): each["subject"]["reference"].split("/")[1]
            for each in self.all("Observation")
        }


@pytest.fixture
def hospital(database: str, registry: Registry) -> Iterator[Hospital]:  # noqa: F811 - imported
    """On either database."""
    store = open_store(database, registry=registry)
    yield Hospital(store)
    store.close()


def pid(number: str, who: str = "") -> str:
    """A PID with a number of the hospital, and what else is told."""
    return f"PID|1||{number}^^^JCCH^MR" + (f"||{who}" if who else "")


def result(value: str, order: str, status: str = "F") -> tuple[str, str]:
    """One result of an order."""
    return (
        f"OBR|1|{order}|F{order}|2345-7^Glucose^LN|||20260301090000+0800|||||||||||||||20260301100000+0800||LAB|F",
        f"OBX|1|NM|2345-7^Glucose^LN|1|{value}|mmol/L^mmol/L^UCUM|||||{status}",
    )


JIA, NOBODY = "吴^甲||19810102|F", "无名^氏||19000101|F"


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "in one batch"])
def test_a_merge_takes_what_hangs_on_the_old_number_along(
    hospital: Hospital, together: bool
) -> None:
    """Results of before and after, corrected later; sent word for word again nothing changes."""

    def morning() -> None:
        hospital.send("ADT^A28^ADT_A05", pid("P1", JIA))
        hospital.send("ADT^A28^ADT_A05", pid("P2", NOBODY))
        hospital.send("ORU^R01^ORU_R01", pid("P2", NOBODY), *result("5.1", "A"))
        merge = (pid("P1", JIA), "MRG|P2^^^JCCH^MR")
        hospital.send("ADT^A40^ADT_A39", *merge, at="20260301110000")
        hospital.send("ORU^R01^ORU_R01", pid("P2"), *result("6.1", "B"), at="20260301120000")
        later = (pid("P2"), *result("5.2", "A", "C"))
        hospital.send("ORU^R01^ORU_R01", *later, at="20260301130000")
        hospital.work(together=together)

    morning()
    survivor = hospital.patient("P1")
    (old,) = [each for each in hospital.all("Patient") if each.get("active") is False]
    assert old["link"][0]["other"]["reference"] == f"Patient/{survivor['id']}"
    assert hospital.subjects() == {"5.2": survivor["id"], "6.1": survivor["id"]}
    assert [each["text"] for each in survivor["name"]] == ["吴甲"]
    assert {each["value"]: each.get("use") for each in survivor["identifier"]} == {
        "P1": None,
        "P2": "old",
    }
    assert maintenance.check(hospital.store).issues == ()
    with hospital.store.reading() as session:
        rows = session.all("SELECT count(*) FROM statement WHERE source = 'rest'")
    assert rows[0][0] == 0, "what linking moved is not taken for a client's word"

    hospital.pipeline._resolver.forget(everything=True)
    before = hospital.store.latest_change()
    hospital.send("ADT^A40^ADT_A39", pid("P1", JIA), "MRG|P2^^^JCCH^MR", at="20260301110000")
    hospital.work(together=together)
    changed = hospital.store.history(count=20).matches
    assert {each.resource_type for each in changed if each.row_id > before} <= {"Provenance"}


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "in one batch"])
def test_only_what_was_made_under_a_number_moves_with_it(
    hospital: Hospital, together: bool
) -> None:
    """Two numbers of one person by the citizen number; one of them moves to another person."""
    citizen = "|" * 11 + "11010519491231002X"
    li = f"李^梅||19491231|F{citizen}"
    hospital.send("ADT^A28^ADT_A05", pid("P1", li))
    hospital.send("ADT^A28^ADT_A05", pid("P2", li))
    hospital.send("ADT^A28^ADT_A05", pid("P3", "王^芳||19600101|F"))
    hospital.send("ORU^R01^ORU_R01", pid("P1"), *result("1.1", "A"))
    hospital.send("ORU^R01^ORU_R01", pid("P2"), *result("2.2", "B"))
    hospital.send("ADT^A43^ADT_A43", pid("P3"), "MRG|P2^^^JCCH^MR", at="20260301110000")
    hospital.work(together=together)

    li_id, wang_id = hospital.patient("P1")["id"], hospital.patient("P3")["id"]
    assert hospital.patient("P2")["id"] == wang_id != li_id
    assert hospital.subjects() == {"1.1": li_id, "2.2": wang_id}
    hospital.send("ORU^R01^ORU_R01", pid("P2"), *result("3.3", "C"), at="20260301120000")
    hospital.work(together=together)
    assert hospital.subjects()["3.3"] == wang_id
    assert maintenance.check(hospital.store).issues == ()


def test_a_result_before_the_registration_is_the_registered_persons(hospital: Hospital) -> None:
    """A placeholder that says so keeps the promises of the feed, and is filled later."""
    hospital.send("ORU^R01^ORU_R01", pid("P1"), *result("5.1", "A"))
    hospital.work(together=True)
    (placeholder,) = hospital.all("Patient")
    assert placeholder["meta"]["tag"][0]["code"] == "placeholder"

    hospital.send("ADT^A28^ADT_A05", pid("P1", JIA), at="20260301110000")
    hospital.work(together=True)
    (patient,) = hospital.all("Patient")
    assert (patient["id"], patient["name"][0]["text"]) == (placeholder["id"], "吴甲")
    assert "tag" not in patient["meta"]


def test_the_same_words_again_hold_until_then(hospital: Hospital) -> None:
    """A, A again later, then B of the time between: A stands, though nothing was written twice."""
    hospital.send("ADT^A31^ADT_A05", pid("P1", JIA), at="20260301100000")
    hospital.send("ADT^A31^ADT_A05", pid("P1", JIA), at="20260301120000")
    hospital.send("ADT^A31^ADT_A05", pid("P1", "吴^乙||19810102|F"), at="20260301110000")
    hospital.work(together=False)

    patient = hospital.patient("P1")
    assert [each["text"] for each in patient["name"]] == ["吴甲"]
    assert patient["meta"]["versionId"] == "1"


def test_each_message_names_the_hospitals_own_record_of_the_person(hospital: Hospital) -> None:
    """Authority, number and the time of the event, in the Provenance."""
    hospital.send("ADT^A28^ADT_A05", pid("P1", JIA))
    hospital.work(together=True)
    (stated,) = hospital.all("Provenance")
    system = "https://fhir-bridge.org/fhir/sid/hospital/patient-number"

    assert stated["entity"][1] == {
        "role": "source",
        "what": {"type": "Patient", "identifier": {"system": system, "value": "P1"}},
    }
    assert stated["occurredDateTime"] == "2026-03-01T02:00:00.000Z"
