"""Inputs of the field that no feed sends: a narrative in XML, a map of another author."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fhir_bridge.app import Services
from fhir_bridge.fhir import definitions, parse_json
from fhir_bridge.transform import Library
from tests.field.record import opened

XML = "application/fhir+xml"


def _input(shared: Path, name: str) -> bytes:
    path = shared / "cases" / "field" / name
    if not path.is_file():
        pytest.skip(f"no input at {path}")
    return path.read_bytes()


def test_the_text_of_a_narrative_is_the_same_in_xml_and_json(
    product: Services, shared: Path, database: str
) -> None:
    """Prefixes, entities, a non-breaking blank, a line break in a name: nothing is changed."""
    sent = _input(shared, "78-xml-narrative.xml")
    with opened(product, database) as record:
        put = record.client.put("/fhir/Patient/b78", data=sent, content_type=XML)
        assert put.status_code == 201, put.get_data(as_text=True)
        read = record.client.get("/fhir/Patient/b78", headers={"Accept": "application/fhir+json"})
        patient = parse_json(read.get_data())
        back = record.client.get("/fhir/Patient/b78", headers={"Accept": XML}).get_data()
        again = record.client.put("/fhir/Patient/b78x", data=back.replace(b'"b78"', b'"b78x"'),
            content_type=XML)  # fmt: skip
        assert again.status_code == 201, again.get_data(as_text=True)
        twice = parse_json(
            record.client.get(
                "/fhir/Patient/b78x", headers={"Accept": "application/fhir+json"}
            ).get_data()
        )
    div = patient["text"]["div"]
    words = re.sub(r"<[^>]*>", "|", div)
    assert "café &amp; &lt;5 \u00a0x" in words.replace("&#160;", "\u00a0")
    assert re.search(r"<(\w+:)?br\s*/>", div), "a line break stays one"
    assert patient["name"] == [{"family": "line\ntwo\ttab", "given": [" A "]}]
    assert (twice["text"], twice["name"]) == (patient["text"], patient["name"])


def test_a_map_of_another_author_does_what_it_says(shared: Path) -> None:
    """Arithmetic of dates, a concept map inside the map, an escaped quotation mark, a cast."""
    library = Library(definitions(), [_input(shared, "79-fml-mixed.map").decode()])
    source = parse_json(_input(shared, "79-fml-source.json"))
    target = library.compile("http://example.org/bug/StructureMap/a").run(source).target
    assert str(target["effectiveDateTime"]) == "1980-02-04"
    assert target["interpretation"][0]["text"] == "F"
    assert target["code"]["coding"][0]["display"] == 'It\'s "x"'
    assert target["component"][0]["valueString"] == "2"
