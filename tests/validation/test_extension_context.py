"""An extension stands where its definition says, and modifies only where it says so."""

from typing import Any

import pytest

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import Resource, definitions
from fhir_bridge.validation import Strictness, Validator

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


def test_an_extension_of_r4_is_judged_by_its_own_definition():
    """Nobody needs to install what R4 itself defines: where it stands, and what is inside."""
    animal = "http://hl7.org/fhir/StructureDefinition/patient-animal"
    species = {"url": "species", "valueCodeableConcept": {"text": "dog"}}
    whole = {"url": animal, "extension": [species]}
    definition = _definition()

    assert [] == _faults(definition, extension=[whole])
    assert [("FB-3015", "Patient.extension[0]")] == _faults(
        definition, extension=[{"url": animal, "extension": [{**species, "url": "breed"}]}]
    )
    assert ("FB-3017", "Patient.name[0].extension[0]") in _faults(
        definition, name=[{"family": "a", "extension": [whole]}]
    )


def test_the_parts_of_an_extension_are_those_of_its_definition():
    """A relative URL means something only inside, and only what the definition says."""
    animal = "http://hl7.org/fhir/StructureDefinition/patient-animal"
    species = {"url": "species", "valueCodeableConcept": {"text": "dog"}}
    stranger = {"url": "colour", "valueString": "black"}

    assert [("FB-3017", "Patient.extension[0].extension[1]")] == _faults(
        _definition(), extension=[{"url": animal, "extension": [species, stranger]}]
    )
    assert [("FB-3017", "Patient.extension[0]")] == _faults(_definition(), extension=[stranger])


def test_a_context_invariant_must_hold_where_the_extension_stands():
    """Only on a name with a family; the rule sees the extension too."""
    rule = "family.exists() and %extension.value = 'x'"
    definition = _definition(("element", "HumanName")) | {"contextInvariant": [rule]}

    assert [] == _faults(definition, name=[{"family": "Li", "extension": [NOTE]}])
    assert [("FB-3017", "Patient.name[0].extension[0]")] == _faults(
        definition, name=[{"text": "Li", "extension": [NOTE]}]
    )


@pytest.mark.parametrize("answer", ["allowed", "warning", "error"])
def test_what_comes_of_an_unknown_extension_is_a_setting(answer):
    """HL7's own beyond R4 and those of example domains are never refused."""
    validator = Validator(
        definitions(), Profiles(), strictness=Strictness(unknown_extensions=answer)
    )
    urls = [
        "https://hospital.test/x",
        "http://example.org/x",
        "http://hl7.org/fhir/StructureDefinition/x",
    ]
    patient = {
        "resourceType": "Patient",
        "extension": [{"url": url, "valueString": "x"} for url in urls],
    }
    found = [(issue.severity, issue.where) for issue in validator.check(patient)]

    assert found == ([] if answer == "allowed" else [(answer, "Patient.extension[0]")])


def test_the_url_of_an_extension_has_no_version():
    """It names the extension, whatever its version."""
    versioned = {**NOTE, "url": f"{URL}|1.0"}

    assert [("FB-3017", "Patient.extension[0]")] == _faults(
        _definition(("element", "Patient")), extension=[versioned]
    )
