"""What profiles may ask: slices by every discriminator, bounds, types, patterns."""

from typing import Any

import pytest

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import Resource, definitions
from fhir_bridge.validation import Validator

URL = "http://x.example/StructureDefinition/p"


def _profile(kind: str, *elements: dict[str, Any], url: str = URL, base: str = "") -> Resource:
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "type": kind,
        "baseDefinition": base or f"http://hl7.org/fhir/StructureDefinition/{kind}",
        "derivation": "constraint",
        "differential": {"element": list(elements)},
    }


def _element(identifier: str, **facts: Any) -> dict[str, Any]:
    path = ".".join(step.partition(":")[0] for step in identifier.split("."))
    return {"id": identifier, "path": path, **facts}


def _codes(resource: Resource, *profiles: Resource) -> list[str]:
    validator = Validator(definitions(), Profiles(profiles))
    return [issue.code for issue in validator.check(resource, [URL])]


def _observation(**more: Any) -> Resource:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, **more}


SYSTOLIC = {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ([{"code": SYSTOLIC, "valueQuantity": {"value": 120}}], []),
        ([{"code": {"text": "other"}}], ["FB-3015"]),
        ([{"code": SYSTOLIC}], ["FB-3003"]),
        ([{"code": SYSTOLIC, "valueString": "120"}], ["FB-3006"]),
        ([{"code": SYSTOLIC, "valueQuantity": {"value": 1}}] * 2, ["FB-3016"]),
    ],
)
def test_a_slice_by_pattern(component: list[dict[str, Any]], expected: list[str]) -> None:
    """Cardinality and content of the items that carry the code."""
    profile = _profile(
        "Observation",
        _element("Observation.component", slicing={"discriminator": [{"type": "pattern", "path": "code"}], "rules": "open"}),
        _element("Observation.component:systolic", sliceName="systolic", min=1, max="1"),
        _element("Observation.component:systolic.code", patternCodeableConcept=SYSTOLIC),
        _element("Observation.component:systolic.value[x]", min=1, type=[{"code": "Quantity"}]),
    )  # fmt: skip

    assert expected == _codes(_observation(component=component), profile)


def test_a_slice_by_type_of_a_choice() -> None:
    """A rule for one form of value[x] leaves the others alone."""
    profile = _profile(
        "Observation",
        _element("Observation.value[x]", slicing={"discriminator": [{"type": "type", "path": "$this"}], "rules": "open"}),
        _element("Observation.value[x]:valueQuantity", sliceName="valueQuantity", type=[{"code": "Quantity"}]),
        _element("Observation.value[x]:valueQuantity.unit", min=1),
    )  # fmt: skip

    assert [] == _codes(_observation(valueString="x"), profile)
    assert ["FB-3003"] == _codes(_observation(valueQuantity={"value": 1}), profile)


def test_a_slice_by_existence_and_a_closed_list() -> None:
    """Items that are in no slice are refused when the slicing is closed."""
    profile = _profile(
        "Patient",
        _element("Patient.identifier", slicing={"discriminator": [{"type": "exists", "path": "system"}], "rules": "closed"}),
        _element("Patient.identifier:known", sliceName="known"),
        _element("Patient.identifier:known.system", min=1),
    )  # fmt: skip

    assert [] == _codes({"resourceType": "Patient", "identifier": [{"system": "urn:x:y"}]}, profile)
    assert ["FB-3016"] == _codes(
        {"resourceType": "Patient", "identifier": [{"value": "1"}]}, profile
    )


