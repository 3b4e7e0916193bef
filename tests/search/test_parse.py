"""Searches are checked before anything is asked of a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from fhir_bridge.search import Registry, parse_search, plan


@pytest.mark.parametrize(
    ("resource_type", "name", "value", "code"),
    [
        ("Patient", "nonsense", "1", "FB-4101"),
        ("Patient", "name:nonsense", "1", "FB-4102"),
        ("Patient", "birthdate:exact", "1970", "FB-4102"),
        ("Patient", "birthdate", "1970-02-30", "FB-4103"),
        ("Patient", "birthdate", "xx1970", "FB-4103"),
        ("Patient", "active:missing", "maybe", "FB-4103"),
        ("Observation", "value-quantity", "five", "FB-4103"),
        ("Observation", "value-quantity", "5|a|b|c", "FB-4103"),
        ("Observation", "subject:Spaceship", "1", "FB-4102"),
        ("Observation", "subject:Spaceship.name", "1", "FB-4102"),
        ("Observation", "subject.nonsense", "1", "FB-4101"),
        ("Observation", "code.name", "1", "FB-4103"),
        ("Patient", "_has:Observation:nonsense:code", "1", "FB-4101"),
        ("Patient", "_has:Observation:code:code", "1", "FB-4103"),
        ("Patient", "_has:Observation", "1", "FB-4103"),
        ("Patient", "_include", "Patient:nonsense", "FB-4104"),
        ("Patient", "_include", "Patient", "FB-4104"),
        ("Patient", "_revinclude", "Observation:subject:Spaceship", "FB-4104"),
        ("Patient", "_sort", "nonsense", "FB-4105"),
        ("Patient", "_count", "-1", "FB-4103"),
        ("Patient", "_total", "some", "FB-4103"),
        ("Patient", "_summary", "some", "FB-4103"),
        ("Patient", "_query", "x", "FB-4106"),
        ("Patient", "_list", "$current-allergies", "FB-4106"),
        ("Patient", "_list:not", "1", "FB-4102"),
        ("Patient", "_type:missing", "true", "FB-4102"),
        ("Patient", "_text:exact", "x", "FB-4102"),
        ("Patient", "_content:missing", "true", "FB-4102"),
        ("Patient", "gender:of-type", "a|b|c", "FB-4102"),
        ("Observation", "code-value-quantity:missing", "true", "FB-4102"),
        ("Location", "near", "91|2", "FB-4103"),
        ("Location", "near", "1|2|5|kg", "FB-4103"),
        ("Location", "near", "1|2|-5|km", "FB-4103"),
        ("Location", "near", "1", "FB-4103"),
        ("Observation", "code:below", "1", "FB-4102"),
        ("Observation", "code:in", "urn:unknown", "FB-4102"),
        ("Observation", "identifier:of-type", "a|b", "FB-4103"),
        ("Observation", "code-value-quantity", "1-1", "FB-4103"),
        (None, "name", "x", "FB-4101"),
        (None, "_type", "Spaceship", "FB-4103"),
        ("Spaceship", "name", "x", "FB-4103"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    registry: Registry, resource_type: str | None, name: str, value: str, code: str
) -> None:
    """Each kind of mistake has its code."""
    with pytest.raises(BridgeError) as refused:
        parse_search(resource_type, [(name, value)], registry)
    assert refused.value.code == code


def test_a_refusal_lists_what_is_allowed(registry: Registry) -> None:
    """The details name the parameters of the type."""
    with pytest.raises(BridgeError) as refused:
        parse_search("Patient", [("nonsense", "1")], registry)
    assert "birthdate" in refused.value.issues[0].details["allowed"]
    assert "birthdate" in refused.value.issues[0].hint


def test_a_lenient_search_drops_and_reports(registry: Registry) -> None:
    """What is unknown is left out of the self link and named in a warning."""
    search = parse_search(
        "Patient", [("nonsense", "1"), ("name", "x"), ("name:odd", "x")], registry, lenient=True
    )
    assert search.accepted == (("name", "x"),)
    assert [(each.code, each.severity) for each in search.ignored] == [
        ("FB-4101", "warning"),
        ("FB-4102", "warning"),
    ]


def test_a_wrong_value_is_refused_even_when_lenient(registry: Registry) -> None:
    """Dropping a bad value would answer another question."""
    with pytest.raises(BridgeError):
        parse_search("Patient", [("birthdate", "x")], registry, lenient=True)


def test_the_same_question_has_the_same_fingerprint(registry: Registry) -> None:
    """Page size does not matter; values do."""

    def of(value: str, count: str) -> str:
        pairs = [("name", value), ("_count", count)]
        return plan(parse_search("Patient", pairs, registry), registry).fingerprint

    assert of("a", "1") == of("a", "2") != of("b", "1")


def test_a_value_set_is_named_by_its_url() -> None:
    """``:in`` asks for each code of the value set."""
    known = {"urn:vs": [("http://loinc.org", "1-1")]}
    registry = Registry(definitions(), value_set_codes=known.get)
    for modifier in ("in", "not-in"):
        assert parse_search("Observation", [(f"code:{modifier}", "urn:vs")], registry).types


def test_hostile_strings_give_a_search_or_a_coded_error(registry: Registry, shared: Path) -> None:
    """Any text in any parameter of each type of value."""
    texts = [
        line
        for file in (shared / "conformance" / "security" / "strings").glob("*")
        for line in file.read_text("utf-8", "replace").splitlines()[:400]
    ]
    assert texts
    names = ["name", "identifier", "birthdate", "organization", "_id", "_sort", "_include",
             "name:exact", "_has:Observation:subject:value-quantity", "_lastUpdated", "_profile"]  # fmt: skip
    statuses = set()
    for text in texts:
        for name in names:
            try:
                plan(parse_search("Patient", [(name, text)], registry), registry)
            except BridgeError as error:
                statuses.add(error.entry.http_status)
        with pytest.raises(BridgeError):
            parse_search("Patient", [(f"x{text}", "1")], registry)
    assert statuses <= {400, 404}
