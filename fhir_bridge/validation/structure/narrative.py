"""What a narrative may hold: plain XHTML formatting, never active content.

https://hl7.org/fhir/R4/narrative.html#xhtml (rules txt-1 and txt-2)
"""

from __future__ import annotations

import re
from typing import Any

from fhir_bridge import xml
from fhir_bridge.errors import BridgeError
from fhir_bridge.validation.context import current
from fhir_bridge.validation.finding import Findings, fault

__all__ = ["check_narrative"]

_XHTML = "{http://www.w3.org/1999/xhtml}"
_ELEMENT_NAMES = (
    "a abbr acronym address b big blockquote br caption cite code col colgroup dd dfn div dl dt em"
    " h1 h2 h3 h4 h5 h6 hr i img li ol p pre q samp small span strong sub sup table tbody td tfoot"
    " th thead tr tt ul var"
)
_ATTRIBUTE_NAMES = (
    "abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign"
    " char charoff charset cite class colspan compact coords dir frame headers height href hreflang"
    " hspace id lang longdesc name nowrap rel rev rowspan rules scope shape space span src start style"
    " summary tabindex title type valign value vspace width"
)
_ELEMENTS = frozenset(_ELEMENT_NAMES.split())
_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_FOLLOWED = re.compile(r"(?:https?|mailto|tel|ftp):", re.IGNORECASE)
_ANCHOR = re.compile(r"""\s(?:id|name)\s*=\s*["']([^"']+)["']""")
_ACTIVE = ("javascript:", "vbscript:", "data:text/html")


def check_narrative(text: object, *, dead_links: bool = True) -> Findings:
    """Findings on the XHTML `text` of ``Narrative.div``; on links that lead nowhere unless they may."""
    if not isinstance(text, str):
        return fault("FB-3006", name="div", expected="a string")
    try:
        root = xml.parse(text.encode("utf-8", "surrogatepass"))
    except BridgeError as error:
        return fault("FB-3019", reason=f"it cannot be read ({error.issues[0].sentence})")
    if root.tag != f"{_XHTML}div":
        return fault("FB-3019", reason="it is not a div of the XHTML namespace")
    for element in root.iter():
        name = str(element.tag).removeprefix(_XHTML)
        if name not in _ELEMENTS:
            return fault("FB-3019", reason="it holds an element that is not allowed")
        for attribute, value in element.attrib.items():
            if str(attribute).rpartition("}")[2] not in _ATTRIBUTES:
                return fault("FB-3019", reason="it holds an attribute that is not allowed")
            if str(value).strip().lower().startswith(_ACTIVE):
                return fault("FB-3019", reason="it holds an active link")
    if not dead_links and _has_dead_link(root, text):
        return fault("FB-3019", reason="it holds a link that leads nowhere")
    if not any(piece.strip() for piece in root.itertext()) and root.find(f".//{_XHTML}img") is None:
        return fault("FB-3019", reason="it is empty")
    return None


def _has_dead_link(root: Any, text: str) -> bool:
    links = [str(element.get("href")).strip() for element in root.iter(f"{_XHTML}a")]
    if any(_SCHEME.match(link) and not _FOLLOWED.match(link) for link in links):
        return True
    fragments = {link[1:] for link in links if link.startswith("#")} - {""}
    return bool(fragments) and not fragments <= _anchors(text)


def _anchors(text: str) -> set[str]:
    """What a link within `text` may lead to: ids and names of its elements, ids of the resource's parts."""
    anchors = set(_ANCHOR.findall(text))
    waiting: list[Any] = [current().outermost]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            anchors.add(str(node.get("id")))
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
        elif isinstance(node, str) and node.startswith("<"):
            anchors.update(_ANCHOR.findall(node))
    return anchors