def test_a_slice_by_profile_of_an_entry() -> None:
    """Entries of a Bundle told apart by what they conform to."""
    url = "http://x.example/StructureDefinition/named"
    named = _profile("Patient", _element("Patient.name", min=1), url=url)
    profile = _profile(
        "Bundle",
        _element("Bundle.entry", slicing={"discriminator": [{"type": "profile", "path": "resource"}], "rules": "open"}),
        _element("Bundle.entry:named", sliceName="named", min=1),
        _element("Bundle.entry:named.resource", type=[{"code": "Patient", "profile": [url]}]),
    )  # fmt: skip
    full_url = "urn:uuid:6f0c6c1e-6f8f-5d0e-9d51-6d2f7a1f4c10"

    def bundle(patient: Resource) -> Resource:
        return {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"fullUrl": full_url, "resource": patient}],
        }

    assert [] == _codes(
        bundle({"resourceType": "Patient", "name": [{"text": "x"}]}), profile, named
    )
    assert ["FB-3015"] == _codes(
        bundle({"resourceType": "Patient", "active": True}), profile, named
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"value": 5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}, []),
        ({"value": 500, "unit": "g", "system": "http://unitsofmeasure.org", "code": "g"}, ["FB-3027"]),
        ({"value": 11, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}, ["FB-3027"]),
        ({"value": 11, "unit": "stone"}, []),
    ],
)  # fmt: skip
def test_bounds_are_compared_in_their_units(value: dict[str, Any], expected: list[str]) -> None:
    """Grams are converted; a unit without meaning is not guessed."""

    def bound(number: int) -> dict[str, Any]:
        return {"value": number, "system": "http://unitsofmeasure.org", "code": "kg"}

    profile = _profile("Observation", _element("Observation.value[x]", type=[{"code": "Quantity"}], minValueQuantity=bound(1), maxValueQuantity=bound(10)))  # fmt: skip

    assert expected == _codes(_observation(valueQuantity=value), profile)


def test_fixed_values_patterns_and_lengths() -> None:
    """A fixed value is equal, a pattern is contained, a length is bounded."""
    profile = _profile(
        "Patient",
        _element("Patient.active", fixedBoolean=True),
        _element("Patient.maritalStatus", patternCodeableConcept={"text": "S"}),
        _element("Patient.name.text", maxLength=3),
    )

    assert [] == _codes({"resourceType": "Patient", "active": True, "maritalStatus": {"text": "S", "id": "1"}, "name": [{"text": "张三丰"}]}, profile)  # fmt: skip
    assert ["FB-3014"] == _codes({"resourceType": "Patient", "active": False}, profile)
    assert ["FB-3014"] == _codes(
        {"resourceType": "Patient", "maritalStatus": {"text": "M"}}, profile
    )
    assert ["FB-3027"] == _codes(
        {"resourceType": "Patient", "name": [{"text": "欧阳张三"}]}, profile
    )


def test_a_base_profile_is_judged_too() -> None:
    """A derived profile keeps what its base asks for."""
    base = _profile("Patient", _element("Patient.name", min=1), url="http://x.example/base")
    derived = _profile("Patient", _element("Patient.gender", min=1), base="http://x.example/base")

    assert ["FB-3003", "FB-3003"] == _codes(
        {"resourceType": "Patient", "active": True}, derived, base
    )


def test_a_profile_that_asks_for_itself_ends() -> None:
    """A circle of profiles is no endless recursion."""
    circle = _profile("Patient", _element("Patient.name", min=1), base=URL)

    assert ["FB-3003"] == _codes({"resourceType": "Patient"}, circle)


def test_a_rule_that_cannot_be_read_is_said_so() -> None:
    """A broken expression is never a passed one."""
    rule = {"key": "x-1", "severity": "error", "human": "x", "expression": "name.("}
    profile = _profile("Patient", _element("Patient", constraint=[rule]))

    assert ["FB-3021"] == _codes({"resourceType": "Patient"}, profile)


