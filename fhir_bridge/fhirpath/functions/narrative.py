"""Which XHTML a narrative may hold (https://hl7.org/fhir/R4/narrative.html#security)."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_bridge import xml
from fhir_bridge.errors import BridgeError

__all__ = ["is_safe_fragment", "is_safe_narrative"]

_XHTML = "{http://www.w3.org/1999/xhtml}"
_ELEMENTS = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "big",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "ul",
        "var",
        "map",
        "area",
        "bdo",
        "ins",
        "del",
        "address",
        "kbd",
        "u",
    ]
)
_ATTRIBUTES = frozenset(
    [
        "abbr",
        "accesskey",
        "align",
        "alt",
        "axis",
        "bgcolor",
        "border",
        "cellhalign",
        "cellpadding",
        "cellspacing",
        "cellvalign",
        "char",
        "charoff",
        "charset",
        "cite",
        "class",
        "colspan",
        "compact",
        "coords",
        "dir",
        "frame",
        "headers",
        "height",
        "href",
        "hreflang",
        "hspace",
        "id",
        "lang",
        "longdesc",
        "name",
        "nowrap",
        "rel",
        "rev",
        "rowspan",
        "rules",
        "scope",
        "shape",
        "span",
        "src",
        "start",
        "style",
        "summary",
        "tabindex",
        "title",
        "type",
        "valign",
        "value",
        "vspace",
        "width",
    ]
)
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def is_safe_narrative(text: str) -> bool:
    """Whether `text` is one XHTML div with some content and without active content.

    >>> is_safe_narrative('<div xmlns="http://www.w3.org/1999/xhtml">ok</div>')
    True
    """
    try:
        root = xml.parse(text.encode("utf-8", "replace"))
    except BridgeError:
        return False
    if root.tag != f"{_XHTML}div":
        return False
    elements = list(root.iter())
    content = any(
        (element.text or "").strip() or (element.tail or "").strip() for element in elements
    )
    images = any(element.tag == f"{_XHTML}img" for element in elements)
    return (content or images) and all(_names_are_safe(element) for element in elements)


def is_safe_fragment(text: str) -> bool:
    """The same for text that may hold markup but need not be a div.

    >>> is_safe_fragment("<b>bold</b>"), is_safe_fragment("<script>no</script>")
    (True, False)
    """
    return is_safe_narrative(f'<div xmlns="{_XHTML[1:-1]}">{text}</div>')


def _names_are_safe(element: xml.Element) -> bool:
    tag = str(element.tag)
    if not tag.startswith(_XHTML) or tag.removeprefix(_XHTML) not in _ELEMENTS:
        return False
    return all(_attribute_is_safe(name, value) for name, value in _attributes(element))


def _attributes(element: xml.Element) -> Iterator[tuple[str, str]]:
    for name, value in element.attrib.items():
        yield str(name), str(value)


def _attribute_is_safe(name: str, value: str) -> bool:
    if name != _LANGUAGE and name not in _ATTRIBUTES:
        return False
    return not (name in ("href", "src") and value.strip().casefold().startswith("javascript:"))
