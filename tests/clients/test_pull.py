"""Dialogues with a source that is pulled: what it answers, what reaches the journal."""

import json
from pathlib import Path
from threading import Event

import pytest
import requests
import responses

from fhir_bridge.clients import Puller, PullSource, read_pull_source
from fhir_bridge.errors import BridgeError

URL = "https://contracts.example/api/agreements"


class Journal:
    """Keeps what is appended; a digest that was seen is a repeat."""

    def __init__(self):
        self.entries = []

    def __call__(self, **entry):
        """Keep one page."""
        known = any(entry["digest"] == other["digest"] for other in self.entries)
        self.entries.append(entry)
        return known


@pytest.fixture
def journal():
    """An empty journal."""
    return Journal()


@pytest.fixture
def pauses():
    """The pauses that were asked for, in seconds; nothing sleeps."""
    return []


@pytest.fixture
def puller(journal, pauses, tmp_path: Path):
    """A reader of the list with a token."""
    source = PullSource("contract-online", URL, token="s3cret", retries=3, largest_page=2_000)
    return Puller(source, journal, tmp_path / "place.json", wait=pauses.append)


def _page(*numbers: int, following: object = None) -> dict:
    return {"rows": [{"协议编号": str(number)} for number in numbers], "next": following}


@responses.activate
def test_all_pages_reach_the_journal_as_they_were_sent(puller, journal):
    """The bytes of each page, in order, with the token as control id."""
    responses.get(URL, json=_page(1, 2, following="2"))
    responses.get(URL, json=_page(3, following=None))
    pulled = puller.read()
    assert (pulled.pages, pulled.rows, pulled.repeated) == (2, 3, 0)
    assert [json.loads(entry["data"])["rows"][0] for entry in journal.entries] == [
        {"协议编号": "1"},
        {"协议编号": "3"},
    ]
    assert [entry["control_id"] for entry in journal.entries] == ["", "page=2"]
    asked = [call.request for call in responses.calls]
    assert [request.params for request in asked] == [
        {"limit": "200"},
        {"limit": "200", "page": "2"},
    ]
    assert all(request.headers["Authorization"] == "Bearer s3cret" for request in asked)


@responses.activate
def test_an_empty_list_leaves_nothing_in_the_journal(puller, journal):
    """No rows, no message."""
    responses.get(URL, json=_page())
    assert puller.read().rows == 0
    assert journal.entries == []


@responses.activate
def test_a_page_that_was_read_before_counts_as_repeated(puller):
    """Reading the whole list again is harmless."""
    responses.get(URL, json=_page(1))
    puller.read()
    assert puller.read().repeated == 1


@responses.activate
@pytest.mark.parametrize("trouble", [429, 503, requests.ConnectionError(), requests.Timeout()])
def test_passing_trouble_is_tried_again_with_growing_pauses(trouble, puller, pauses):
    """Half a second, then one."""
    for _ in range(2):
        if isinstance(trouble, int):
            responses.get(URL, status=trouble)
        else:
            responses.get(URL, body=trouble)
    responses.get(URL, json=_page(1))
    assert puller.read().rows == 1
    assert pauses == [0.5, 1.0]


@responses.activate
def test_the_source_may_say_how_long_to_wait(puller, pauses):
    """Retry-After, up to a minute."""
    responses.get(URL, status=429, headers={"Retry-After": "7"})
    responses.get(URL, status=503, headers={"Retry-After": "86400"})
    responses.get(URL, json=_page(1))
    puller.read()
    assert pauses == [7.0, 60.0]


@responses.activate
def test_a_reading_that_breaks_off_goes_on_where_it_was(puller, journal):
    """Pages that are in the journal are not asked for again."""
    responses.get(URL, json=_page(1, following="1"))
    for _ in range(4):
        responses.get(URL, status=503)
    with pytest.raises(BridgeError, match="FB-6202"):
        puller.read()
    responses.get(URL, json=_page(2))
    assert puller.read().pages == 1
    assert responses.calls[-1].request.params["page"] == "1"
    assert len(journal.entries) == 2
    responses.get(URL, json=_page(2))
    puller.read()
    assert "page" not in responses.calls[-1].request.params


@responses.activate
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"status": 401}, "FB-6202"),
        ({"status": 302, "headers": {"Location": "https://elsewhere.example/"}}, "FB-6202"),
        ({"body": "<html>"}, "FB-6203"),
        ({"json": _page(1, following={"a": 1})}, "FB-6203"),
        ({"json": _page(1, following="https://elsewhere.example/x")}, "FB-6203"),
        ({"body": b"[" + b"1," * 2_000 + b"1]"}, "FB-6204"),
    ],
)
def test_an_answer_that_cannot_be_used_ends_the_reading_with_its_code(answer, code, puller):
    """No retry, no guess, and no token to another host."""
    responses.get(URL, **answer)
    with pytest.raises(BridgeError, match=code) as caught:
        puller.read()
    assert "s3cret" not in str(caught.value)
    assert all(call.request.url.startswith(URL) for call in responses.calls)


@responses.activate
def test_a_list_that_never_ends_is_given_up(journal, tmp_path: Path):
    """A page that names itself, and more pages than allowed."""
    responses.get(URL, json=_page(1, following="1"))
    with pytest.raises(BridgeError, match="FB-6203"):
        Puller(PullSource("f", URL), journal, tmp_path / "a.json").read()
    for number in range(5):
        responses.get(f"{URL}2", json=_page(number, following=str(number + 1)))
    with pytest.raises(BridgeError, match="FB-6205"):
        Puller(PullSource("f", f"{URL}2", most_pages=3), journal, tmp_path / "b.json").read()


@responses.activate
def test_an_address_as_next_page_is_followed_on_the_same_host(puller):
    """Some sources link, others count."""
    responses.get(URL, json=_page(1, following=f"{URL}/more?after=1"))
    responses.get(f"{URL}/more", json=_page(2))
    assert puller.read().rows == 2
    assert responses.calls[-1].request.params == {"after": "1"}


@responses.activate
def test_trouble_does_not_end_the_watch(puller, journal):
    """The next turn tries again; the loop ends when it is told to."""
    stop = Event()
    responses.get(URL, status=401)
    stop.wait = lambda seconds: stop.set()
    puller.run(stop)
    assert journal.entries == []


def test_the_token_comes_from_a_file_and_never_shows(tmp_path: Path):
    """Neither the feed's file nor a log line holds it."""
    (tmp_path / "token").write_text("s3cret\n")
    source = read_pull_source("f", {"url": URL, "token_file": "token"}, tmp_path)
    assert source.token == "s3cret"
    assert "s3cret" not in repr(source)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"url": "file:///etc/passwd"},
        {"url": URL, "token": "inline"},
        {"url": URL, "pages": 3},
        {"url": URL, "page": "many"},
        {"url": URL, "token_file": "missing"},
    ],
)
def test_options_that_cannot_be_used_are_named(options, tmp_path: Path):
    """When the product starts, not at night."""
    with pytest.raises(BridgeError, match="FB-6206"):
        read_pull_source("f", options, tmp_path)