def test_an_invariant_may_ask_for_codes_and_profiles() -> None:
    """Terminology and profiles are answered from what is at hand."""
    value_set = {"resourceType": "ValueSet", "url": "http://x.example/vs", "compose": {"include": [{"system": "urn:x:y", "concept": [{"code": "a"}]}]}}  # fmt: skip
    rule = {"key": "x-1", "severity": "error", "human": "x", "expression": "maritalStatus.memberOf('http://x.example/vs')"}  # fmt: skip
    profile = _profile("Patient", _element("Patient", constraint=[rule]))

    def patient(code: str) -> Resource:
        return {
            "resourceType": "Patient",
            "maritalStatus": {"coding": [{"system": "urn:x:y", "code": code}]},
        }

    assert [] == _codes(patient("a"), profile, value_set)
    assert ["FB-3012"] == _codes(patient("b"), profile, value_set)


def test_an_extension_stands_where_its_context_says() -> None:
    """On the type, on the element, and nowhere else."""
    url = "http://x.example/StructureDefinition/e"
    extension = _profile("Extension", _element("Extension.url", fixedUri=url), url=url)
    extension["context"] = [
        {"type": "element", "expression": name} for name in ("Patient.gender", "HumanName")
    ]
    here = [{"url": url, "valueString": "x"}]
    profile = _profile("Patient")

    sound = {
        "resourceType": "Patient",
        "_gender": {"extension": here},
        "name": [{"extension": here}],
    }
    assert [] == _codes(sound, profile, extension)
    for faulty in (
        {"resourceType": "Patient", "extension": here},
        {"resourceType": "Patient", "_birthDate": {"extension": here}},
        {"resourceType": "Patient", "address": [{"extension": here}]},
    ):
        assert ["FB-3017"] == _codes(faulty, profile, extension)


def test_a_slice_by_type_of_what_stands_below() -> None:
    """Entries told apart by their resource, components by the form of their value."""
    entries = _profile(
        "Bundle",
        _element("Bundle.entry", slicing={"discriminator": [{"type": "type", "path": "resource"}], "rules": "open"}),
        _element("Bundle.entry:who", sliceName="who", min=1, max="1"),
        _element("Bundle.entry:who.resource", type=[{"code": "Patient"}, {"code": "Group"}]),
    )  # fmt: skip
    components = _profile(
        "Observation",
        _element("Observation.component", slicing={"discriminator": [{"type": "type", "path": "value"}], "rules": "open"}),
        _element("Observation.component:text", sliceName="text", max="1"),
        _element("Observation.component:text.value[x]", type=[{"code": "string"}]),
    )  # fmt: skip
    patient = {
        "fullUrl": "urn:uuid:6f0c6c1e-6f8f-5d0e-9d51-6d2f7a1f4c10",
        "resource": {"resourceType": "Patient"},
    }
    other = patient | {"fullUrl": "urn:uuid:7f0c6c1e-6f8f-5d0e-9d51-6d2f7a1f4c10"}
    text = {"code": {"text": "x"}, "valueString": "y"}
    number = {"code": {"text": "x"}, "valueInteger": 1}

    bundle = {"resourceType": "Bundle", "type": "collection"}
    assert [] == _codes(bundle | {"entry": [patient]}, entries)
    assert ["FB-3016"] == _codes(bundle | {"entry": [patient, other]}, entries)
    assert [] == _codes(_observation(component=[text, number, number]), components)
    assert ["FB-3016"] == _codes(_observation(component=[text, text]), components)


