"""Which identifiers may link, by the rules that ship."""

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.identity import load_rules, mod11_2_holds

NATIONAL = "urn:oid:2.16.156.10011.1.3"


@pytest.fixture(scope="module")
def national():
    """The rule of the citizen identification number."""
    return load_rules(Artifacts()).verified[NATIONAL]


def test_a_number_that_agrees_with_birth_date_and_sex_is_verified(national):
    """The published specimen number of GB 11643 belongs to a woman born on 1949-12-31."""
    patient = {"birthDate": "1949-12-31", "gender": "female"}

    assert national.holds("11010519491231002X", patient)


@pytest.mark.parametrize(
    ("value", "patient"),
    [
        ("110105194912310021", {}),
        ("11010519491231002X", {"birthDate": "2019-12-31"}),
        ("11010519491231002X", {"gender": "male"}),
        ("11010519491231002", {}),
        ("110105194912310000", {}),
        ("１1010519491231002X", {}),
    ],
    ids=["check", "guardian's", "sex", "short", "rounded", "full-width"],
)
def test_a_number_that_is_not_the_persons_own_is_not_verified(national, value, patient):
    """Wrong check, another's birth date or sex, or another form: never verified."""
    assert not national.holds(value, patient)


def test_every_one_digit_slip_is_found():
    """MOD 11-2 finds each single substitution."""
    right = "11010519491231002X"
    for place in range(17):
        for digit in "0123456789":
            if digit != right[place]:
                assert not mod11_2_holds(right[:place] + digit + right[place + 1 :])
