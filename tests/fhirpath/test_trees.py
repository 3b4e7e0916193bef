"""What an expression finds in trees: FHIR JSON with and without definitions, other nodes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Self

import pytest

from fhir_bridge import fhirpath
from fhir_bridge.fhir import definitions, parse_json_value

OBSERVATION = parse_json_value(
    b"""{"resourceType": "Observation", "id": "o", "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "subject": {"reference": "Patient/p1"}, "performer": [{"reference": "#doc"}],
    "effectiveDateTime": "2026-01-02", "_status": {"id": "s", "extension": [{"url": "why", "valueCode": "x"}]},
    "valueQuantity": {"value": 1.10, "unit": "g", "system": "http://unitsofmeasure.org", "code": "g"},
    "component": [{"code": {"text": "a"}, "valueString": "one"}, {"code": {"text": "b"}, "valueInteger": 2}],
    "contained": [{"resourceType": "Practitioner", "id": "doc", "birthDate": "1970"}]}"""
)


def run(text: str, node: Any = OBSERVATION, **given: Any) -> list[Any]:
    """The result with R4 definitions, on the fast path and off it."""
    compiled = fhirpath.compile(text, definitions=definitions())
    results = [compiled(node, **given) for _ in range(4)]
    assert all(result == results[0] for result in results)
    return results[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Observation.status", ["final"]),
        ("Resource.id", ["o"]),
        ("Patient.id", []),
        ("value.unit", ["g"]),
        ("value.ofType(Quantity).code", ["g"]),
        ("value is Quantity", [True]),
        ("value.as(string)", []),
        ("component.value", ["one", 2]),
        ("(component.value as string)", ["one"]),
        ("component.where(code.text = 'b').value", [2]),
        ("component[1].value is integer", [True]),
        ("effective > @2025", [True]),
        ("effective is dateTime", [True]),
        ("status.extension('why').value", ["x"]),
        ("status.id", ["s"]),
        ("status is string", [True]),
        ("status.ofType(string)", []),
        ("status.ofType(code)", ["final"]),
        ("performer.resolve().birthDate", ["1970"]),
        ("contained.ofType(Practitioner).birthDate < @1980", [True]),
        ("subject.where(resolve() is Patient).reference", ["Patient/p1"]),
        ("subject.where(resolve() is Group).reference", []),
        ("performer.where(resolve() is Practitioner).exists()", [True]),
        ("value = 1100 'mg'", [True]),
        ("value.value.toString()", ["1.10"]),
        ("category.exists()", [False]),
        ("hasValue()", [False]),
        ("status.hasValue()", [True]),
        ("component.code.text | component.code.text", ["a", "b"]),
        ("descendants().where($this is Coding).code", ["85354-9"]),
        ("type().name", ["Observation"]),
        ("%resource.status", ["final"]),
    ],
)
def test_fhir_json(text: str, expected: list[Any]) -> None:
    """Types, choices, primitive siblings, contained resources, references."""
    assert run(text) == expected


def test_decimals_keep_their_text() -> None:
    """A decimal comes out as it was written."""
    assert str(run("Observation.value.value")[0]) == "1.10"


def test_types_come_with_values() -> None:
    """`typed` names the FHIR type of each item."""
    compiled = fhirpath.compile("component.value | status | value", definitions=definitions())
    for _ in range(4):
        assert [name for name, _ in compiled.typed(OBSERVATION)] == [
            "string",
            "integer",
            "code",
            "Quantity",
        ]


def test_without_definitions_choices_are_found_by_their_key() -> None:
    """Untyped JSON answers the same simple questions."""
    compiled = fhirpath.compile("value.unit | component.value")
    assert compiled(OBSERVATION) == ["g", "one", 2]


def test_values_of_primitives_without_value_are_left_out() -> None:
    """An extension may stand for a value: it exists, but has no plain value."""
    patient = {
        "resourceType": "Patient",
        "name": [{"given": [None, "B"], "_given": [{"extension": []}, None]}],
        "_birthDate": {"extension": [{"url": "u", "valueString": "unknown"}]},
    }
    assert run("name.given", patient) == ["B"]
    assert run("name.given.count()", patient) == [2]
    assert run("birthDate.exists()", patient) == [True]
    assert run("birthDate.hasValue()", patient) == [False]
    assert run("birthDate.extension('u').value", patient) == ["unknown"]
    assert run("name.given.first()", patient) == []


def test_a_root_type_may_be_named() -> None:
    """A part of a resource is typed by `root_type`."""
    contact = {"name": {"family": "F"}, "period": {"start": "2012"}}
    compiled = fhirpath.compile(
        "period.start < @2013 and name is HumanName",
        definitions=definitions(),
        root_type="Patient.contact",
    )
    assert [compiled(contact) for _ in range(4)] == [[True]] * 4


class Value(str):
    """A v2-like value: text that also has components."""

    __slots__ = ("parts",)

    def __new__(cls, text: str, **parts: str) -> Self:
        """The text of the first component, and the others by name."""
        made = super().__new__(cls, text)
        made.parts = parts  # type: ignore[attr-defined]
        return made

    def get(self, name: str) -> Any:
        """A component, or None."""
        return self.parts.get(name)  # type: ignore[attr-defined]

    def keys(self) -> Iterator[str]:
        """The names of the components."""
        return iter(self.parts)  # type: ignore[attr-defined]


class Segment:
    """A segment-like node."""

    type_name = "PID"

    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def get(self, name: str) -> Any:
        """A field: None, one value or a list."""
        return self.fields.get(name)

    def keys(self) -> list[str]:
        """The names of the fields."""
        return list(self.fields)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PID.f3.c1", ["1", "2"]),
        ("f3.where(c4 = 'B')", ["2"]),
        ("f3.where(c4 = 'B').c1", ["2"]),
        ("f8", ["F"]),
        ("f8 = 'F'", [True]),
        ("f9.exists()", [False]),
        ("f3.count()", [2]),
        ("f8 & '-' & f3.first()", ["F-1"]),
        ("f7.toDate() > @1990", [True]),
        ("f8.startsWith('F')", [True]),
        ("is(PID)", [True]),
    ],
)
def test_other_trees(text: str, expected: list[Any]) -> None:
    """Nodes with get() and keys(), and values that are text and tree at once."""
    message = Segment(
        f3=[Value("1", c1="1", c4="A"), Value("2", c1="2", c4="B")], f8=Value("F"), f7="1991-05"
    )
    compiled = fhirpath.compile(text)
    assert [compiled(message) for _ in range(4)] == [expected] * 4


def test_hooks_answer_for_the_world_outside() -> None:
    """resolve, member_of, conforms_to and trace are asked; variables are at hand."""
    seen: list[Any] = []
    environment = fhirpath.Environment(
        resolve=lambda reference: {"resourceType": "Patient", "id": reference[-2:], "active": True},
        member_of=lambda value, url: (value, url) == ("final", "vs"),
        conforms_to=lambda _value, url: url == "mine",
        trace=lambda name, values: seen.append((name, values)),
    )
    assert run("subject.resolve().active", environment=environment) == [True]
    assert run("status.memberOf('vs')", environment=environment) == [True]
    assert run("conformsTo('mine')", environment=environment) == [True]
    assert run("status.trace('here')", environment=environment) == ["final"]
    assert seen[0] == ("here", ["final"])
    assert run("%a + %b.first()", variables={"a": 1, "b": [Decimal("0.5"), 2]}) == [Decimal("1.5")]
