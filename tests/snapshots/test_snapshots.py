"""What a differential makes of its base."""

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from fhir_bridge.snapshots import Snapshots, with_narrative
from fhir_bridge.validation import Validator
from tests.structure_definitions import R4, constraint

OURS = Profiles.from_artifacts(Artifacts())


def profile(type_name, *elements, base=None, url="https://hospital.example/x", **rest):
    """A profile whose elements are (id, facts)."""
    listed = []
    for identifier, facts in elements:
        steps = [step.partition(":") for step in identifier.split(".")]
        named = {"sliceName": steps[-1][2]} if steps[-1][2] else {}
        path = ".".join(name for name, _, _ in steps)
        listed.append({"id": identifier, "path": path, **named, **facts})
    return constraint(type_name, listed, url=url, base=base, **rest)


def made(definition, *known):
    """Its snapshot by element id."""
    found = {one["url"]: one for one in known}
    snapshot = Snapshots(definitions(), found.get).with_snapshot(definition)["snapshot"]
    return {element["id"]: element for element in snapshot["element"]}


BY_SYSTEM = {"slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}}


def test_without_a_differential_the_snapshot_is_that_of_the_type():
    """All elements of the type, nested ones in their place, in its order."""
    ids = list(made(profile("Patient")))

    assert ["Patient", "Patient.id", "Patient.meta"] == ids[:3]
    assert "Patient.deceased[x]" in ids
    assert ids.index("Patient.contact") + 1 == ids.index("Patient.contact.id")


def test_a_fact_replaces_that_of_the_base_and_rules_are_added():
    """The base of an element is told; a rule names who states it."""
    rule = {"key": "x-1", "severity": "error", "human": "x", "expression": "value.exists()"}
    element = made(profile("Patient", ("Patient.identifier", {"min": 1, "constraint": [rule]})))[
        "Patient.identifier"
    ]

    assert (1, "*") == (element["min"], element["max"])
    assert {"path": "Patient.identifier", "min": 0, "max": "*"} == element["base"]
    assert ["ele-1", "x-1"] == [one["key"] for one in element["constraint"]]
    assert "https://hospital.example/x" == element["constraint"][1]["source"]


def test_what_is_spoken_of_inside_a_datatype_opens_it():
    """All elements of the datatype are listed, with the one that is narrowed."""
    elements = made(profile("Patient", ("Patient.name.family", {"min": 1})))

    assert 1 == elements["Patient.name.family"]["min"]
    assert "HumanName.family" == elements["Patient.name.family"]["base"]["path"]
    assert "Patient.name.given" in elements
    assert "Patient.address.city" not in elements


def test_a_slice_begins_with_what_holds_for_all_and_requires_nothing():
    """Number of the whole is not the number of each slice; children are each slice's own."""
    elements = made(
        profile(
            "Patient",
            ("Patient.identifier", {"min": 1, **BY_SYSTEM}),
            ("Patient.identifier.value", {"min": 1}),
            ("Patient.identifier:mrn", {"max": "1"}),
            ("Patient.identifier:mrn.system", {"fixedUri": "urn:x"}),
        )
    )
    order = [identifier for identifier in elements if identifier.startswith("Patient.identifier")]

    assert (0, "1") == tuple(elements["Patient.identifier:mrn"][key] for key in ("min", "max"))
    assert "slicing" not in elements["Patient.identifier:mrn"]
    assert "urn:x" == elements["Patient.identifier:mrn.system"]["fixedUri"]
    assert 1 == elements["Patient.identifier:mrn.value"]["min"]
    assert order.index("Patient.identifier.value") < order.index("Patient.identifier:mrn")


def test_a_profile_of_a_profile_reslices_and_adds_slices():
    """``mrn/old`` begins as ``mrn``; a new slice stands behind those of the base."""
    base = profile(
        "Patient",
        ("Patient.identifier", BY_SYSTEM),
        ("Patient.identifier:mrn", {"max": "2"}),
        ("Patient.identifier:mrn.system", {"fixedUri": "urn:x"}),
        url="https://hospital.example/base",
    )
    elements = made(
        profile(
            "Patient",
            ("Patient.identifier:mrn/old", {"max": "1"}),
            ("Patient.identifier:card", {"max": "1"}),
            base="https://hospital.example/base",
        ),
        base,
    )

    assert "urn:x" == elements["Patient.identifier:mrn/old.system"]["fixedUri"]
    slices = [
        one for one in elements if one.startswith("Patient.identifier:") and "." not in one[19:]
    ]
    assert ["mrn", "mrn/old", "card"] == [one.partition(":")[2] for one in slices]


def test_a_content_reference_is_opened_by_what_it_repeats():
    """A part of a parameter has the elements of a parameter."""
    elements = made(profile("Parameters", ("Parameters.parameter.part.name", {"min": 1})))

    assert "BackboneElement" == elements["Parameters.parameter.part"]["type"][0]["code"]
    assert "contentReference" not in elements["Parameters.parameter.part"]
    assert "#Parameters.parameter" == elements["Parameters.parameter.part.part"]["contentReference"]


def test_a_short_name_of_a_choice_is_a_slice_by_type():
    """The others stay allowed; a required one leaves no other."""
    open_choice = made(profile("Observation", ("Observation.valueQuantity", {"short": "x"})))
    required = made(profile("Observation", ("Observation.valueQuantity", {"min": 1})))

    assert "open" == open_choice["Observation.value[x]"]["slicing"]["rules"]
    assert 11 == len(open_choice["Observation.value[x]"]["type"])
    assert "closed" == required["Observation.value[x]"]["slicing"]["rules"]
    assert ["Quantity"] == [one["code"] for one in required["Observation.value[x]"]["type"]]
    assert 1 == required["Observation.value[x]"]["min"]
    assert "valueQuantity" == required["Observation.value[x]:valueQuantity"]["sliceName"]


def test_extensions_are_sliced_by_url_and_described_by_their_definition():
    """Without a word; the number that the extension allows is that of the slice."""
    url = f"{R4}patient-birthPlace"
    kind = {"type": [{"code": "Extension", "profile": [url]}]}
    elements = made(profile("Patient", ("Patient.extension:birthPlace", kind)))

    assert [{"type": "value", "path": "url"}] == elements["Patient.extension"]["slicing"][
        "discriminator"
    ]
    assert (0, "1") == tuple(
        elements["Patient.extension:birthPlace"][key] for key in ("min", "max")
    )


def test_a_type_narrowed_to_a_profile_is_opened_by_that_profile():
    """What the profile of the datatype fixes is there."""
    quantity = profile(
        "Quantity",
        ("Quantity.code", {"min": 1, "fixedCode": "kg"}),
        url="https://hospital.example/kilograms",
        kind="complex-type",
    )
    kind = {"type": [{"code": "Quantity", "profile": ["https://hospital.example/kilograms"]}]}
    elements = made(
        profile("Observation", ("Observation.value[x]", kind), ("Observation.value[x].unit", {})),
        quantity,
    )

    assert "kg" == elements["Observation.value[x].code"]["fixedCode"]


def test_a_binding_without_value_set_keeps_that_of_the_base():
    """Only its strength is changed."""
    elements = made(
        profile("Observation", ("Observation.code", {"binding": {"strength": "required"}}))
    )

    assert "required" == elements["Observation.code"]["binding"]["strength"]
    assert elements["Observation.code"]["binding"]["valueSet"].endswith("/observation-codes")


@pytest.mark.parametrize(
    ("definition", "place"),
    [
        (profile("Patient", ("Patient.shoe", {})), "differential.element[0]"),
        (profile("Patient", ("Patient", {}), ("Patien.name", {})), "differential.element[1]"),
        (profile("Patient", ("Patient.identifier:a", {})), "differential.element[0]"),
        (
            profile("Patient", ("Patient.birthDate", {"type": [{"code": "string"}]})),
            "differential.element[0]",
        ),
        (profile("Patient", ("Patient.gender", {"fixedBoolean": True})), "differential.element[0]"),
        (
            profile(
                "Observation", ("Observation.value[x]:quantity", {"type": [{"code": "Quantity"}]})
            ),
            "differential.element[0]",
        ),
        (
            profile(
                "Observation",
                ("Observation.valueQuantity", {"min": 1}),
                ("Observation.valueString", {"short": "x"}),
            ),
            "differential.element[1]",
        ),
        (
            profile(
                "Bundle",
                (
                    "Bundle.entry.resource",
                    {"type": [{"code": "Resource", "profile": [f"{R4}Patient"]}]},
                ),
            ),
            "differential.element[0]",
        ),
        (profile("Patient", base=f"{R4}Observation"), "type"),
        (profile("Patient", base="https://hospital.example/none"), "baseDefinition"),
        (profile("Patient", base="https://hospital.example/x"), "baseDefinition"),
    ],
)
def test_what_the_base_does_not_allow_is_refused_at_its_place(definition, place):
    """Unknown elements, other types, slices of nothing, two required types, a base that is not there."""
    with pytest.raises(BridgeError) as refused:
        made(definition, definition)

    assert "FB-3033" == refused.value.code
    assert f"StructureDefinition.{place}" == refused.value.issues[0].where


@pytest.mark.parametrize("url", sorted(OURS.structure_definitions))
def test_our_profiles_have_snapshots_that_are_valid(url):
    """By the rules of R4 for snapshots (sdf-1, sdf-3, sdf-8 …), with a text for people."""
    snapshots = Snapshots(definitions(), OURS.structure_definition)
    definition = snapshots.with_snapshot(OURS.structure_definition(url))

    assert [] == Validator(definitions(), OURS).check(with_narrative(definition, snapshots))