def test_a_discriminator_is_found_in_the_profile_of_a_datatype() -> None:
    """The slice names a profile, the profile fixes the value that tells."""
    url = "http://x.example/StructureDefinition/coding"
    coding = _profile("Coding", _element("Coding.system", fixedUri="urn:x:y"), url=url)
    profile = _profile(
        "Patient",
        _element("Patient.maritalStatus.coding", slicing={"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}),
        _element("Patient.maritalStatus.coding:own", sliceName="own", min=1, type=[{"code": "Coding", "profile": [url]}]),
    )  # fmt: skip

    def patient(system: str) -> Resource:
        return {
            "resourceType": "Patient",
            "maritalStatus": {"coding": [{"system": system, "code": "a"}]},
        }

    assert [] == _codes(patient("urn:x:y"), profile, coding)
    assert ["FB-3015"] == _codes(patient("urn:x:z"), profile, coding)


def test_a_value_may_have_a_least_length() -> None:
    """The extension minLength says it; R4 has no element of its own for it."""
    least = {"url": "http://hl7.org/fhir/StructureDefinition/minLength", "valueInteger": 3}
    profile = _profile("Patient", _element("Patient.language", extension=[least]))

    assert [] == _codes({"resourceType": "Patient", "language": "zh-CN"}, profile)
    assert ["FB-3027"] == _codes({"resourceType": "Patient", "language": "zh"}, profile)


def test_a_profile_of_a_primitive_is_judged() -> None:
    """``string.value`` of the profile is the JSON value itself."""
    inner = "http://x.example/StructureDefinition/inner"
    narrowed = _profile("string", _element("string.value", fixedString="inpatient"), url=inner)
    profile = _profile(
        "Observation",
        _element("Observation.code.text", type=[{"code": "string", "profile": [inner]}]),
    )

    assert [] == _codes(_observation(code={"text": "inpatient"}), profile, narrowed)
    assert ["FB-3014"] == _codes(_observation(), profile, narrowed)


def test_a_profile_may_mean_one_element_of_another() -> None:
    """A library of components, each named by its element (elementdefinition-profile-element)."""
    inner = "http://x.example/StructureDefinition/library"
    named = {
        "url": "http://hl7.org/fhir/StructureDefinition/elementdefinition-profile-element",
        "valueString": "Observation.component:systolic",
    }
    kind = {"code": "BackboneElement", "profile": [inner], "_profile": [{"extension": [named]}]}
    library = _profile(
        "Observation",
        _element("Observation.component:systolic", sliceName="systolic"),
        _element("Observation.component:systolic.code", patternCodeableConcept=SYSTOLIC),
        _element("Observation.component:systolic.value[x]", min=1),
        url=inner,
    )
    profile = _profile(
        "Observation",
        _element("Observation.component", slicing={"discriminator": [{"type": "pattern", "path": "code"}], "rules": "open"}),
        _element("Observation.component:one", sliceName="one", min=1, type=[kind]),
    )  # fmt: skip

    def fault(component: dict[str, Any]) -> list[str]:
        return _codes(_observation(component=[component]), profile, library)

    assert [] == fault({"code": SYSTOLIC, "valueQuantity": {"value": 1}})
    assert ["FB-3003"] == fault({"code": SYSTOLIC})
    assert ["FB-3015"] == fault({"code": {"text": "other"}})


def test_a_guide_may_ask_a_profile_of_all_resources_of_a_type() -> None:
    """``ImplementationGuide.global``: nobody has to claim it."""
    profile = _profile("Patient", _element("Patient.name", min=1))
    guide = {
        "resourceType": "ImplementationGuide",
        "url": "http://x.example/ImplementationGuide/g",
        "global": [{"type": "Patient", "profile": URL}],
    }
    validator = Validator(definitions(), Profiles([profile, guide]))

    assert ["FB-3003"] == [
        issue.code for issue in validator.check({"resourceType": "Patient", "active": True})
    ]


def test_a_rule_on_an_entry_sees_the_bundle() -> None:
    """``%context`` is the entry's resource; ``%resource`` and ``%rootResource`` are the Bundle."""
    rule = {
        "key": "x-1",
        "severity": "error",
        "human": "x",
        "expression": "%context is Patient and %resource is Bundle and %rootResource is Bundle",
    }
    profile = _profile("Bundle", _element("Bundle.entry.resource", constraint=[rule]))
    entry = {
        "fullUrl": "urn:uuid:6f0c6c1e-6f8f-5d0e-9d51-6d2f7a1f4c10",
        "resource": {"resourceType": "Patient", "active": True},
    }

    assert [] == _codes({"resourceType": "Bundle", "type": "collection", "entry": [entry]}, profile)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["8480-6", "8462-4"], []),
        (["8480-6"], ["FB-3015"]),
        (["8480-6", "8462-4", "8462-4"], ["FB-3016"]),
    ],
)
def test_a_slice_that_a_child_profile_adds_is_told_apart_as_its_base_says(
    codes: list[str], expected: list[str]
) -> None:
    """The discriminator stands in the base only; so does the slice that the child requires once."""
    slicing = {"discriminator": [{"type": "value", "path": "code"}], "rules": "open"}
    base_url = "http://x.example/StructureDefinition/base"
    base = _profile(
        "Observation",
        _element("Observation.component", slicing=slicing),
        _element("Observation.component:systolic", sliceName="systolic", min=1),
        _element("Observation.component:systolic.code", patternCodeableConcept=SYSTOLIC),
        url=base_url,
    )
    diastolic = {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]}
    child = _profile(
        "Observation",
        _element("Observation.component:diastolic", sliceName="diastolic", min=1, max="1"),
        _element("Observation.component:diastolic.code", patternCodeableConcept=diastolic),
        base=base_url,
    )
    component = [
        {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueString": "x"}
        for code in codes
    ]

    assert expected == _codes(_observation(component=component), child, base)


def _closed(path: str, kind: str, *slices: dict[str, Any]) -> Resource:
    slicing = {"discriminator": [{"type": kind, "path": path}], "rules": "closed"}
    return _profile("List", _element("List.entry", slicing=slicing), *slices)


def _list(*entries: dict[str, Any]) -> Resource:
    return {"resourceType": "List", "status": "current", "mode": "working", "entry": list(entries)}


def test_a_closed_slicing_by_type_leaves_what_is_not_at_hand() -> None:
    """A reference whose target cannot be seen may be of the slice; one of another type is not."""
    target = [
        {"code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Flag"]}
    ]
    profile = _closed(
        "item.resolve()",
        "type",
        _element("List.entry:flag", sliceName="flag", min=0, max="*"),
        _element("List.entry:flag.item", type=target),
    )
    unseen = {"item": {"reference": "urn:uuid:5d9588d8-3cd6-4b32-8fb7-ad13694e069d"}}

    assert [] == _codes(_list(unseen, {"item": {"reference": "Flag/1"}}), profile)
    assert ["FB-3016"] == _codes(_list({"item": {"reference": "Patient/1"}}), profile)


