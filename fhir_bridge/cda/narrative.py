"""Section text of a CDA document as the XHTML of a FHIR Narrative.

CDA R2 narrative block (https://hl7.org/cda/stds/core/StructureDefinition-StrucDoc.Text.html)
to https://hl7.org/fhir/R4/narrative.html#xhtml.  Tables, lists, paragraphs and emphasis
keep their meaning; every other element becomes a ``span``; scripts, links to elsewhere and
event attributes never get through, because only known names and no attributes but
``colspan`` and ``rowspan`` are written.  XHTML has a caption in a table only and no block in
a paragraph: a caption elsewhere is bold, a paragraph around a list or table is a ``div``.
"""

from __future__ import annotations

from html import escape

from fhir_bridge import xml

__all__ = ["render_narrative"]

_NAMES = {
    "paragraph": "p",
    "list": "ul",
    "item": "li",
    "table": "table",
    "thead": "thead",
    "tbody": "tbody",
    "tfoot": "tfoot",
    "tr": "tr",
    "td": "td",
    "th": "th",
    "caption": "caption",
    "br": "br",
    "sub": "sub",
    "sup": "sup",
    "p": "p",
    "b": "b",
    "i": "i",
    "ul": "ul",
    "ol": "ol",
    "li": "li",
    "div": "div",
}
_SKIPPED = frozenset({"script", "style", "renderMultiMedia", "colgroup", "col"})
_BLOCKS = frozenset({"paragraph", "list", "table", "p", "ul", "ol", "div"})
_LISTS = frozenset({"list", "ul", "ol"})
_INSIDE_TABLE = frozenset({"table", "thead", "tbody", "tfoot", "tr"})


def render_narrative(element: xml.Element) -> str:
    """The content of `element` as ``<div xmlns=…>…</div>``; empty when it holds no text."""
    parts: list[str] = []
    _write_content(element, parts)
    content = "".join(parts).strip()
    if not "".join(str(text) for text in element.itertext()).strip():
        return ""
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>'


def _write_content(element: xml.Element, parts: list[str]) -> None:
    structural = _local(element) in _INSIDE_TABLE
    if element.text and not structural:
        parts.append(escape(element.text, quote=False))
    for child in element:
        _write(child, parts)
        if child.tail and not structural:
            parts.append(escape(child.tail, quote=False))


def _write(element: xml.Element, parts: list[str]) -> None:
    name = _local(element)
    if name in _SKIPPED:
        return
    tag = "ol" if name == "list" and element.get("listType") == "ordered" else _NAMES.get(name, "")
    if tag == "br":
        parts.append("<br/>")
        return
    if tag == "caption" and _holder(element) != "table":
        _write_heading(element, parts)
        return
    tag = tag or "span"
    if tag in ("p", "span") and any(_local(one) in _BLOCKS for one in element.iterdescendants("*")):
        tag = "div"
    spans = "".join(
        f' {key}="{value}"'
        for key in ("colspan", "rowspan")
        if (value := element.get(key, "")).isdigit()
    )
    parts.append(f"<{tag}{spans}>")
    _write_content(element, parts)
    parts.append(f"</{tag}>")


def _write_heading(element: xml.Element, parts: list[str]) -> None:
    """The caption of a list or paragraph: bold, in an item of its own where only items may stand."""
    heading: list[str] = []
    _write_content(element, heading)
    bold = f"<b>{''.join(heading)}</b>"
    parts.append(f"<li>{bold}</li>" if _holder(element) in _LISTS else bold)


def _holder(element: xml.Element) -> str:
    parent = element.getparent()
    return "" if parent is None else _local(parent)


def _local(element: xml.Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]
