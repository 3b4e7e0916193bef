"""Units: the suite, laws of conversion, special and arbitrary units."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_bridge import ucum
from fhir_bridge.errors import BridgeError
from tests.conformance import ucum as suite


def test_public_suite(shared: Path) -> None:
    """Every case of the UCUM functional tests passes."""
    results = list(suite.run(shared / "conformance/ucum"))
    assert len(results) > 400
    assert [result for result in results if result.outcome != "passed"] == []


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        ("1", "[in_i]", "cm", "2.54"),
        ("37", "Cel", "K", "310.15"),
        ("98.6", "[degF]", "Cel", "37"),
        ("7", "[pH]", "mol/L", "1E-7"),
        ("1", "dB", "B", "0.1"),
        ("120", "mm[Hg]", "kPa", "15.99864"),
        ("5.5", "mmol/L", "umol/L", "5500"),
        ("10", "[iU]/mL", "k[IU]/L", "10"),
        ("1", "[iU]", "g", None),
        ("9.80665", "m/s2", "[g]", "1"),
        ("90", "/min", "Hz", "1.5"),
        ("1", "cm", "s", None),
        ("1", "nonsense", "nonsense", None),
    ],
)
def test_conversion(value: str, source: str, target: str, expected: str | None) -> None:
    """Known pairs, special units, and pairs that do not fit."""
    found = ucum.convert(Decimal(value), source, target)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert abs(found - Decimal(expected)) <= abs(Decimal(expected)) * Decimal("1e-12")


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("1.5", "kg", ("1500", "g")),
        ("1", "N", ("1000", "g.m.s-2")),
        ("10", "%", ("0.1", "1")),
        ("3", "{tablets}", ("3", "1")),
        ("2", "k[IU]", ("2000", "[iU]")),
        ("20", "Cel", ("293.15", "K")),
    ],
)
def test_canonical_form(value: str, unit: str, expected: tuple[str, str]) -> None:
    """One canonical unit for all units that compare."""
    found = ucum.canonical(Decimal(value), unit)
    assert found is not None
    assert (str(found[0]), found[1]) == expected


def test_a_text_that_is_no_unit_is_refused_with_the_reason() -> None:
    """parse() says why; the value functions answer None."""
    with pytest.raises(BridgeError) as caught:
        ucum.parse("mg/12h")
    assert caught.value.code == "FB-2020"
    assert ucum.canonical(Decimal(1), "mg/12h") is None


_UNITS = st.sampled_from(
    ["mg/dL", "mmol/L", "10*3/uL", "kg.m/s2", "cm[H2O]", "d", "[lb_av]", "kPa"]
)


@given(st.decimals(-1000000, 1000000, places=4), _UNITS, _UNITS)
def test_there_and_back_is_the_same(value: Decimal, source: str, target: str) -> None:
    """Converting to another unit and back gives the value again."""
    there = ucum.convert(value, source, target)
    assert (there is not None) is ucum.comparable(source, target)
    if there is not None:
        back = ucum.convert(there, target, source)
        assert back is not None
        assert abs(back - value) <= abs(value) * Decimal("1e-25")


@given(st.text(alphabet="mgkLs/.{}[]()0123*^-+ uU%'", max_size=30))
def test_any_text_is_a_unit_or_is_refused(text: str) -> None:
    """No other outcome for any text."""
    try:
        ucum.parse(text)
        code = ""
    except BridgeError as error:
        code = error.code
    assert code in ("", "FB-2020")
    assert (ucum.canonical(Decimal(1), text) is not None) == ucum.is_valid(text)


@pytest.mark.parametrize(
    ("left", "right", "sign", "expected"),
    [
        ("cm", "cm", 1, "cm2"),
        ("cm", "cm2", 1, "cm3"),
        ("m/s", "s", 1, "m"),
        ("mg/dL", "dL", 1, "mg"),
        ("mg", "mL", -1, "mg/mL"),
        ("1", "s", -1, "/s"),
        ("kg.m", "s2", -1, "kg.m/s2"),
        ("mg", "mg", -1, "1"),
        ("(kg.m)2", "m", -1, "kg2.m"),
        ("cm", "m", 1, None),  # two words for one dimension: only base units will do
        ("N", "m", 1, None),
        ("mg{creat}", "d", -1, None),
        ("nonsense", "d", -1, None),
    ],
)
def test_units_of_products(left: str, right: str, sign: int, expected: str | None) -> None:
    """A product keeps the words of its units where no two of them measure the same."""
    assert ucum.combined_unit(left, right, sign) == expected