def test_a_slice_may_be_told_by_what_it_must_not_have() -> None:
    """A prohibited element at the path of the discriminator."""
    profile = _closed(
        "flag",
        "value",
        _element("List.entry:plain", sliceName="plain", min=0, max="1"),
        _element("List.entry:plain.flag", max="0"),
        _element("List.entry:marked", sliceName="marked", min=0, max="1"),
        _element("List.entry:marked.flag", patternCodeableConcept={"text": "new"}),
    )
    plain, marked = {"item": {"display": "a"}}, {"item": {"display": "a"}, "flag": {"text": "new"}}

    assert [] == _codes(_list(plain, marked), profile)
    assert ["FB-3016"] == _codes(_list(plain, plain), profile)
    assert ["FB-3016"] == _codes(_list(marked | {"flag": {"text": "old"}}), profile)


def test_a_closed_slicing_with_a_slice_that_cannot_be_told_refuses_nothing() -> None:
    """What the known slices do not take may be of the unknown one."""
    profile = _closed(
        "flag",
        "value",
        _element("List.entry:marked", sliceName="marked", min=0, max="*"),
        _element("List.entry:marked.flag", patternCodeableConcept={"text": "new"}),
        _element("List.entry:other", sliceName="other", min=0, max="*"),
    )

    assert [] == _codes(_list({"item": {"display": "a"}}), profile)
