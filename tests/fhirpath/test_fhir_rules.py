"""What FHIR adds to FHIRPath or changes in it (https://hl7.org/fhir/R4/fhirpath.html)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {
        "coding": [{"system": "S", "code": "a", "display": "A"}, {"system": "T", "code": "b"}],
        "text": "t",
    },
    "category": [{"coding": [{"system": "S", "code": "a", "display": "other", "id": "x"}]}],
    "_effectiveDateTime": {"extension": [{"url": "u", "valueCode": "unknown"}]},
    "valueQuantity": {
        "value": 5,
        "unit": "mg",
        "system": "http://unitsofmeasure.org",
        "code": "mg",
    },
    "referenceRange": [
        {"low": {"value": 1, "unit": "drops"}, "high": {"value": 2, "unit": "drops"}},
        {"low": {"value": 3, "code": "u"}, "high": {"value": 2, "code": "u"}},
        {"low": {"value": 3, "system": "S", "code": "u"}, "high": {"value": 2, "unit": "u"}},
    ],
}
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "entry": [
        {
            "fullUrl": "urn:uuid:1",
            "resource": {"resourceType": "Patient", "id": "p", "name": [{"family": "F"}]},
        },
        *(
            {
                "resource": {
                    "resourceType": "Observation",
                    "id": name,
                    "subject": {"reference": "urn:uuid:1"},
                    "performer": [{"reference": "#c"}],
                    "hasMember": [{"reference": "Observation/o2/_history/1"}],
                    "contained": [
                        {"resourceType": "Practitioner", "id": "c", "name": [{"text": name}]}
                    ],
                }
            }
            for name in ("o1", "o2")
        ),
    ],
}


def answer(text: str, node: Any) -> Any:
    """The plain result, or the code of the refusal."""
    try:
        return fhirpath.compile(text, definitions=definitions())(node)
    except BridgeError as error:
        return error.code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # concepts share a coding; codings agree in system and code; ids do not count
        ("code ~ category", [True]),
        ("code.coding[0] ~ category.coding[0]", [True]),
        ("code.coding[0] = category.coding[0]", [False]),
        ("code.coding[0] ~ code.coding[1]", [False]),
        # quantities that are not UCUM's are ordered within one unit
        ("referenceRange[0].select(low <= high)", [True]),
        ("referenceRange[1].select(low <= high)", [False]),
        ("referenceRange[2].select(low <= high)", []),
        ("value > 4 'mg'", [True]),
        # products keep the units that were written
        ("(value * 2).toString()", ["10 'mg'"]),
        ("(value / 2 'mL').toString()", ["2.5 'mg/mL'"]),
        ("(1 'mg/mL' * 2 'mL').toString()", ["2 'mg'"]),
        ("(1 'cm' * 1 'm').toString()", ["0.01 'm2'"]),
        ("(37 'Cel' * 2).exists()", [False]),
        # an element that has only extensions
        ("effective.exists()", [True]),
        ("effective.hasValue()", [False]),
        ("effective is dateTime", [True]),
        ("effective > @2020", []),
        ("effective.toString()", []),
    ],
)
def test_observation(text: str, expected: list[Any]) -> None:
    """Equivalence, quantities and elements without a value."""
    assert answer(text, OBSERVATION) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("entry.resource.ofType(Observation).subject.resolve().name.family", ["F", "F"]),
        ("entry[1].resource.performer.resolve().name.text", ["o1"]),
        ("entry[2].resource.performer.resolve().name.text", ["o2"]),
        ("entry[1].resource.hasMember.resolve().id", ["o2"]),
    ],
)
def test_references_inside_a_bundle(text: str, expected: list[Any]) -> None:
    """Entries are found by fullUrl, type and id; contained resources in their own entry."""
    assert answer(text, BUNDLE) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Observation { status: 'final', value: 5 'mg' }.value.unit", ["mg"]),
        ("Observation { value: true }.value is boolean", [True]),
        ("HumanName { given: 'a' | 'b' }.given.count()", [2]),
        ("HumanName { family: 'a' | 'b' }", "FB-2005"),
        ("HumanName { nonsense: 'a' }", "FB-2004"),
        ("Nonsense { a: 1 }", "FB-2004"),
        ("HumanName { family: {} }.exists()", [True]),
        ("HumanName { family: {} }.family.exists()", [False]),
        ("Period {:}", [{}]),
        ("code { value: 'a', id: 'b' }.id", ["b"]),
        ("code { value: 'a' } is code", [True]),
        ("Observation { effective: %context.effective }.effective.extension.url", ["u"]),
        ("(code.coding).select(Coding { code: code }).code", ["a", "b"]),
        ("code.coding.Coding { code: code }", "FB-2004"),
        ("Coding { code: 'a' 'b' }", "FB-2001"),
    ],
)
def test_instance_selectors(text: str, expected: Any) -> None:
    """A new structure has the shape of its type; wrong names are refused with a place."""
    assert answer(text, OBSERVATION) == expected


def test_terminologies_subsumes() -> None:
    """``%terminologies.subsumes`` passes its arguments on and answers the code."""

    class Service:
        def call(self, operation: str, arguments: list[Any]) -> Any:
            return [operation, *arguments][0]

    environment = fhirpath.Environment(terminologies=Service())
    compiled = fhirpath.compile("%terminologies.subsumes('s', 'a', 'b')", definitions=definitions())
    assert compiled(OBSERVATION, environment=environment) == ["subsumes"]
