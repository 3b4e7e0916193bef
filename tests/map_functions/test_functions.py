"""What functions for maps give."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_bridge.errors import Issue
from fhir_bridge.map_functions import functions_by_name


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("date_from_ts", ["19800102"], "1980-01-02"),
        ("date_from_ts", ["198001"], "1980-01"),
        ("date_from_ts", [None], None),
        ("datetime_from_ts", ["20240506070809.12+0800"], "2024-05-06T07:08:09.12+08:00"),
        ("datetime_from_ts", ["202405060708", "+08:00"], "2024-05-06T07:08:00+08:00"),
        ("datetime_from_ts", ["2024050607", "+08:00"], "2024-05-06"),
        ("datetime_from_ts", ["20240506070809"], "2024-05-06"),
        ("instant_from_ts", ["20240506070809", "+08:00"], "2024-05-06T07:08:09+08:00"),
        ("is_date", ["20240230"], False),
        ("is_date", ["20240229"], True),
        ("mod11_2", ["11010519491231002x"], True),
        ("mod11_2", ["11010519491231002A"], False),
        ("mod11_2", ["X"], False),
        ("mod11_2_append", ["110105491231002", "19", 6], "11010519491231002X"),
        ("mod31_3", ["91350100M000100Y43"], True),
        ("mod31_3", ["91350100M000100Y4I"], False),
        ("uri_of_oid", ["2.16.840.1.113883.6.1"], "http://loinc.org"),
        ("half_width", ["ＡＢ　"], "AB"),
        ("part_of", ["120/80", "/", 1], "120"),
    ],
)
def test_a_named_function_gives_its_value(name: str, parameters: list[Any], expected: Any) -> None:
    """Each function on its usual, odd and absent values."""
    assert functions_by_name()[name].call(*parameters) == expected


@pytest.mark.parametrize("name", ["date_from_ts", "datetime_from_ts", "instant_from_ts"])
@pytest.mark.parametrize("text", ["20241301", "20240230", "yesterday", "00000000", "2024050625"])
def test_a_timestamp_that_is_none_is_an_issue(name: str, text: str) -> None:
    """FB-2126; a date is never guessed."""
    found = functions_by_name()[name].call(text)
    assert isinstance(found, Issue)
    assert found.code == "FB-2126"


def test_a_named_uuid_is_the_same_for_the_same_parts() -> None:
    """What makes a resent message harmless."""
    named = functions_by_name()["named_uuid"].call
    assert named("a", "b") == named("a", "b") != named("a", "c")


def test_every_function_says_what_it_does() -> None:
    """The first line of its docstring is its description in the docs."""
    assert all(one.summary.endswith(".") or one.summary for one in functions_by_name().values())
