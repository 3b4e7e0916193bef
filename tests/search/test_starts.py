"""Which elements the expression of a search parameter starts from."""

from __future__ import annotations

import pytest

from fhir_bridge.fhir import definitions
from fhir_bridge.fhirpath import parse
from fhir_bridge.search.element_types import element_type, element_types
from fhir_bridge.search.starts import looks_away, start_keys


@pytest.mark.parametrize(
    ("expression", "keys"),
    [
        ("Observation.code", {"code"}),
        ("Observation.code | (Observation.component.code as CodeableConcept)", {"code", "component"}),
        ("(Observation.subject | Observation.focus).where(resolve() is Patient)", {"subject", "focus"}),
        ("Observation.component[0].code.coding.where(system.exists()).first()", {"component"}),
        ("Observation.extension('urn:x').value", {"extension"}),
    ],
)  # fmt: skip
def test_a_path_starts_from_the_element_behind_the_type(expression: str, keys: set[str]) -> None:
    """Filters, casts, indexes and brackets lead no further than their start."""
    assert start_keys(definitions(), "Observation", parse(expression)) == keys


def test_a_choice_starts_from_each_of_its_keys() -> None:
    """In JSON the type is part of the key."""
    keys = start_keys(definitions(), "Observation", parse("Observation.effective"))

    assert keys is not None
    assert {"effectiveDateTime", "effectivePeriod"} <= keys


@pytest.mark.parametrize(
    "expression",
    [
        "Observation",
        "code",
        "Observation.code.exists()",
        "Observation.code.empty().not()",
        "Observation.code.exists() and Observation.value != false",
        "Observation.code | %resource.subject",
        "Observation.component.count()",
    ],
)
def test_an_expression_that_may_hold_without_its_element_has_no_start(expression: str) -> None:
    """It is evaluated on every resource."""
    assert start_keys(definitions(), "Observation", parse(expression)) is None


def test_a_sign_in_a_text_is_no_variable() -> None:
    """What an expression reads is told by its tree and not by its letters."""
    assert not looks_away(parse("code.where(text = '100 % | resolve()')"))
    assert looks_away(parse("code.where(text = %resource.id)"))
    assert looks_away(parse("subject.where(resolve() is Patient)"))


def test_the_types_of_a_union_are_those_of_its_plain_members() -> None:
    """A bar in a text parts nothing; what is no plain path has no type."""
    expression = "Observation.code | Observation.component.where(code.text = 'a|b')"

    assert element_types(definitions(), expression) == {"CodeableConcept", None}
    assert element_type(definitions(), parse("Observation.component")) == "Observation.component"
