"""The fast path answers as the interpreter does, and falls back when input has another shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from fhir_bridge import fhirpath
from fhir_bridge.codegen import FALLBACKS
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions, parse_json_value
from fhir_bridge.fhirpath.writing import Written, write
from fhir_bridge.fhirpath_values import fhir_name, plain_of
from tests.fhirpath.test_properties import EXPRESSIONS, PATIENT


def _slow(compiled: fhirpath.Expression, node: Any) -> Any:
    try:
        items = compiled.items(node)
    except BridgeError as error:
        return error.code
    return [(fhir_name(item), plain_of(item)) for item in items if plain_of(item) is not None]


def _fast(text: str, resource_type: str, node: Any) -> Any:
    """The generated function's answer; None when there is none or it falls back."""
    written = _written(text, resource_type)
    try:
        return written.call(node) if isinstance(written, Written) else None
    except FALLBACKS:
        return None


def _written(text: str, resource_type: str) -> Any:
    return write(fhirpath.compile(text, definitions=definitions()).form(resource_type), typed=True)


def test_search_parameters_over_the_examples(shared: Path) -> None:
    """Every R4 search parameter on examples of its type: same types, same values."""
    facts = definitions()
    count = 0
    for path in sorted((shared / "conformance/examples/r4").glob("*.ndjson")):
        lines = path.read_bytes().splitlines()[:6]
        for line in lines:
            resource = parse_json_value(line)
            for parameter in facts.search_parameters_of(resource.get("resourceType", "")).values():
                if not parameter.expression or "resourceType" not in resource:
                    continue
                compiled = fhirpath.compile(parameter.expression, definitions=facts)
                fast = _fast(parameter.expression, resource["resourceType"], resource)
                if fast is not None:
                    count += 1
                    assert fast == _slow(compiled, resource), parameter.expression
    assert count > 3000


def test_invariants_over_the_examples(shared: Path) -> None:
    """Every invariant of a resource type on examples of it: same answers."""
    facts = definitions()
    count = 0
    for path in sorted((shared / "conformance/examples/r4").glob("*.ndjson")):
        for line in path.read_bytes().splitlines()[:4]:
            resource = parse_json_value(line)
            shape = facts.types.get(resource.get("resourceType", ""))
            for constraint in shape.constraints if shape else ():
                compiled = fhirpath.compile(constraint.expression, definitions=facts)
                fast = _fast(constraint.expression, resource["resourceType"], resource)
                if fast is not None:
                    count += 1
                    assert fast == _slow(compiled, resource), constraint.expression
    assert count > 1000


_CONDITIONS = [
    "name.exists(use = 'official')",
    "name.where(use = 'official' and family.exists()).given.first()",
    "name[0].family",
    "active and gender = 'male'",
    "name.all(family.exists())",
    "name.count() > 1",
    "gender in ('male' | 'female')",
    "gender.startsWith('m') xor active.not()",
    "multipleBirth.ofType(integer) > 1",
    "(deceased as boolean) = true",
    "telecom.where(system != 'phone').value",
    "identifier.where(system = %ucum).value | id",
    "extension('u').value",
    "contained.contained.empty()",
    "birthDate.hasValue()",
    "managingOrganization.where(resolve() is Organization).reference",
    "name.family.matches('^C')",
    "name.where(use = '\\'+str(1/0)+\\'').family",
    "name.family.matches('[{}\"]') or gender in ('{value}' | '\\n\\'')",
    "extension('{0}\\')').value",
]
_PATIENTS: list[dict[str, Any]] = [
    {},
    {"name": [{"use": "official", "family": "Ch", "given": ["a", "b"]}, {"use": "usual"}]},
    {"name": {"use": "official", "family": "not a list"}},
    {"name": ["text"], "gender": ["male"], "active": "yes"},
    {"name": [None, {"use": "official", "_family": {"id": "x"}, "given": [None, "z"]}]},
    {"name": [{"use": "official", "family": ["A", "C"], "given": "no list"}]},
    {"active": True, "gender": "male", "_gender": {"id": "g"}, "multipleBirthInteger": 2},
    {"deceasedBoolean": True, "telecom": [{"system": "email", "value": "e"}, {"value": "n"}]},
    {
        "id": "1",
        "identifier": [{"system": "http://unitsofmeasure.org", "value": "1"}, {"value": 2}],
    },
    {"extension": [{"url": "u", "valueString": "s"}, {"url": "w"}], "birthDate": "1970"},
    {"contained": [{"resourceType": "Patient", "contained": [{}]}], "_birthDate": {"id": "b"}},
    {"managingOrganization": {"reference": "Organization/o"}},
    {"managingOrganization": {"reference": "urn:uuid:1", "type": "Organization"}},
]


@pytest.mark.parametrize("text", _CONDITIONS)
def test_any_shape_of_input_gets_the_interpreters_answer(text: str) -> None:
    """Broken shapes fall back instead of a wrong answer."""
    compiled = fhirpath.compile(text, definitions=definitions())
    for part in _PATIENTS:
        patient = {"resourceType": "Patient", **part}
        fast = _fast(text, "Patient", patient)
        if fast is not None:
            assert fast == _slow(compiled, patient), patient


@settings(max_examples=300, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSIONS)
def test_generated_expressions_get_the_interpreters_answer(text: str) -> None:
    """Where a generated expression has a fast path, both engines agree."""
    try:
        compiled = fhirpath.compile(text, definitions=definitions())
    except BridgeError:
        return
    fast = _fast(text, "Patient", PATIENT)
    if fast is not None:
        assert fast == _slow(compiled, PATIENT)


@pytest.mark.parametrize("text", ["name.ofType(Patient)[2.50]", "name.ofType(Patient)['a']"])
def test_a_wrong_position_is_an_error_also_where_nothing_stands(text: str) -> None:
    """The fast path leaves it to the interpreter."""
    assert _fast(text, "Patient", PATIENT) is None


@pytest.mark.parametrize("text", _CONDITIONS)
def test_the_conditions_of_this_test_are_written(text: str) -> None:
    """The expressions above really have a fast path."""
    written = _written(text, "Patient")
    assert isinstance(written, Written), written
    assert isinstance(written.call({"resourceType": "Patient"}), list)


def test_a_refusal_has_its_place_on_the_fast_path_too() -> None:
    """However often an expression has run, a refused pattern names line and column."""
    compiled = fhirpath.compile("Patient.id.matches('(?=a)')", definitions=definitions())
    for _ in range(5):
        with pytest.raises(BridgeError) as caught:
            compiled({"resourceType": "Patient", "id": "a" * 40})
        assert caught.value.issues[0].where == "line 1, column 12"


def test_no_node() -> None:
    """Without a node the collection is empty, however often an expression was asked."""
    for text in ("$this", "$this = 'a'", "$this | $this", "a"):
        expression = fhirpath.compile(text)
        assert [expression(None) for _ in range(5)] == [[]] * 5
        assert [expression.typed(None) for _ in range(5)] == [[]] * 5
