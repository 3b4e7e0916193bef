"""What a file is: CDA document, V3 interaction, or refused with a code and a line."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from fhir_bridge import cda
from fhir_bridge.errors import BridgeError

HEAD = (
    '<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    '<templateId root="2.16.156.10011.2.1.1.27"/>'
    '<code code="C0007" codeSystem="2.16.156.10011.2.4"/>'
)


def document(body: str = "<recordTarget/>") -> bytes:
    """A small document with `body` after its code."""
    return f"{HEAD}{body}</ClinicalDocument>".encode()


def test_header_facts() -> None:
    """A document tells its code, the system of the code and its templates."""
    parsed = cda.parse(document())
    assert (parsed.form, parsed.kind, parsed.kind_system, parsed.template_ids) == (
        "document",
        "C0007",
        "2.16.156.10011.2.4",
        ("2.16.156.10011.2.1.1.27",),
    )
    assert parsed.issues == ()


def test_interaction() -> None:
    """A V3 interaction is known by the name of its root, with or without a release number."""
    for name in ("PRPA_IN201311UV02", "PRPA_IN400001UV"):
        parsed = cda.parse(f'<{name} xmlns="urn:hl7-org:v3"/>'.encode())
        assert (parsed.form, parsed.kind) == ("interaction", name)


def test_other_roots_are_refused() -> None:
    """XML of another kind is refused by name and line."""
    with pytest.raises(BridgeError) as caught:
        cda.parse(b"<hospital><patient/></hospital>")
    assert caught.value.code == "FB-1201"
    assert "line 1" in str(caught.value)


def test_broken_text_names_the_line() -> None:
    """Malformed XML is refused with the line that is broken."""
    with pytest.raises(BridgeError) as caught:
        cda.parse(document('<recordTarget>\n<id root="1"extension="2"/>\n</recordTarget>'))
    assert caught.value.code == "FB-1010"
    assert "line 2" in caught.value.issues[0].where


def test_missing_parts_are_issues() -> None:
    """No namespace and no recordTarget are told, and the document is still read."""
    parsed = cda.parse(b"<ClinicalDocument><title>x</title></ClinicalDocument>")
    assert [issue.code for issue in parsed.issues] == ["FB-1202", "FB-1203"]
    assert str(parsed.tree.get("title").get("xmlText")) == "x"


def test_the_original_travels_with_the_tree() -> None:
    """The root answers the very bytes that came, in base64, with size and SHA-1."""
    data = document()
    tree = cda.parse(data).tree
    assert base64.b64decode(tree.get("original")) == data
    assert tree.get("originalSize") == str(len(data))
    assert len(base64.b64decode(tree.get("originalHash"))) == 20


def test_gb18030_documents() -> None:
    """A document that declares GB18030 is read by that charset."""
    text = (
        f'<?xml version="1.0" encoding="GB18030"?>{HEAD}<title>检验记录</title></ClinicalDocument>'
    )
    tree = cda.parse(text.encode("gb18030")).tree
    assert str(tree.get("title").get("xmlText")) == "检验记录"


def test_chinese_samples(shared: Path) -> None:
    """Each WS/T 500 sample is read, or refused with the line that is broken."""
    read, refused = 0, []
    for path in sorted((shared / "samples/cn/cda-wst500").glob("*.xml")):
        try:
            parsed = cda.parse(path.read_bytes())
        except BridgeError as error:
            refused.append((error.code, error.issues[0].where[:5]))
        else:
            read += 1
            assert parsed.kind.startswith("C00")
    assert read > 20
    assert set(refused) <= {("FB-1010", "line ")}
