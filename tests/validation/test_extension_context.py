"""An extension stands where its definition says, and modifies only where it says so."""

from typing import Any

import pytest

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import Resource, definitions
from fhir_bridge.validation import Validator

URL = "https://hospital.example/StructureDefinition/note"
AROUND = "https://hospital.example/StructureDefinition/around"
NOTE = {"url": URL, "valueString": "x"}


def _definition(*contexts: tuple[str, str], is_modifier: bool = False) -> Resource:
    return {
        "resourceType": "StructureDefinition",
        "url": URL,
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "context": [{"type": kind, "expression": text} for kind, text in contexts],
        "differential": {
            "element": [{"id": "Extension", "path": "Extension", "isModifier": is_modifier}]
        },
    }


def _faults(definition: Resource, **patient: Any) -> list[tuple[str, str]]:
    validator = Validator(definitions(), Profiles([definition]))
    issues = validator.check({"resourceType": "Patient", **patient})
    return [(issue.code, issue.where) for issue in issues]


def test_a_fhirpath_context_admits_what_it_selects():
    """The address at home, and no other object of the same type."""
    definition = _definition(("fhirpath", "Patient.address.where(use = 'home')"))

    assert [] == _faults(definition, address=[{"use": "home", "extension": [NOTE]}])
    assert [("FB-3017", "Patient.address[0].extension[0]")] == _faults(
        definition, address=[{"use": "old", "extension": [NOTE]}, {"use": "home"}]
    )


def test_a_fhirpath_context_admits_no_primitive_unless_it_selects_one():
    """The companion of ``active`` is not an address."""
    definition = _definition(("fhirpath", "Patient.address"))
    companion = {"active": True, "_active": {"extension": [NOTE]}}

    assert [("FB-3017", "Patient.active.extension[0]")] == _faults(definition, **companion)
    assert [] == _faults(_definition(("fhirpath", "Patient.active")), **companion)


def test_an_extension_inside_of_another_stands_on_it_or_on_its_value():
    """The context of type extension names the URL around it."""
    definition = _definition(("extension", AROUND))
    on_value = {"url": AROUND, "valueBoolean": True, "_valueBoolean": {"extension": [NOTE]}}

    assert [] == _faults(definition, extension=[{"url": AROUND, "extension": [NOTE]}])
    assert [] == _faults(definition, extension=[on_value])
    assert ["FB-3017"] == [code for code, _ in _faults(definition, extension=[NOTE])]


@pytest.mark.parametrize(
    ("is_modifier", "key", "expected"),
    [
        (False, "extension", []),
        (True, "modifierExtension", []),
        (True, "extension", [("FB-3017", "Patient.extension[0]")]),
        (False, "modifierExtension", [("FB-3017", "Patient.modifierExtension[0]")]),
    ],
)
def test_what_modifies_stands_among_modifiers(is_modifier, key, expected):
    """Who skips an unknown modifier must stop; who skips another extension may go on."""
    definition = _definition(("element", "Patient"), is_modifier=is_modifier)

    assert expected == _faults(definition, **{key: [NOTE]})
