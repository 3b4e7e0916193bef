"""Bodies for generated requests: resources of any type, made from the definitions.

What must be there is there, of what may be there some primitives are; texts, codes, dates
and numbers are drawn.  Not each passes the rules of its type: the share that does is measured
by the test that sends them.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from fhir_bridge.fhir import ElementDefinition, definitions

__all__ = ["bodies"]

_TEXT = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Cn", "Co"), max_codepoint=0xFFFF),
    min_size=1,
    max_size=12,
).map(lambda text: text.strip() or "x")
_DATE = st.dates().map(lambda day: f"{max(day.year, 1900):04}-{day.month:02}-{min(day.day, 28):02}")
_PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "integer": st.integers(-1000, 1000),
    "unsignedInt": st.integers(0, 1000),
    "positiveInt": st.integers(1, 1000),
    "decimal": st.integers(-1000, 1000),
    "date": _DATE,
    "dateTime": _DATE,
    "instant": _DATE.map("{}T08:00:00+08:00".format),
    "time": st.times().map(lambda time: time.strftime("%H:%M:%S")),
    "code": st.from_regex(r"\A[a-z]{1,8}\Z"),
    "id": st.from_regex(r"\A[A-Za-z0-9.-]{1,20}\Z"),
    "uri": st.uuids().map("urn:uuid:{}".format),
    "url": st.just("https://example.org/a"),
    "canonical": st.uuids().map("https://example.org/fhir/{}".format),
    "oid": st.integers(1, 999).map("urn:oid:1.2.{}".format),
    "uuid": st.uuids().map("urn:uuid:{}".format),
    "base64Binary": st.sampled_from(["YQ==", "YWI=", "YWJj"]),
    "xhtml": st.just('<div xmlns="http://www.w3.org/1999/xhtml">x</div>'),
}
_KNOWN_SHAPES: dict[str, st.SearchStrategy[Any]] = {
    "CodeableConcept": _TEXT.map(lambda text: {"text": text}),
    "Coding": st.from_regex(r"\A[a-z]{1,8}\Z").map(lambda code: {"system": "urn:x", "code": code}),
    "Money": st.integers(0, 999).map(lambda value: {"value": value, "currency": "CNY"}),
    "Identifier": _TEXT.map(lambda text: {"system": "urn:x", "value": text}),
    "Period": _DATE.map(lambda day: {"start": day}),
    "Reference": _TEXT.map(lambda text: {"display": text}),
    "Quantity": st.integers(0, 99).map(lambda value: {"value": value}),
    "Range": st.integers(0, 99).map(lambda value: {"low": {"value": value}}),
    "Resource": st.just({"resourceType": "Basic", "code": {"text": "x"}}),
}
_LEFT_OUT = frozenset({"id", "implicitRules", "language", "text", "meta", "contained", "extension"})


@st.composite
def bodies(draw: st.DrawFn, resource_type: str, id_: str = "") -> dict[str, Any]:
    """A resource of the type, with the id when one is given."""
    body = {"resourceType": resource_type, **({"id": id_} if id_ else {})}
    return body | draw(_elements(resource_type, 0))


@st.composite
def _elements(draw: st.DrawFn, type_name: str, depth: int) -> dict[str, Any]:
    """The elements of a type: all that must be there, some primitives that may."""
    shape = definitions().types[type_name]
    made: dict[str, Any] = {}
    taken: set[str] = set()
    for key, element in shape.elements.items():
        name = element.choice or key
        is_needed = element.min > 0 and name not in taken
        is_simple = element.type in _PRIMITIVES and not element.choice and depth == 0
        if key in _LEFT_OUT or name in taken or key.startswith("_"):
            continue
        if is_needed or (is_simple and not element.is_modifier and draw(st.integers(0, 3)) == 0):
            taken.add(name)
            value = draw(_value(element, depth))
            made[key] = [value] if element.is_list else value
    return made


def _value(element: ElementDefinition, depth: int) -> st.SearchStrategy[Any]:
    codes = definitions().required_codes(element.value_set) if element.value_set else None
    if element.type == "code" and codes and element.strength == "required":
        return st.sampled_from(sorted(codes))
    if element.type in ("string", "markdown"):
        return _TEXT
    if element.type in _PRIMITIVES:
        return _PRIMITIVES[element.type]
    if element.type in _KNOWN_SHAPES:
        return _KNOWN_SHAPES[element.type]
    return _elements(element.type, depth + 1).map(lambda made: made or {"id": "x"})
