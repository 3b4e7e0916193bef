"""How a CDA tree is asked."""

from __future__ import annotations

from fhir_bridge.cda import Node, parse
from tests.cda.test_document import document


def first(body: str) -> Node:
    """The node of the first element in `body`."""
    tree = parse(document(body)).tree
    name = body.lstrip("<").split(" ", 1)[0].split(">", 1)[0].split(":")[-1]
    found = tree.get(name)
    assert isinstance(found, Node)
    return found


def test_attributes_children_and_lists() -> None:
    """Attributes and children answer by local name, repeated children as a list in order."""
    node = first(
        '<recordTarget typeCode="RCT"><id root="1"/><id root="2"/><name>张三</name></recordTarget>'
    )
    assert str(node.get("typeCode")) == "RCT"
    assert [str(one.get("root")) for one in node.get("id")] == ["1", "2"]
    assert str(node.get("name").get("xmlText")) == "张三"
    assert node.get("absent") is None
    assert list(node.keys()) == ["typeCode", "id", "name"]


def test_other_namespaces_answer_to_local_names() -> None:
    """Extensions (sdtc) are reached by their local names."""
    node = first('<recordTarget><s:raceCode xmlns:s="urn:hl7-org:sdtc" code="x"/></recordTarget>')
    assert str(node.get("raceCode").get("code")) == "x"


def test_xsi_type_is_the_type_name() -> None:
    """xsi:type names the type, without prefix, and is no attribute."""
    node = first('<recordTarget xsi:type="v3:PQ" value="1.10"/>')
    assert (node.type_name, list(node.keys())) == ("PQ", ["value"])
    assert str(node.get("value")) == "1.10"


def test_dirty_codes_are_cleaned() -> None:
    """Blanks inside data-element codes and OIDs are removed, other values are only trimmed."""
    node = first(
        '<recordTarget code="DE01. 00.010.00" codeSystem="2.16.156. 10011.2.2.1" displayName=" a b "/>'
    )
    assert str(node.get("code")) == "DE01.00.010.00"
    assert str(node.get("codeSystem")) == "2.16.156.10011.2.2.1"
    assert str(node.get("displayName")) == "a b"


def test_places() -> None:
    """Nodes and texts tell line and path, with a position where elements repeat."""
    node = first('<recordTarget>\n<id root="1"/>\n<id root="2"/></recordTarget>')
    second = node.get("id")[1]
    assert second.where == "line 3, /ClinicalDocument/recordTarget/id[2]"
    assert second.get("root").where == "line 3, /ClinicalDocument/recordTarget/id[2]/@root"


def test_narrative() -> None:
    """Section text becomes XHTML with tables and without anything that could run."""
    node = first(
        "<text>主诉 &lt;b&gt;<table><tr><td colspan='2' onclick='x'>头痛</td></tr></table>"
        "<script>alert(1)</script><content>三天</content></text>"
    )
    assert str(node.get("narrative")) == (
        '<div xmlns="http://www.w3.org/1999/xhtml">主诉 &lt;b&gt;<table><tr><td colspan="2">头痛</td>'
        "</tr></table><span>三天</span></div>"
    )
    assert first("<text> </text>").get("narrative") is None


def test_a_text_that_refers_to_the_narrative_has_the_words_there() -> None:
    """Only text, originalText and value refer so; a name that leads nowhere gives nothing."""
    tree = parse(
        document(
            '<component><text><item ID="a1">Take <b>one</b>\n daily</item></text>'
            '<code><originalText><reference value="#a1"/></originalText></code>'
            '<value><reference value="#zz"/></value></component>'
        )
    ).tree
    part = tree.get("component")
    assert isinstance(part, Node)
    assert str(part.get("code").get("originalText").get("xmlText")) == "Take one daily"
    assert part.get("value").get("xmlText") is None


def test_the_subject_of_an_element_around_holds_inside() -> None:
    """The nearest subject counts; where nobody is named, the patient is meant."""
    tree = parse(
        document(
            '<component><section><subject><relatedSubject classCode="PRS"/></subject>'
            "<entry><observation/></entry></section></component><component><section>"
            "<entry><observation/></entry></section></component>"
        )
    ).tree
    told, untold = tree.get("component")
    of_another = told.get("section").get("entry").get("observation").get("subjectInContext")
    assert str(of_another.get("relatedSubject").get("classCode")) == "PRS"
    assert untold.get("section").get("entry").get("observation").get("subjectInContext") is None


def test_a_place_is_unique_in_its_document() -> None:
    """Two elements of one line and name have two places."""
    tree = parse(document("<entry><act/><act/></entry>")).tree
    places = [str(act.get("ownPlace")) for act in tree.get("entry").get("act")]
    assert len(set(places)) == 2
    assert all("/entry/act[" in place for place in places)
