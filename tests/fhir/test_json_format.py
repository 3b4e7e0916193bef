"""FHIR JSON: lossless, bounded, strict."""

import copy
import pickle
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import (
    parse_json,
    parse_json_lines,
    parse_json_value,
    render_json,
    written_decimal,
)


@pytest.mark.parametrize(
    "text", ["1.0", "1.10", "1e2", "1E2", "-0.0", "0.000000168", "1.0e-3", "12345678901234567890.5"]
)
def test_a_decimal_renders_with_the_text_it_came_with(text: str) -> None:
    """Precision is meaning: 1.10 is not 1.1."""
    data = f'{{"value":{text}}}'.encode()

    assert data == render_json(parse_json(data))


def test_a_written_decimal_is_a_decimal_and_survives_copies() -> None:
    """Arithmetic works on the value, copies and pickles keep the text."""
    value = written_decimal("1e2")

    assert Decimal(100) == value
    for other in (copy.deepcopy(value), copy.copy(value), pickle.loads(pickle.dumps(value))):
        assert b"1e2" == render_json(other)


def test_whole_numbers_stay_whole_however_long() -> None:
    """30 digits are not turned into a float."""
    data = b'{"value":123456789012345678901234567890}'

    assert data == render_json(parse_json(data))


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"a" : 1, "a" : 2}',
        '{"a":{"b":1,"b":1}}',
        '{"a":"\\":","b":1,"b":2}',
        '{"a":[{"b":1},{"b":1,"c":2,"c":3}]}',
    ],
)
def test_a_property_written_twice_is_refused(text: str) -> None:
    """A reader that keeps the last one hides the first one from whoever checked it."""
    with pytest.raises(BridgeError) as caught:
        parse_json(text)

    assert caught.value.code == "FB-1001"
    assert "twice" in str(caught.value)


@pytest.mark.parametrize(
    "text", ['{"a":"\\":"}', '{"a" :"x"}', '{"a":"b\\":c\\":d","e":[1]}', '{"\\"":1}']
)
def test_text_that_looks_like_a_property_is_no_property(text: str) -> None:
    """Quotes and colons inside of strings do not count."""
    assert parse_json(text)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[1]", b"null", b'{"a":NaN}', b'{"a":1,}', b'{"a":01}', b'{"a":"\xff"}', b'{"a":"\\ud800"}', b'{"a":1}x', b'{"a":1e99999999999999999999}'],
)  # fmt: skip
def test_what_is_not_a_json_object_is_refused(data: bytes) -> None:
    """Every fault has the same code and never another exception."""
    with pytest.raises(BridgeError) as caught:
        parse_json(data)

    assert caught.value.code == "FB-1001"


@pytest.mark.parametrize("depth", [101, 5_000, 200_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    """A hundred thousand brackets cost no stack."""
    with pytest.raises(BridgeError) as caught:
        parse_json_value(b"[" * depth + b"]" * depth)

    assert caught.value.code == "FB-1002"


def test_a_byte_order_mark_is_passed_over() -> None:
    """Windows tools write one."""
    assert {"a": 1} == parse_json(b'\xef\xbb\xbf{"a":1}')


def test_lines_are_read_one_by_one_and_a_bad_one_is_named() -> None:
    """Blank lines are skipped; the line number is the sender's."""
    lines = parse_json_lines(b'{"a":1}\n\n{"b":2}\n{"c":\n')

    assert [{"a": 1}, {"b": 2}] == [next(lines), next(lines)]
    with pytest.raises(BridgeError) as caught:
        next(lines)
    assert caught.value.issues[0].where == "line 4"


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(), _values))
def test_parsing_what_was_rendered_gives_the_same_values(value: dict[str, object]) -> None:
    """Parse after render is the identity, pretty or not."""
    assert value == parse_json(render_json(value))
    assert value == parse_json(render_json(value, pretty=True))


def test_the_torture_set_is_accepted_or_refused_as_published(shared: Path) -> None:
    """y_ files are read, n_ files refused; a duplicate property is refused on purpose."""
    folder = next((shared / "conformance/security/json").rglob("test_parsing"))
    wrong = []
    for path in sorted(folder.glob("*.json")):
        try:
            parse_json_value(path.read_bytes())
            accepted = True
        except BridgeError:
            accepted = False
        expected = {"y": True, "n": False}.get(path.name[0])
        if expected is not None and accepted != expected and "duplicated_key" not in path.name:
            wrong.append(path.name)

    assert [] == wrong
