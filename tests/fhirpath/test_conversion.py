"""Conversions and the choice between two results."""

import pytest

from fhir_bridge.fhirpath import compile as compile_expression


@pytest.mark.parametrize(
    ("expected", "expression"),
    [
        ([True], "{}.iif(empty(), true, false)"),
        ([True], "contact.iif(empty(), true, false)"),
        (["Zhang"], "name.iif(family.exists(), family, 'none')"),
    ],
)
def test_the_criterion_of_iif_sees_its_input_also_when_that_is_empty(expected, expression):
    """An empty input is not replaced by what surrounds it (ctm-1 of CareTeam rests on it)."""
    patient = {"resourceType": "Patient", "name": [{"family": "Zhang"}]}

    assert expected == compile_expression(expression)(patient)
