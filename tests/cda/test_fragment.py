"""Pieces of documents and undeclared prefixes, where a reader allows them."""

from __future__ import annotations

import pytest

from fhir_bridge import cda
from fhir_bridge.errors import BridgeError

SECTION = b"""<!-- a > in a comment --><section><code code="30954-2"/><entry><observation>
<code code="718-7"/><value xsi:type="PQ" value="135" unit="g/L"/><sdtc:note/></observation></entry></section>"""


def codes(document: cda.Document) -> list[str]:
    """The codes of what was found on the way."""
    return [issue.code for issue in document.issues]


def test_a_bare_section_with_undeclared_prefixes_is_read_as_part_of_a_document() -> None:
    """It stands in structuredBody of a document with an empty recordTarget; both oddities are told."""
    document = cda.parse(SECTION, fragments=True)

    body = document.tree.get("component").get("structuredBody")
    section = body.get("component").get("section")
    assert section.get("code").get("code") == "30954-2"
    assert section.get("entry").get("observation").get("value").type_name == "PQ"
    assert document.tree.get("recordTarget") is not None
    assert codes(document) == ["FB-1205", "FB-1204"]


@pytest.mark.parametrize(
    ("piece", "path"),
    [
        ("<entry/>", ["component", "structuredBody", "component", "section", "entry"]),
        ("<component><section/></component>", ["component", "structuredBody", "component"]),
        ("<component><structuredBody/></component>", ["component", "structuredBody"]),
        ("<author/>", ["author"]),
        ("<patient/>", ["recordTarget", "patientRole", "patient"]),
        ("<encounterParticipant/>", ["componentOf", "encompassingEncounter"]),
    ],
)
def test_a_piece_is_hung_where_the_standard_has_it(piece: str, path: list[str]) -> None:
    """CDA R2 section 4.3 says what stands in what."""
    node = cda.parse(piece.encode(), fragments=True).tree
    for name in path:
        node = node.get(name)
        assert node is not None


@pytest.mark.parametrize(
    "data", [SECTION, b"<ClinicalDocument xmlns='urn:hl7-org:v3'><x:y/></ClinicalDocument>"]
)
def test_without_the_option_a_piece_is_refused(data: bytes) -> None:
    """A feed of a source system takes whole, well-formed documents."""
    with pytest.raises(BridgeError) as refused:
        cda.parse(data)
    assert refused.value.code in ("FB-1010", "FB-1201")


def test_what_is_no_piece_of_a_document_is_still_refused() -> None:
    """Any other XML is not wrapped, and declaring prefixes does not open the door to a DTD."""
    for data, code in [
        (b"<order/>", "FB-1201"),
        (b"<!DOCTYPE a [<!ENTITY x 'y'>]><section>&x;</section>", "FB-1011"),
        (b"<section><other:thing/></section>", "FB-1010"),
        (b"<!-- never closed <section/>", "FB-1010"),
    ]:
        with pytest.raises(BridgeError) as refused:
            cda.parse(data, fragments=True)
        assert refused.value.code == code
