"""What a value of the record cannot decide: how long a page takes and how large it is."""

from __future__ import annotations

import math
import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_bridge.console.outline import MAX_LINES, outline
from fhir_bridge.console.record.plot import HEIGHT, WIDTH, plot_pressure
from fhir_bridge.console.text.display import money_text, quantity_text
from fhir_bridge.errors import Issue
from fhir_bridge.fhir import parse_json, render_json
from fhir_bridge.journal import Message, Refusal, UnreadTally
from tests.console.community import resources

MOST_BYTES, MOST_SECONDS = 4_000_000, 5.0
_KEPT = {"reference", "id", "resourceType", "status", "url", "system", "code", "value", "use"}

values = st.one_of(
    st.floats(allow_nan=False), st.floats(20, 300), st.sampled_from([0.0, -1e9, 128000.0, math.inf])
)
days = st.dates(date(1, 1, 1), date(9999, 12, 31))


@given(st.lists(st.tuples(days, values, values), max_size=400))
@settings(max_examples=150, deadline=1000)
def test_a_plot_has_the_same_size_whatever_was_measured(
    measured: list[tuple[date, float, float]],
) -> None:
    """Few lines and labels, every point inside the box, and what is off the scale is marked."""
    plot = plot_pressure(measured)
    if plot is None:
        return
    assert len(plot.rows) <= 16
    assert len(plot.columns) <= 5
    points = (*plot.upper_points, *plot.lower_points)
    assert len(points) <= 400
    assert all(0 <= mark.x <= WIDTH and 0 <= mark.y <= HEIGHT for mark in (*points, *plot.rows))
    assert plot.clipped == any(mark.beyond for mark in points)
    for (_, above, below), upper, lower in zip(
        sorted(measured)[-200:], plot.upper_points, plot.lower_points, strict=True
    ):
        assert upper.beyond == (not 0 <= above <= 300)
        assert lower.beyond == (not 0 <= below <= 300)


def test_a_slip_of_three_zeros_is_drawn_at_the_edge_and_said() -> None:
    """The others keep their scale; the text tells what was written."""
    plot = plot_pressure([(date(2026, 1, 1), 128.0, 80.0), (date(2026, 2, 1), 132000.0, 82.0)])
    assert plot is not None
    slip = plot.upper_points[1]
    assert (slip.beyond, slip.text) == (True, "2026-02-01: 132000/82 mmHg")
    assert [mark.beyond for mark in (plot.upper_points[0], *plot.lower_points)] == [False] * 3
    assert plot.rows[-1].text == "300"


@given(st.decimals(allow_nan=False, allow_infinity=False), st.integers(-(10**6), 10**6))
def test_amounts_and_quantities_have_a_bounded_width(number: Decimal, exponent: int) -> None:
    """An exponent is written as one, never as that many zeros."""
    value = Decimal(f"{number.as_tuple().digits[0]}E{exponent}")
    assert len(money_text({"value": value})) < 40
    assert len(quantity_text({"value": value, "unit": "mm"})) < 60


@given(
    st.recursive(
        st.text(max_size=8),
        lambda inner: (
            st.lists(inner, min_size=1, max_size=60)
            | st.dictionaries(st.text(max_size=3), inner, min_size=1, max_size=60)
        ),
        max_leaves=200,
    ),
    st.integers(1, 400),
)
@settings(max_examples=50, deadline=None)
def test_an_outline_ends(value: Any, times: int) -> None:
    """However many elements a resource has; the last line says that there are more."""
    lines = list(outline({"resourceType": "Basic", "id": "b", "extension": [value] * times}))
    assert len(lines) <= MAX_LINES + 1
    assert (len(lines) == MAX_LINES + 1) == (lines[-1].name == "…" and len(lines) > MAX_LINES)


def _grown(value: Any, text: int, times: int, number: str, name: str = "") -> Any:
    """A resource with its texts longer, its lists repeated and its numbers out of range."""
    if isinstance(value, dict):
        return {key: _grown(item, text, times, number, key) for key, item in value.items()}
    if isinstance(value, list):
        long = name in {"identifier", "signer", "participant", "extension"}
        inside = 1 if long else times  # one list of a kind, not lists of lists
        items = [_grown(item, text, inside, number, name) for item in value]
        return items * times if long else items
    if isinstance(value, str) and name not in _KEPT and not value[:1].isdigit():
        return value + "长" * text
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return parse_json(f'{{"n":{number}}}'.encode())["n"]
    return value


@pytest.mark.parametrize(
    ("text", "times", "number"),
    [
        (200_000, 1, "1"),
        (0, 3_000, "1"),
        (0, 1, "132000"),
        (0, 1, "9E+99999"),
        (0, 1, "-1e308"),
        (0, 1, "1" + "0" * 400),
        (0, 1, "1e-400"),
    ],
    ids=["texts", "lists", "slip", "exponent", "negative", "digits", "tiny"],
)
def test_every_page_of_a_resident_opens(client, services, text, times, number) -> None:
    """Whatever the values: bounded bytes, bounded time, and a page."""
    grown = [_grown(one, text, times, number) for one in resources()]
    with services.store.transaction() as transaction:
        for one in grown:
            transaction.put(parse_json(render_json(one)))
    for path in (
        "/",
        "/console/residents",
        "/console/residents/p1",
        "/console/resources/Patient",
        "/console/resources/Patient/p1",
        "/console/resources/Contract/c1",
        "/console/resources/CareTeam",
        "/console/resources/Observation",
    ):
        began = time.monotonic()
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert len(answer.data) < MOST_BYTES, path
        assert time.monotonic() - began < MOST_SECONDS, path


def _tally(number: int) -> UnreadTally:
    at = "2026-09-01T08:00:00Z"
    return UnreadTally("hospital-adt", "http://x", f"ZZZ-{number}", False, "d", 1, at, at, "x")


def test_pages_of_what_was_refused_and_unread_end(client, services) -> None:
    """A message of line breaks alone, with an issue for each; ten thousand places unread."""
    issues = [Issue("FB-1010", "error", f"line {n}", {"reason": "x" * 50}) for n in range(5_000)]
    item = services.store.quarantine.add(Refusal(Message("hospital-adt", b"\r" * 70_000), issues))
    tallies = [_tally(n) for n in range(3_000)]
    with services.store.transaction() as transaction:
        transaction.count_unread(tallies)
    for path in (f"/console/quarantine/{item}", "/console/quarantine", "/console/unread", "/"):
        began = time.monotonic()
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert len(answer.data) < MOST_BYTES, path
        assert time.monotonic() - began < MOST_SECONDS, path


@pytest.mark.parametrize("number", ["0", "9" * 18, "9" * 19, "9" * 40, "-1", "1" + "0" * 4000])
def test_numbers_in_addresses_of_pages_are_no_fault(client, number) -> None:
    """An entry, a place in the list: not there, or the first page."""
    for path in (
        f"/console/quarantine/{number}",
        f"/console/quarantine?before={number}",
        f"/console/residents?q={number}",
        f"/console/residents?after={number}",
        f"/console/residents/{number}",
    ):
        assert client.get(path).status_code in (200, 400, 404), path[:40]
    answer = client.post(f"/console/quarantine/{number}/replay", data={"token": "x"})
    assert answer.status_code in (303, 403, 404, 405)
