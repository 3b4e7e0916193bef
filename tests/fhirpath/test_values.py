"""Dates, quantities, numbers and strings: laws and corners."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath_values import Temporal, compare, parse_temporal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # partial dates and zones
        ("@2018-03 < @2018-04-01", [True]),
        ("@2018-03 < @2018-03-01", []),
        ("@2018-03 = @2018-04-01", [False]),
        ("@2018-03-01T10:30 = @2018-03-01T10:30:00", []),
        ("@2018-03-01T10:30:00 = @2018-03-01T10:30:00.0", [True]),
        ("@2018-02-02T22-04:00 = @2018-02-03T06+04:00", [True]),
        ("@2026-01-01T10:00:00Z = @2026-01-01T10:00:00", []),
        ("@2026-01-01T10:00:00Z > @2025-12-30T10:00:00", [True]),
        ("@T10:30 < @T10:31:00", [True]),
        # arithmetic
        ("@2016-01-31 + 1 month", ["2016-02-29"]),
        ("@2016-02-29 - 1 year", ["2015-02-28"]),
        ("@2016 + 365 days", ["2017"]),
        ("@2016-01-01 + 47 hours", ["2016-01-02"]),
        ("@T23:59:30 + 1 minute", ["00:00:30"]),
        ("@2026-12-31T23:59:59.5Z + 500 milliseconds", ["2027-01-01T00:00:00.000Z"]),
        ("@9999-12-31 + 1 day", []),
        # boundaries and precision
        ("1.587.lowBoundary()", ["1.58650000"]),
        ("@2014.highBoundary(6)", ["2014-12"]),
        ("@2014-02.highBoundary(8)", ["2014-02-28"]),
        ("@2014-01-05T10:30:00.000.precision()", [17]),
        ("1.2300.precision()", [4]),
        # quantities
        ("1 'kg' = 1000 'g'", [True]),
        ("1 'kg' > 1 'm'", []),
        ("1 year = 1 'a'", []),
        ("1 year ~ 1 'a'", [True]),
        ("1 week = 7 days", [True]),
        ("(2 'cm' * 2 'm') = 0.04 'm2'", [True]),
        ("(7 'd' + 12 'h').toString()", ["180 'h'"]),
        ("'25 \\'Cel\\''.toQuantity('[degF]') ~ 77 '[degF]'", [True]),
        # numbers
        ("0.1 + 0.2", ["0.3"]),
        ("7 div 2", [3]),
        ("-7 mod 2", [-1]),
        ("1 / 0", []),
        ("1.005.round(2)", ["1.01"]),
        ("(-1.5).round()", ["-2"]),
        ("16.log(2)", ["4.0"]),
        ("(-1).sqrt()", []),
        # strings
        ("'abc'.substring(1, 1)", ["b"]),
        ("'2026-01-02'.replaceMatches('(\\\\d+)-(\\\\d+)-(\\\\d+)', '$3.$2.$1')", ["02.01.2026"]),
        ("'A b'.matches('a B', 'i')", [True]),
        ("'a,b'.split(',').join('-')", ["a-b"]),
        ("'é'.encode('hex').decode('hex')", ["é"]),
        ("'x'.indexOf('y')", [-1]),
        # collections
        ("(3 | 1 | 2).sort(-$this)", [3, 2, 1]),
        ("(1 | 2 | 3).aggregate($total + $this, 0)", [6]),
        ("({} | 2).coalesce({}, 5)", [5]),
        ("defineVariable('x', 2).select(%x * 3)", [6]),
        ("(1 | 2).combine(2).distinct().count()", [2]),
        ("true and {}", []),
        ("false and {}", [False]),
        ("{} implies true", [True]),
    ],
)
def test_value(text: str, expected: list[Any]) -> None:
    """Decimals are compared by their text."""
    found = fhirpath.compile(text)({})
    assert [item if isinstance(item, (int, bool)) else str(item) for item in found] == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("'a' < 1", "FB-2005"),
        ("@2018 + 1", "FB-2005"),
        ("@2018-02 + 1 'mo'", "FB-2005"),
        ("@T10 + 1 year", "FB-2005"),
        ("(1 | 2) + 1", "FB-2006"),
        ("iif(1 | 2, true)", "FB-2006"),
        ("%nobody", "FB-2007"),
        ("defineVariable('context', 1)", "FB-2007"),
        ("'a'.memberOf('vs')", "FB-2009"),
        ("(true | 'a').allTrue()", "FB-2005"),
        ("'a'.matches('(?=a)')", "FB-2012"),
    ],
)
def test_what_cannot_be_evaluated(text: str, code: str) -> None:
    """Each kind of refusal has its code."""
    with pytest.raises(BridgeError) as caught:
        fhirpath.compile(text)({})
    assert caught.value.code == code


def test_names_that_do_not_exist_are_found_by_the_check() -> None:
    """The static check follows types; evaluation stays lenient."""
    from fhir_bridge.fhir import definitions

    facts = definitions()
    assert fhirpath.check("name.where(use = 'usual').given", facts, "Patient") == []
    (issue,) = fhirpath.check("name.given1", facts, "Patient")
    assert (issue.code, issue.where) == ("FB-2004", "line 1, column 6")
    assert fhirpath.check("Observation.valueQuantity", facts, "Observation")
    assert fhirpath.check("children().skip(1)", facts, "Patient", ordered=True)
    assert fhirpath.check("gender.ofType(string1)", facts, "Patient")
    assert fhirpath.check("contact.where(name.exists()).period.start", facts, "Patient") == []


_TEMPORALS = st.builds(
    lambda year, month, day, rest: f"{year:04d}-{month:02d}-{day:02d}{rest}",
    st.integers(1, 9999),
    st.integers(1, 12),
    st.integers(1, 28),
    st.sampled_from(
        ["", "T10", "T10:30", "T10:30:15", "T10:30:15.25", "T10:30:15Z", "T01:00:00+08:00"]
    ),
)


@given(_TEMPORALS, _TEMPORALS)
def test_comparison_is_antisymmetric(one: str, other: str) -> None:
    """compare(a, b) is the opposite of compare(b, a), or both are unknown."""
    left, right = _temporal(one), _temporal(other)
    forward, back = compare(left, right), compare(right, left)
    assert (forward is None and back is None) or forward == -(back or 0)


@given(_TEMPORALS)
def test_a_value_is_inside_its_boundaries(text: str) -> None:
    """The value lies between both at full precision, where the zone is known."""
    value = _temporal(text)
    low, high = (
        fhirpath.compile(f"@{text}.{name}()").items({})[0]
        for name in ("lowBoundary", "highBoundary")
    )
    first, last = value.interval()
    if value.zone is not None or value.kind == "date":
        assert low.interval()[0] <= first
        assert high.interval()[1] >= min(last, high.interval()[1])


def _temporal(text: str) -> Temporal:
    found = parse_temporal(text)
    assert found is not None
    return found
