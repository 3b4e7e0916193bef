"""Narrative inside of FHIR XML: kept as the sender wrote it, letter by letter.

https://hl7.org/fhir/R4/narrative.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhir_bridge import xml
from fhir_bridge.fhir.xml_parts import FHIR_NAMESPACE, XHTML_NAMESPACE

__all__ = ["DIV", "FHIR", "Narratives", "div_spans", "narrative_text", "narratives_of"]

Narratives = dict[xml.Element, str]

FHIR = f"{{{FHIR_NAMESPACE}}}"
DIV = f"{{{XHTML_NAMESPACE}}}div"
_OWN_NAMESPACE = re.compile(rf"<div\b[^>]*\bxmlns=[\"']{XHTML_NAMESPACE}[\"']")
_DIV_TAG = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"
    r"|(?P<close></(?:[\w.-]+:)?div\s*>)"
    r"|(?P<open><(?:[\w.-]+:)?div(?=[\s/>])(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>)",
    re.DOTALL,
)


def narratives_of(root: xml.Element, data: bytes) -> Narratives:
    """The text of each narrative exactly as the sender wrote it, where it can be cut out.

    A div that inherits its namespace or uses a prefix cannot; it is written anew.
    """
    divs = [div for div in root.iter(DIV) if (above := div.getparent()) is None or _in_fhir(above)]
    try:
        spans = list(div_spans(data.decode()))
    except UnicodeDecodeError:
        return {}
    if len(spans) != len(divs):
        return {}
    return {
        div: text.replace("\r\n", "\n")
        for div, text in zip(divs, spans, strict=True)
        if _OWN_NAMESPACE.match(text)
    }


def _in_fhir(element: xml.Element) -> bool:
    return str(element.tag).startswith(FHIR)


def div_spans(text: str) -> Iterator[str]:
    """The text of each outermost div of `text`, in order."""
    depth = begin = 0
    for match in _DIV_TAG.finditer(text):
        if match["close"]:
            depth -= 1
            if depth == 0:
                yield text[begin : match.end()]
        elif match["open"]:
            if depth == 0:
                begin = match.start()
            if not match["open"].endswith("/>"):
                depth += 1
            elif depth == 0:
                yield match[0]


def narrative_text(div: xml.Element) -> str:
    """`div` written anew in its own namespace: without prefixes and what it inherits of others."""
    namespaces: dict[str | None, str] = {None: XHTML_NAMESPACE}
    anew = div.makeelement(div.tag, _attributes(div), namespaces)  # type: ignore[arg-type]
    _copy(div, anew)
    return xml.render(anew).decode().partition("?>")[2].strip()


def _copy(source: xml.Element, target: xml.Element) -> None:
    target.text = source.text
    for child in source:
        copied = target.makeelement(child.tag, _attributes(child))
        target.append(copied)
        _copy(child, copied)
        copied.tail = child.tail


def _attributes(element: xml.Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in element.attrib.items()}
