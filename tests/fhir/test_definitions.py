"""The facts of R4: types, elements, search parameters, compartments, codes."""

import time

import pytest

from fhir_bridge.fhir import Definitions, definitions, expression_part


def test_the_release_is_r4_and_not_r4b() -> None:
    """Types that only one of the two releases has tell them apart."""
    facts = definitions()

    assert facts.release == "4.0.1"
    assert "EffectEvidenceSynthesis" in facts.resource_types
    assert (
        not {"Citation", "Ingredient", "NutritionProduct", "SubscriptionStatus"}
        & facts.resource_types
    )
    assert len(facts.resource_types) == 146


def test_elements_come_inherited_first_and_with_their_facts() -> None:
    """A Patient has the elements of Resource and DomainResource before its own."""
    patient = definitions().types["Patient"]

    assert list(patient.elements)[:4] == ["id", "meta", "implicitRules", "language"]
    gender = patient.elements["gender"]
    assert (gender.type, gender.min, gender.max, gender.strength) == ("code", 0, 1, "required")
    assert patient.elements["active"].is_modifier
    assert patient.elements["name"].is_list
    assert patient.elements["managingOrganization"].targets == ("Organization",)


def test_a_choice_element_stands_under_each_of_its_keys() -> None:
    """value[x] of an Observation has eleven forms."""
    observation = definitions().types["Observation"]

    assert len(observation.choices["value"]) == 11
    assert observation.elements["valueQuantity"].type == "Quantity"
    assert observation.elements["valueQuantity"].choice == "value"


@pytest.mark.parametrize(
    ("owner", "key", "expected"),
    [
        ("Patient", "contact", "Patient.contact"),
        ("Questionnaire.item", "item", "Questionnaire.item"),
        ("Timing", "repeat", "Timing.repeat"),
        ("Bundle.entry", "resource", "Resource"),
        ("Patient", "id", "id"),
        ("HumanName", "id", "string"),
        ("Extension", "url", "uri"),
        ("Condition", "onsetAge", "Age"),
    ],
)
def test_the_type_of_an_element(owner: str, key: str, expected: str) -> None:
    """Nested types, content references and the types of FHIRPath are resolved."""
    assert expected == definitions().types[owner].elements[key].type


def test_types_know_their_ancestors() -> None:
    """Age is a Quantity, a Patient is a Resource, a code is a string."""
    facts = definitions()

    assert facts.is_a("Age", "Quantity")
    assert facts.is_a("Patient", "Resource")
    assert facts.is_a("code", "string")
    assert not facts.is_a("Patient", "Observation")


def test_search_parameters_are_separated_by_type() -> None:
    """A shared parameter keeps the part of its union that speaks of the type."""
    parameters = definitions().search_parameters

    assert parameters["Person", "name"].expression == "Person.name"
    assert parameters["Observation", "code"].expression == "Observation.code"
    composite = parameters["Observation", "code-value-quantity"]
    assert composite.components[1][1] == "value.as(Quantity)"
    assert ("Resource", "_id") in parameters
    assert {"name", "_id", "identifier"} <= definitions().search_parameters_of("Patient").keys()


def test_a_union_inside_brackets_is_not_split() -> None:
    """Only members at the top level are separated."""
    text = "(A.x | A.y).z | B.where(c = '|').d"

    assert "(A.x | A.y).z" == expression_part(text, "A")
    assert "B.where(c = '|').d" == expression_part(text, "B")
    assert text == expression_part(text, "C")


def test_compartments_name_the_linking_parameters() -> None:
    """An Observation belongs to a Patient by subject or performer."""
    assert ("subject", "performer") == definitions().compartments["Patient"]["Observation"]


def test_required_codes() -> None:
    """Listed value sets answer, with or without a version; open ones answer None."""
    facts = definitions()
    url = "http://hl7.org/fhir/ValueSet/administrative-gender"

    assert frozenset({"male", "female", "other", "unknown"}) == facts.required_codes(f"{url}|4.0.1")
    assert facts.required_codes("http://hl7.org/fhir/ValueSet/mimetypes") is None


def test_every_type_can_be_built_and_its_parts_exist() -> None:
    """No element names a type that is not there."""
    facts = definitions()
    named = {
        element.type for name in facts.types for element in facts.types[name].elements.values()
    }

    assert set() == named - set(facts.types)


def test_loading_is_a_matter_of_milliseconds() -> None:
    """Generous bound: the tables are compact and types are built on demand."""
    started = time.process_time()
    Definitions().types["Patient"]

    assert time.process_time() - started < 0.2
