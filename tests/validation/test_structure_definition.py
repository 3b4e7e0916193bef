"""Definitions themselves are judged by what they stand on."""

from pathlib import Path

import pytest

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions, parse_json
from fhir_bridge.validation import Validator
from tests.structure_definitions import R4, constraint

BASE = "https://hospital.example/StructureDefinition/base"
OURS = sorted((Path(__file__).parents[2] / "profiles").rglob("StructureDefinition-*.json"))


def _identified(*elements):
    return [{"id": element["path"], **element} for element in elements]


def _profile(*elements, url="https://hospital.example/StructureDefinition/x", **rest):
    listed = _identified({"path": "Observation"}, *elements)
    return constraint("Observation", listed, url=url, **rest)


VALIDATOR = Validator(
    definitions(),
    Profiles([_profile({"path": "Observation.status", "fixedCode": "final"}, url=BASE)]),
)  # fmt: skip


def _faults(resource):
    return [(issue.code, issue.where) for issue in VALIDATOR.check(resource)]


def _sliced(path, discriminator):
    slicing = {"discriminator": [{"type": "value", "path": discriminator}], "rules": "open"}
    return {"path": path, "slicing": slicing}


@pytest.mark.parametrize(
    "element",
    [
        {"path": "Observation.component.value[x]"},
        {"path": "Observation.valueQuantity.code"},
        {"path": "Observation.component.referenceRange.low"},
        _sliced("Observation.component", "code.coding.code"),
        _sliced("Observation.performer", "resolve().code"),
        _sliced("Observation.extension", "url"),
        _sliced("Observation.subject", "extension('https://hospital.example/e').value"),
    ],
)
def test_paths_of_r4_are_known(element):
    """Nested elements, forms of a choice, referenced content, paths of discriminators."""
    assert [] == _faults(_profile(element))


@pytest.mark.parametrize(
    ("element", "place"),
    [
        ({"path": "Observation.valueBla"}, ""),
        ({"path": "Observation.code.nonsense"}, ""),
        ({"path": "Patient.name"}, ""),
        (_sliced("Observation.component", "kind"), ".slicing.discriminator[0]"),
    ],
)
def test_paths_that_lead_nowhere_are_named(element, place):
    """A rule on an element that is not there would never be broken."""
    where = f"StructureDefinition.differential.element[1]{place}"

    assert ("FB-3030", where) in _faults(_profile(element))


def test_a_type_is_of_r4_or_an_absolute_url():
    """A bare name would mean another model at every author."""
    model = {"kind": "logical", "derivation": "specialization", "baseDefinition": f"{R4}Element"}
    url = "https://hospital.example/StructureDefinition/Bed"

    bare = _profile(**model, type="Bed", differential={"element": _identified({"path": "Bed"})})
    full = _profile(**model, type=url, differential={"element": _identified({"path": "Bed"})})

    assert [("FB-3030", "StructureDefinition.type")] == _faults(bare)
    assert [] == _faults(full)


def test_a_specialization_has_a_type_of_its_own():
    """Else it would redefine its base."""
    again = _profile(derivation="specialization")

    assert [("FB-3030", "StructureDefinition")] == _faults(again)


def test_a_fixed_value_of_the_base_stays():
    """Two different fixed values can never both hold."""
    element = {"path": "Observation.status", "fixedCode": "amended"}

    found = _faults(_profile(element, baseDefinition=BASE))

    assert [("FB-3030", "StructureDefinition.differential.element[1]")] == found


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_our_own_definitions_are_sound(path):
    """What we ship passes what we ask of others."""
    issues = VALIDATOR.check(parse_json(path.read_bytes()))

    assert [] == [str(issue) for issue in issues if issue.severity == "error"]
