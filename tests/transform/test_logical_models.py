"""Logical models as source and target, and their XML."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_bridge import xml
from fhir_bridge.transform import Library
from tests.conformance.logical_xml import read_logical_xml, render_logical_xml

URL = "http://example.org/StructureDefinition/"


def model(name: str, *elements: dict[str, Any], base: str = "") -> dict[str, Any]:
    """A logical model in the namespace urn:m."""
    return {
        "resourceType": "StructureDefinition",
        "url": URL + name,
        "name": name,
        "type": URL + name,
        "kind": "logical",
        "abstract": name == "ANY",
        "baseDefinition": base or "http://hl7.org/fhir/StructureDefinition/Base",
        "extension": [
            {
                "url": "http://hl7.org/fhir/tools/StructureDefinition/xml-namespace",
                "valueUri": "urn:m",
            }
        ],
        "differential": {"element": [{"path": name}, *elements]},
    }


def element(path: str, kind: str, most: str = "1", **more: Any) -> dict[str, Any]:
    """One element of a model."""
    return {"path": path, "min": 0, "max": most, "type": [{"code": kind}], **more}


ATTRIBUTE = {"representation": ["xmlAttr"]}
STAMP = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/tools/StructureDefinition/elementdefinition-date-format",
            "valueString": "YYYYMMDDHHMMSS.UUUU[+|-ZZzz]",
        }
    ]
}
MODELS = [
    model("ANY", element("ANY.nullFlavor", "code", **ATTRIBUTE)),
    model("TS", element("TS.value", "dateTime", **ATTRIBUTE, **STAMP), base=URL + "ANY"),
    model("CD", element("CD.code", "code", **ATTRIBUTE), base=URL + "ANY"),
    model("ST", element("ST.xmlText", "string", representation=["xmlText"]), base=URL + "ANY"),
    model(
        "Doc",
        element("Doc.time", URL + "TS"),
        element("Doc.title", URL + "ST"),
        {
            "path": "Doc.value",
            "max": "*",
            "representation": ["typeAttr"],
            "type": [{"code": URL + "CD"}, {"code": URL + "ST"}],
        },
        element("Doc.part", "http://hl7.org/fhir/StructureDefinition/Base", "*"),
        element("Doc.part.tags", "code", "*", **ATTRIBUTE),
        element("Doc.part.count", "integer"),
        element("Doc.part.note", URL + "ST"),
    ),
]
TEXT = (
    b'<Doc xmlns="urn:m" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    b'<time value="20240506070809+0800"/><title>A title</title>'
    b'<value xsi:type="CD" code="x"/><value xsi:type="ST">words</value>'
    b'<part tags="a b"><count value="2"/></part><part><note>n</note></part></Doc>'
)
TREE = {
    "resourceType": "Doc",
    "time": {"value": "2024-05-06T07:08:09+08:00"},
    "title": {"xmlText": "A title"},
    "value": [{"xsi:type": "CD", "code": "x"}, {"xsi:type": "ST", "xmlText": "words"}],
    "part": [{"tags": ["a", "b"], "count": 2}, {"note": {"xmlText": "n"}}],
}


@pytest.fixture(scope="module")
def library() -> Library:
    """A library with the models."""
    return Library(logical_models=MODELS)


def test_xml_is_read_by_the_model(library: Library) -> None:
    """Attributes, text, lists, types told by the instance, and HL7 timestamps."""
    assert read_logical_xml(TEXT, library.shapes, library.shapes.resolve(URL + "Doc")) == TREE


def test_xml_is_written_by_the_model(library: Library) -> None:
    """What was read is written as it came."""
    shape = library.shapes.resolve(URL + "Doc")
    rendered = render_logical_xml(TREE, library.shapes, shape)
    assert read_logical_xml(rendered, library.shapes, shape) == TREE
    root = xml.parse(rendered)
    assert root[0].get("value") == "20240506070809+0800"
    assert root[4].get("tags") == "a b"


def test_a_logical_model_is_mapped_by_its_types(library: Library) -> None:
    """A value is chosen by the type that the instance says."""
    text = (
        f'map "http://x/from" = "from"\nuses "{URL}Doc" alias Doc as source\n'
        'uses "http://hl7.org/fhir/StructureDefinition/Observation" alias Observation as target\n'
        "group Main(source doc : Doc, target tgt : Observation) {\n"
        "  doc.value : ST as v then { v.xmlText as t -> tgt.value = t 'x'; } 'st';\n"
        "  doc.time as t then { t.value as v -> tgt.issued = v; };\n"
        "}"
    )
    library.add(text)
    assert library.compile("http://x/from").run(TREE).target == {
        "resourceType": "Observation",
        "issued": "2024-05-06T07:08:09+08:00",
        "valueString": "words",
    }


def test_a_logical_model_is_built_in_its_order(library: Library) -> None:
    """A created type is told where the element may have several."""
    text = (
        f'map "http://x/to" = "to"\nuses "{URL}Doc" alias Doc as target\nuses "{URL}CD" alias CD as target\n'
        "group Main(source src, target doc : Doc) {\n"
        "  src.p as p -> doc.part as part, part.count = p, part.tags = 'a', part.tags = 'b';\n"
        "  src.c as c -> doc.value = create('CD') as v, v.code = c;\n"
        "  src.t as t -> doc.title as title, title.xmlText = t;\n"
        "}"
    )
    library.add(text)
    done = library.compile("http://x/to").run({"p": 2, "c": "x", "t": "A title"})
    assert list(done.target) == ["resourceType", "title", "value", "part"]
    assert done.target["value"] == [{"xsi:type": "CD", "code": "x"}]
    assert done.target["part"] == [{"tags": ["a", "b"], "count": 2}]


def test_a_model_may_not_hide_a_fhir_type_of_the_same_name() -> None:
    """CDA's Observation is found by its URL, FHIR's by its name."""
    library = Library(logical_models=[model("Observation", element("Observation.x", "string"))])
    named = library.shapes.find("Observation")
    by_url = library.shapes.find(URL + "Observation")
    assert named is not None
    assert by_url is not None
    assert "status" in named.elements
    assert list(by_url.elements) == ["x"]
