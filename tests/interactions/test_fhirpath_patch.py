"""FHIRPath Patch: what the public suite does not say."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions.patch.fhirpath_patch import apply_fhirpath_patch

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "name": [{"use": "official", "given": ["A", "B"]}, {"use": "usual", "given": ["C"]}],
    "birthDate": "2000-01-01",
    "_birthDate": {"extension": [{"url": "urn:x", "valueString": "a"}]},
}


def operation(kind: str, **parts: Any) -> dict[str, Any]:
    """A Parameters resource of one operation; a part is (value key, value) or text."""
    listed: list[dict[str, Any]] = [{"name": "type", "valueCode": kind}]
    for name, value in parts.items():
        if isinstance(value, str):
            listed.append({"name": name, "valueString": value})
        elif isinstance(value, int):
            listed.append({"name": name, "valueInteger": value})
        else:
            listed.append({"name": name, **value})
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": listed}]}


def test_a_value_that_is_replaced_keeps_what_the_element_says_beside_it() -> None:
    """Its extensions, unless the new value brings its own."""
    new = {"name": "value", "valueDate": "2001-02-03"}
    parts = {"path": "Patient.birthDate", "value": new}
    after = apply_fhirpath_patch(PATIENT, operation("replace", **parts))
    assert ("2001-02-03", PATIENT["_birthDate"]) == (after["birthDate"], after["_birthDate"])

    new["_valueDate"] = {"id": "other"}
    after = apply_fhirpath_patch(PATIENT, operation("replace", **parts))
    assert {"id": "other"} == after["_birthDate"]


def test_a_filter_chooses_the_element() -> None:
    """``where`` is answered by FHIRPath, the place is still known."""
    path = "Patient.name.where(use = 'usual').given[0]"
    after = apply_fhirpath_patch(PATIENT, operation("replace", path=path, value="D"))
    assert ["D"] == after["name"][1]["given"]
    assert ["C"] == PATIENT["name"][1]["given"]


def test_a_primitive_is_chosen_by_its_value() -> None:
    """A filter works on strings too."""
    path = "Patient.name[0].given.where($this = 'B')"
    after = apply_fhirpath_patch(PATIENT, operation("delete", path=path))
    assert ["A"] == after["name"][0]["given"]


def test_an_extension_of_a_primitive_is_reached() -> None:
    """``birthDate.extension`` stands under ``_birthDate``."""
    path = "Patient.birthDate.extension('urn:x')"
    after = apply_fhirpath_patch(PATIENT, operation("delete", path=path))
    assert "_birthDate" not in after
    assert "2000-01-01" == after["birthDate"]


def test_replacing_a_choice_changes_its_key() -> None:
    """A Quantity becomes a string without leaving the old key behind."""
    observation = {"resourceType": "Observation", "valueQuantity": {"value": 1}}
    after = apply_fhirpath_patch(
        observation, operation("replace", path="Observation.value", value={"valueString": "x"})
    )
    assert {"resourceType": "Observation", "valueString": "x"} == after


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        (operation("replace", path="Patient.gender", value={"valueCode": "male"}), "FB-4021"),
        (operation("replace", path="Patient.name", value={"valueHumanName": {}}), "FB-4023"),
        (operation("delete", path="Patient.name"), "FB-4023"),
        (operation("delete", path="Patient"), "FB-4023"),
        (operation("delete", path="Patient.nonsense"), "FB-4023"),
        (operation("delete", path="Patient.name[0"), "FB-4023"),
        (operation("delete", path="Patient.name.where(((("), "FB-4023"),
        (
            operation("add", path="Patient", name="birthDate", value={"valueDate": "1999"}),
            "FB-4023",
        ),
        (operation("add", path="Patient", name="name", value={"valueString": "x"}), "FB-4023"),
        (operation("move", path="Patient.name", source=0, destination=9), "FB-4021"),
        (
            operation("insert", path="Patient.name", index=5, value={"valueHumanName": {}}),
            "FB-4021",
        ),
        (operation("turn", path="Patient"), "FB-4020"),
        ({"resourceType": "Bundle"}, "FB-4020"),
    ],
)
def test_what_cannot_be_done_has_its_code(patch: dict[str, Any], code: str) -> None:
    """Every refusal names its operation and changes nothing."""
    with pytest.raises(BridgeError) as raised:
        apply_fhirpath_patch(PATIENT, patch)
    assert code == raised.value.code
