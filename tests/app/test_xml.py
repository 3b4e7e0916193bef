"""The one door to XML: what is read, what is refused, where a fault is placed."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_bridge import xml
from fhir_bridge.errors import BridgeError
from tests.conformance import security_json, security_xml


def _refused(data: bytes, **bounds: int) -> BridgeError:
    with pytest.raises(BridgeError) as refused:
        xml.parse(data, **bounds)
    return refused.value


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE a [<!ENTITY x "1">]><a>&x;</a>',
        b"<!doctype a><a/>",
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
        b'\xef\xbb\xbf<?xml version="1.0"?><!DOCTYPE a><a/>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
        "<!DOCTYPE a><a/>".encode("utf-16-le"),
        "<!DOCTYPE a><a/>".encode("utf-16-be"),
        '<?xml version="1.0" encoding="GBK"?><!DOCTYPE a [<!ENTITY x "张">]><a/>'.encode("gbk"),
    ],
)
def test_a_document_type_is_refused_in_every_encoding(data):
    """Nobody of ours sends one, and everything bad begins with one."""
    assert "FB-1011" == _refused(data).code


@pytest.mark.parametrize("name", ["UTF-7", "EBCDIC-CP-US", "UTF-32", "ISO-2022-JP"])
def test_an_encoding_that_could_hide_markup_is_refused(name):
    """The scan must see the bytes that the parser will see."""
    assert "FB-1010" == _refused(f'<?xml version="1.0" encoding="{name}"?><a/>'.encode()).code


@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "gbk", "gb2312", "utf-16"])
def test_chinese_text_is_read_in_the_encodings_that_hospitals_use(charset):
    """By the declaration, or by the mark of UTF-16."""
    data = f'<?xml version="1.0" encoding="{charset}"?><a b="市">张三</a>'.encode(charset)
    root = xml.parse(data)

    assert ("张三", "市") == (root.text, root.get("b"))


def test_a_fault_is_placed_by_line_and_column():
    """The sender looks for it in their own file."""
    fault = _refused(b"<a>\n  <b>\n</a>")

    assert ("FB-1010", "line 3, column 5") == (fault.code, fault.issues[0].where)


def test_a_fault_does_not_repeat_what_the_document_says():
    """A sentence about a document must not carry a patient's data into a log."""
    fault = _refused('<a 姓名="张三丰与他的一位很长名字的朋友们一起来到这里看病 <"></a>'.encode())

    assert "张三丰" not in str(fault)


def test_bytes_that_do_not_fit_the_declaration_are_refused_with_their_place():
    """GB18030 that is cut in the middle of a character."""
    data = '<?xml version="1.0" encoding="GB18030"?><a>张'.encode("gb18030")[:-1]

    assert "FB-1010" == _refused(data).code


def test_depth_is_bounded():
    """Exactly at the bound is read; one more level is refused."""
    assert 3 == len(list(xml.parse(b"<a><b><c/></b></a>", max_depth=3).iter()))
    assert "FB-1002" == _refused(b"<a><b><c/></b></a>", max_depth=2).code
    assert _refused(b"<a>" * 100_000 + b"</a>" * 100_000).code in {"FB-1002", "FB-1010"}


def test_size_is_bounded(monkeypatch):
    """Before anything is read."""
    monkeypatch.setattr(xml, "MAX_BYTES", 10)

    assert "FB-1003" == _refused(b"<a>1234</a>").code


def test_comments_and_instructions_are_left_out():
    """They carry nothing that may be kept, and split texts."""
    root = xml.parse(
        b'<?xml-stylesheet href="http://127.0.0.1:9/x"?><a>1<!-- no -->2<?php x?>3</a>'
    )

    assert "123" == "".join(root.itertext())


def test_rendered_text_is_read_back():
    """UTF-8 with its declaration."""
    root = xml.parse('<a xmlns="urn:x">张<b c="&amp;&#10;"/>三</a>'.encode())
    text = xml.render(root)

    assert text.startswith(b"<?xml")
    assert xml.render(xml.parse(text)) == text


@pytest.mark.parametrize(
    ("suite", "tree"), [(security_xml, "security/xml"), (security_json, "security/json")]
)
def test_no_published_attack_passes(suite, tree, shared: Path):
    """The suites of attacks, each case in its limits."""
    folder = shared / "conformance" / tree
    if not folder.is_dir():
        pytest.skip(f"no {tree} in the shared material")
    results = list(suite.run(folder))

    assert results
    assert [] == [result for result in results if result.outcome == "failed"]


def test_a_document_of_millions_of_elements_is_refused(monkeypatch):
    """Each costs far more memory than the bytes that make it."""
    monkeypatch.setattr(xml, "MAX_TAGS", 10)
    assert "FB-1004" == _refused(b"<a>" + b"<b/>" * 20 + b"</a>").code
    xml.parse(b"<a>" + b"<b/>" * 5 + b"</a>")
