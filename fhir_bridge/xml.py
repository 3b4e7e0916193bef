"""The one hardened door to XML (the only importer of lxml).

No DTD, no entity but the five predefined ones, no network, no XInclude, bounded depth
and size.  Follows the OWASP XML External Entity Prevention Cheat Sheet
(https://cheatsheetseries.owasp.org/cheatsheets/XML_External_Entity_Prevention_Cheat_Sheet.html).
"""

from __future__ import annotations

import re
import threading

from lxml import etree

from fhir_bridge.errors import BridgeError

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_TAGS", "Element", "parse", "render"]

Element = etree._Element  # noqa: SLF001 - the type has no public name

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 200
MAX_TAGS = 4_000_000
"""Beginnings and ends of elements: each element costs some hundred bytes of memory."""
_OWN = threading.local()
_DOCTYPE = re.compile(rb"<!\s*DOCTYPE|<!\s*ENTITY", re.IGNORECASE)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_CHINESE = frozenset({"gb2312", "gbk", "gb18030", "gb_2312-80", "cp936"})


def parse(data: bytes, *, max_depth: int = MAX_DEPTH) -> Element:
    """The root element of `data`.

    Raises BridgeError FB-1010 (not well-formed; names the line), FB-1011 (DTD or entity),
    FB-1002 (too deep), FB-1003 (too large) or FB-1004 (too many elements).
    """
    if len(data) > MAX_BYTES:
        raise BridgeError("FB-1003", limit=MAX_BYTES)
    data = _as_utf8(data)
    if data.count(b"<") > MAX_TAGS:
        raise BridgeError("FB-1004", limit=MAX_TAGS // 2)
    if _DOCTYPE.search(data):
        raise BridgeError("FB-1011")
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise BridgeError(
            "FB-1010", f"line {line}, column {column}", reason=_reason(error)
        ) from None
    if data.count(b"</") >= max_depth:  # with fewer ends no element has so many around it
        _bound_depth(root, max_depth)
    return root


def render(root: Element, *, pretty: bool = False) -> bytes:
    """`root` as UTF-8 text with an XML declaration."""
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=pretty)


def _parser() -> etree.XMLParser:
    """The parser of this thread: to make one costs more than to read a narrative."""
    found: etree.XMLParser | None = getattr(_OWN, "parser", None)
    if found is None:
        found = _OWN.parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
    return found


def _as_utf8(data: bytes) -> bytes:
    """Documents in the GB family and in UTF-16 as UTF-8, so that one scan sees them all."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _redeclared(_decoded(data, "utf-16"))
    if data[:2] in (b"<\x00", b"\x00<"):
        return _redeclared(_decoded(data, "utf-16-le" if data[:1] == b"<" else "utf-16-be"))
    declared = _DECLARED.match(data[3:] if data.startswith(b"\xef\xbb\xbf") else data)
    name = declared.group(1).decode("ascii").lower() if declared else "utf-8"
    if name in _CHINESE:
        return _redeclared(_decoded(data, "gb18030"))
    if name not in ("utf-8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252"):
        raise BridgeError("FB-1010", "line 1", reason=f"the encoding {name} is not supported")
    return data


def _decoded(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset)
    except UnicodeDecodeError as error:
        raise BridgeError(
            "FB-1010", f"byte {error.start}", reason=f"the bytes are not {charset}"
        ) from None


def _redeclared(text: str) -> bytes:
    body = re.sub(r"^\ufeff?\s*<\?xml[^>]*\?>", "", text, count=1)
    return body.encode("utf-8")


def _bound_depth(root: Element, limit: int) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > limit:
            raise BridgeError("FB-1002", limit=limit)


def _reason(error: etree.XMLSyntaxError) -> str:
    """libxml2's sentence without quoted content, which may be patient data."""
    text = re.sub(r", line \d+, column \d+.*$", "", str(error.msg or "not well-formed"))
    return re.sub(r"'[^']{25,}'", "'…'", text)
