"""Page links: unreadable, unforgeable, bounded, and of limited life."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from fhir_bridge import clock
from fhir_bridge.errors import BridgeError
from fhir_bridge.search import Access
from fhir_bridge.store import Store
from fhir_bridge.store.cursors import LONGEST, Cursor, open_cursor, seal
from tests.store.asking import ask, patient

KEY = b"k" * 32
PLACE = Cursor("question", ("王小明", 12, 1.5), 7, "10:20:11", 1_000)


def test_a_cursor_comes_back_as_it_was() -> None:
    """Text, whole and other numbers of the position included."""
    assert open_cursor(seal(PLACE, KEY), KEY, "question", 1_000) == PLACE


def test_the_same_place_is_never_the_same_text() -> None:
    """Two links say nothing of each other, not even that they are alike."""
    assert seal(PLACE, KEY) != seal(PLACE, KEY)


@pytest.mark.parametrize("at", range(0, 80, 5))
def test_any_changed_character_is_refused(at: int) -> None:
    """FB-4110 with a hint, wherever the change is."""
    text = seal(PLACE, KEY)
    forged = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
    with pytest.raises(BridgeError) as refused:
        open_cursor(forged, KEY, "question", 0)
    assert (refused.value.code, bool(refused.value.issues[0].hint)) == ("FB-4110", True)


@pytest.mark.parametrize("text", ["", "A", "AAAA", "ü", "=", "a b", "A" * (LONGEST + 1)])
def test_what_never_was_a_cursor_is_refused(text: str) -> None:
    """Also what is no base64 and what is longer than any cursor."""
    with pytest.raises(BridgeError) as refused:
        open_cursor(text, KEY, "question", 0)
    assert refused.value.code == "FB-4110"


def test_a_truncated_cursor_and_one_of_another_site_are_refused() -> None:
    """The whole text and the right key are needed."""
    text = seal(PLACE, KEY)
    for changed, key in ((text[:-4], KEY), (text[4:], KEY), (text, b"o" * 32)):
        with pytest.raises(BridgeError) as refused:
            open_cursor(changed, key, "question", 0)
        assert refused.value.code == "FB-4110"


def test_a_link_is_bounded() -> None:
    """Sort values that no link can hold are refused with a code when the link is made."""
    with pytest.raises(BridgeError) as refused:
        seal(Cursor("question", ("王" * 800,) * 4, 7, "", 0), KEY)
    assert refused.value.code == "FB-4112"


def test_links_show_nothing_of_a_patient(opening: Callable[..., Store]) -> None:
    """Neither ids nor names that a page is sorted by stand in a link, in any encoding."""
    store = opening()
    with store.transaction() as tx:
        tx.put_many([patient(f"patient-{n}", name=[{"family": "Zhang"}]) for n in range(4)])
    access = Access.patients([f"patient-{n}" for n in range(4)])
    for link in (
        ask(store, "Patient", "_count=1&_sort=family").next,
        store.history("Patient", count=1, access=access).next,
        store.history("Patient", "patient-1", count=1, access=access).next
        or store.history(count=2, access=access).next,
    ):
        data = base64.urlsafe_b64decode(link + "==")
        assert b"patient" not in data.lower()
        assert b"zhang" not in data.lower()


def test_history_links_expire(opening: Callable[..., Store]) -> None:
    """After the time for which snapshots are kept, counted from the first page: FB-4111."""
    store = opening(keep_snapshots=60_000)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    with clock.at(began):
        with store.transaction() as tx:
            tx.put_many([patient(each) for each in "abcd"])
        link = store.history("Patient", count=1).next
    with clock.at(began + timedelta(seconds=50)):
        link = store.history("Patient", count=1, cursor=link).next
    with clock.at(began + timedelta(seconds=70)), pytest.raises(BridgeError) as refused:
        store.history("Patient", count=1, cursor=link)
    assert refused.value.code == "FB-4111"


def test_a_history_link_is_of_one_caller(opening: Callable[..., Store]) -> None:
    """Other rights, other question: FB-4110."""
    store = opening()
    with store.transaction() as tx:
        tx.put_many([patient(each) for each in "abcd"])
    link = store.history("Patient", count=1, access=Access.patients(["a", "b"])).next
    for access in (Access.patients(["a", "c"]), Access.everything()):
        with pytest.raises(BridgeError) as refused:
            store.history("Patient", count=1, cursor=link, access=access)
        assert refused.value.code == "FB-4110"
