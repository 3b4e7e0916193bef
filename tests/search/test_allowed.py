"""What hints and claims name is what is accepted, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from fhir_bridge.search import Registry, parse_search
from fhir_bridge.search.filter_text import OPERATORS
from fhir_bridge.search.supported import modifiers_of, parameter_of

_VALUES = (
    "1",
    "true",
    "1970",
    "a|b|c",
    "1|1",
    "1$1",
    "1970$1",
    "1$1970",
    "1$1$1",
    "name eq x",
    "_id eq x",
    "false",
    "accurate",
    "count",
    "Patient",
    "Patient:organization",
    "Observation:subject",
    "urn:set",
    "top",
    "_id",
)
_HIERARCHY = {
    "resourceType": "CodeSystem",
    "url": "urn:system",
    "content": "complete",
    "concept": [{"code": "top", "concept": [{"code": "below"}]}],
}
_MODIFIERS = (
    "above", "below", "contains", "exact", "identifier", "in", "iterate", "missing", "near", "not",
    "not-in", "of-type", "text", "type", "Patient", "Observation", "Group", "nonsense",
)  # fmt: skip
_TYPES = ("Patient", "Observation", "Location", "ValueSet", "RiskAssessment", "Encounter", "Bundle")


@pytest.fixture(scope="module")
def whole() -> Registry:
    """A registry with a value set and a hierarchy."""
    return Registry(
        definitions(),
        value_set_codes=lambda url: [("urn:system", "top")] if url == "urn:set" else None,
        code_systems={"urn:system": _HIERARCHY},
    )


def _codes(registry: Registry, resource_type: str | None, name: str) -> set[str]:
    """The codes of the refusals of every value; "" where one was accepted."""
    found = set()
    for value in _VALUES:
        try:
            parse_search(resource_type, [(name, value)], registry)
            found.add("")
        except BridgeError as error:
            found.add(error.code)
    return found


def _hint(registry: Registry, resource_type: str | None, name: str, value: str = "1") -> Any:
    with pytest.raises(BridgeError) as refused:
        parse_search(resource_type, [(name, value)], registry)
    allowed = refused.value.issues[0].details["allowed"]
    return set() if allowed == "none" else set(allowed.split(", "))


@pytest.mark.parametrize("resource_type", [*_TYPES, None])
def test_every_parameter_of_the_hint_is_accepted_and_no_other(
    whole: Registry, resource_type: str | None
) -> None:
    """The list in a refusal of an unknown parameter is exact."""
    hint = _hint(whole, resource_type, "nonsense")
    asked = {name: "_has:List:item:_id" if name == "_has" else name for name in hint}
    refused = {
        name for name, spelt in asked.items() if "" not in _codes(whole, resource_type, spelt)
    }
    published = set(whole.parameters(resource_type or "Resource"))
    unnamed = {
        name
        for name in published - hint
        if not _codes(whole, resource_type, name) <= {"FB-4101", "FB-4106"}
    }
    assert (refused, unnamed) == (set(), set())


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize("resource_type", _TYPES)
def test_every_modifier_of_the_hint_is_accepted_and_no_other(
    whole: Registry, registry: Registry, resource_type: str, bare: bool
) -> None:
    """Also where no value set and no hierarchy is known."""
    of = registry if bare else whole
    wrong = []
    for code in (*of.parameters(resource_type), "_list", "_type"):
        if code == "_query":
            continue
        hint = _hint(of, resource_type, f"{code}:nonsense")
        for modifier in {*_MODIFIERS, *hint}:
            accepted = "" in _codes(of, resource_type, f"{code}:{modifier}")
            if accepted != (modifier in hint):
                wrong.append((code, modifier))
    assert wrong == []


@pytest.mark.parametrize("resource_type", _TYPES)
def test_every_operator_of_the_hint_is_accepted_and_no_other(
    whole: Registry, resource_type: str
) -> None:
    """The same for the operators of a filter and the parameters it may name."""
    wrong = []
    for code in _hint(whole, resource_type, "_filter", "nonsense eq 1"):
        accepted = {
            operator
            for operator in OPERATORS
            for value in _VALUES
            if _is_accepted(whole, resource_type, f'{code} {operator} "{value}"')
        }
        missing = next(iter(set(OPERATORS) - accepted))
        hint = _hint(whole, resource_type, "_filter", f"{code} {missing} 1")
        if hint != accepted:
            wrong.append((code, hint ^ accepted))
    assert wrong == []


@pytest.mark.parametrize("resource_type", _TYPES)
def test_every_sort_of_the_hint_is_accepted_and_no_other(
    whole: Registry, resource_type: str
) -> None:
    """The list in a refusal of a sort key is exact."""
    hint = _hint(whole, resource_type, "_sort", "nonsense")
    accepted = {
        code
        for code in whole.parameters(resource_type)
        if _is_accepted(whole, resource_type, code, "_sort")
    }
    assert hint == accepted


def test_modifiers_that_need_knowledge_are_named_only_where_there_is_some(
    whole: Registry, registry: Registry
) -> None:
    """``:in`` needs value sets, ``:below`` hierarchies, ``:of-type`` identifiers."""

    def modifiers(of: Registry, code: str) -> tuple[str, ...]:
        return modifiers_of(parameter_of(of, "Observation", code))

    assert modifiers(registry, "code") == ("missing", "not", "text")
    assert {"in", "below"} <= set(modifiers(whole, "code"))
    assert "of-type" in modifiers(registry, "identifier")


def _is_accepted(registry: Registry, resource_type: str, value: str, name: str = "_filter") -> bool:
    try:
        parse_search(resource_type, [(name, value)], registry)
    except BridgeError:
        return False
    return True
