"""Page links: unreadable, unforgeable, bounded, and of limited life."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from fhir_bridge import clock
from fhir_bridge.access import Access
from fhir_bridge.errors import BridgeError
from fhir_bridge.search import parse_search, plan
from fhir_bridge.store import Page, Store, maintenance
from fhir_bridge.store.read.cursors import MAX_LENGTH, Cursor, open_cursor, seal
from tests.store.asking import ask, patient

KEY = b"k" * 32
Asker = Callable[[str], Page]
PLACE = Cursor("question", ("王小明", 12, 1.5), 7, "10:20:11", 1_000, 1_000)


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


@pytest.mark.parametrize("text", ["", "A", "AAAA", "ü", "=", "a b", "A" * (MAX_LENGTH + 1)])
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


def _pages(store: Store, link: str, at: datetime, seconds: list[int], ask: Asker) -> list[Page]:
    """The pages after `link`, each asked for so many seconds after the one before."""
    found = []
    for each in seconds:
        at += timedelta(seconds=each)
        with clock.at(at):
            # Others go on writing: what is replaced is cleared as soon as nobody needs it.
            with store.transaction() as tx:
                tx.put(patient("a") | {"birthDate": f"{1900 + len(found)}-01-01"})
                tx.put(patient("z") | {"birthDate": f"{1900 + len(found)}-01-01"})
            store.collect()
            found.append(ask(link))
            link = found[-1].next
    return found


@pytest.mark.parametrize("what", ["search", "history"])
def test_links_live_while_they_are_used(opening: Callable[..., Store], what: str) -> None:
    """Ten pages over many times the time of a link: whole, as they were; then unused: FB-4111."""
    store = opening(keep_snapshots=60_000)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    names = [*"abcdefghijkz"]
    with clock.at(began):
        with store.transaction() as tx:
            tx.put_many([patient(each) | {"birthDate": "1950-01-01"} for each in names])

        def ask(link: str) -> Page:
            if what == "history":
                return store.history("Patient", count=1, cursor=link)
            asked = parse_search("Patient", [("_count", "1"), ("_sort", "_id")], store.registry)
            return store.find(plan(asked, store.registry), cursor=link)

        first = ask("")
    pages = [first, *_pages(store, first.next, began, [50] * 9, ask)]
    seen = [match.id for page in pages for match in page.matches]
    assert seen == (names[:10] if what == "search" else names[::-1][:10])
    assert all(b"1950" in match.body for page in pages for match in page.matches)
    link, last = pages[-1].next, began + timedelta(seconds=450)
    with clock.at(last + timedelta(seconds=61)), pytest.raises(BridgeError) as refused:
        ask(link)
    assert refused.value.code == "FB-4111"
    with clock.at(last + timedelta(seconds=300)):
        store.collect()
        assert maintenance.check(store).issues == ()


def test_a_reader_that_never_ends_does_not_keep_the_past_for_ever(
    opening: Callable[..., Store],
) -> None:
    """A day after the first page the search is to be begun again."""
    store = opening(keep_snapshots=15 * 60_000)
    began = at = datetime(2026, 1, 1, tzinfo=UTC)
    with clock.at(at):
        with store.transaction() as tx:
            tx.put_many([patient(f"p{number:03}") for number in range(120)])
        asked = plan(parse_search("Patient", [("_count", "1")], store.registry), store.registry)
        link = store.find(asked).next
    for _ in range(107):
        at += timedelta(minutes=14)
        with clock.at(at):
            if at - began > timedelta(hours=24):
                with pytest.raises(BridgeError) as refused:
                    store.find(asked, cursor=link)
                break
            link = store.find(asked, cursor=link).next
    assert refused.value.code == "FB-4111"


def test_a_caller_with_a_new_token_reads_on(opening: Callable[..., Store]) -> None:
    """A token is renewed in the middle of a list: the same rights, told anew, in another order."""
    store = opening()
    with store.transaction() as tx:
        tx.put_many([patient(each) for each in "abcd"])
    asked = plan(parse_search("Patient", [("_count", "1")], store.registry), store.registry)
    link, seen = "", []
    for rights in (["a", "b", "c"], ["c", "b", "a"], ["b", "a", "c"]):
        page = store.find(asked, Access.patients(rights), cursor=link)
        link, seen = page.next, [*seen, *page.matches]
    assert len({match.id for match in seen}) == 3


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
