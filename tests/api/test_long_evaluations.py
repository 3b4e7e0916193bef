"""What a client has evaluated for long: beside others, never in their way."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from fhir_bridge import fhirpath
from fhir_bridge.budget import Bounds, BudgetExceeded, bounded, urgent
from fhir_bridge.interactions.patch import apply as patches
from fhir_bridge.lane import Lane, Turn
from tests.api.test_resources import PATIENT, code
from tests.api.world import World
from tests.interactions.test_transaction import entry, send, statuses

ENDLESS = "(1).repeat($this + 1)"
LONG = Bounds(steps=10**9, bytes=10**12, seconds=0.15)


def _patch(path: str) -> dict[str, Any]:
    """A FHIRPath Patch that deletes what stands at `path`."""
    parts = [{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": path}]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


def _evaluated(bounds: Bounds) -> str:
    with bounded(bounds), pytest.raises(BudgetExceeded) as caught:
        fhirpath.compile(ENDLESS).items({})
    return caught.value.code


def test_a_long_evaluation_takes_half_of_an_idle_process() -> None:
    """Of 0.15 s of work nearly all are paced: they last as long again."""
    began = time.monotonic()
    assert _evaluated(replace(LONG, turn=Turn(Lane(1)))) == "FB-2011"
    assert time.monotonic() - began > 0.15 + 0.12


def test_a_long_evaluation_takes_a_tenth_of_a_busy_process() -> None:
    """Others have the interpreter to themselves nine tenths of the time, after a first look."""
    stopped = threading.Event()

    def answer_others() -> None:
        while not stopped.is_set():
            sum(range(100))

    busy = threading.Thread(target=answer_others)
    busy.start()
    began = time.monotonic()
    try:
        assert _evaluated(replace(LONG, turn=Turn(Lane(1)))) == "FB-2011"
    finally:
        stopped.set()
        busy.join()
    assert time.monotonic() - began > 5 * 0.15


def test_rest_is_not_counted_as_time_of_the_evaluation() -> None:
    """The seconds of an evaluation are the processor's: it does all the work it may."""
    worked = time.thread_time()
    _evaluated(replace(LONG, turn=Turn(Lane(1))))
    assert time.thread_time() - worked >= 0.15


def test_evaluations_share_the_lane_and_one_more_is_sent_away() -> None:
    """A place that was left is free again."""
    lane = Lane(1)
    assert lane.enter()
    assert _evaluated(replace(LONG, turn=Turn(lane))) == "FB-4035"
    lane.leave()
    assert [_evaluated(replace(LONG, turn=Turn(lane))) for _ in range(2)] == ["FB-2011"] * 2


def test_what_is_short_needs_no_place() -> None:
    """Nearly everything: the lane is for what goes on."""
    lane = Lane(1)
    assert lane.enter()
    assert _evaluated(Bounds(steps=5_000, turn=Turn(lane))) == "FB-2008"


def test_many_short_evaluations_of_one_request_are_a_long_one() -> None:
    """A Bundle of patches takes no more of the process than one."""
    lane = Lane(1)
    assert lane.enter()
    compiled = fhirpath.compile(ENDLESS)
    with bounded(Bounds(steps=5_000, turn=Turn(lane))):
        for _ in range(10_000):
            with pytest.raises(BudgetExceeded) as caught:
                compiled.items({})
            if caught.value.code == "FB-4035":
                return
    pytest.fail("never told to wait")


def test_nobody_rests_with_something_in_hand_that_others_wait_for() -> None:
    """In a transaction there is no rest."""
    lane = Lane(1)
    rested: list[float] = []
    lane.rest = rested.append  # type: ignore[method-assign]
    with bounded(replace(LONG, turn=Turn(lane))):
        with urgent(), pytest.raises(BudgetExceeded):
            fhirpath.compile(ENDLESS).items({})
        assert not rested
        with pytest.raises(BudgetExceeded):
            fhirpath.compile(ENDLESS).items({})
        assert rested


def test_the_answer_says_when_to_come_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 FB-4035 with Retry-After; after that the same request is answered on its merits."""
    world.client().put("/fhir/Patient/li", json=PATIENT | {"id": "li"})
    world.settings = replace(world.settings, evaluation=LONG)
    media = "application/fhir+json"
    with monkeypatch.context() as full:
        full.setattr(Lane, "enter", lambda _lane: False)
        refused = world.client().patch(
            "/fhir/Patient/li",
            json=_patch(f"Patient.where({ENDLESS}.exists())"),
            content_type=media,
        )
    assert (503, "FB-4035", "2") == (
        refused.status_code,
        code(refused),
        refused.headers["Retry-After"],
    )
    told = world.client().patch(
        "/fhir/Patient/li", json=_patch(f"Patient.where({ENDLESS}.exists())"), content_type=media
    )
    assert (422, "FB-2011") == (told.status_code, code(told))


@pytest.fixture
def others(either: World, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether others could write while a patch was worked out, for each time."""
    client = either.client()
    client.put("/fhir/Patient/li", json=PATIENT | {"id": "li", "birthDate": "1949-12-31"})
    original = patches.apply_patch
    written: list[bool] = []

    def work_out(*given: Any) -> Any:
        writing = threading.Thread(
            target=either.client().post, args=("/fhir/Patient",), kwargs={"json": PATIENT}
        )
        writing.start()
        writing.join(10)
        written.append(not writing.is_alive())
        return original(*given)

    monkeypatch.setattr(patches, "apply_patch", work_out)
    return written


PATCH = _patch("Patient.birthDate")


@pytest.mark.parametrize("place", ["Patient/li", "Patient?_id=li"])
def test_others_write_while_a_patch_is_worked_out(
    either: World, others: list[bool], place: str
) -> None:
    """However long it takes: it holds no transaction."""
    answer = either.client().patch(
        f"/fhir/{place}", json=PATCH, content_type="application/fhir+json"
    )
    assert (200, [True]) == (answer.status_code, others)
    assert "birthDate" not in either.client().get("/fhir/Patient/li").json


def test_others_write_while_the_patches_of_a_transaction_are_worked_out(
    either: World, others: list[bool]
) -> None:
    """The same inside a Bundle."""
    answer = send(either, "transaction", entry("PATCH", "Patient/li", PATCH))
    assert (["200"], [True]) == ([each[:3] for each in statuses(answer)], others)


def test_a_version_written_meanwhile_is_patched_anew(
    either: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody else wrote while the patch was worked out stays."""
    client = either.client()
    held = PATIENT | {"id": "li", "birthDate": "1949-12-31"}
    client.put("/fhir/Patient/li", json=held)
    original, seen = patches.apply_patch, []

    def work_out(resource: Any, request: Any) -> Any:
        seen.append(resource.get("gender"))
        if len(seen) == 1:
            client.put("/fhir/Patient/li", json=held | {"gender": "other"})
        return original(resource, request)

    monkeypatch.setattr(patches, "apply_patch", work_out)
    answer = either.client().patch(
        "/fhir/Patient/li", json=PATCH, content_type="application/fhir+json"
    )
    assert 200 == answer.status_code
    left = client.get("/fhir/Patient/li").json
    assert ("other", None, 2) == (left.get("gender"), left.get("birthDate"), len(seen))
