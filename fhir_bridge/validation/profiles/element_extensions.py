"""What extensions of an element definition ask of the element.

https://hl7.org/fhir/R5/elementdefinition.html (mustHaveValue, valueAlternatives, as extensions of
R5 on R4), https://hl7.org/fhir/extensions/StructureDefinition-narrative-language-control.html,
https://hl7.org/fhir/extensions/StructureDefinition-narrative-source-control.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fhir_bridge import xml
from fhir_bridge.errors import BridgeError
from fhir_bridge.validation.context import current
from fhir_bridge.validation.finding import Finding, Findings, Judge, fault
from fhir_bridge.validation.values import stated_value

__all__ = ["ValueTest", "narrative_judges", "value_test"]

_R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition."
_R4 = "http://hl7.org/fhir/StructureDefinition/"
_SOURCES = frozenset({"boilerplate", "generated", "original"})
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

ValueTest = Callable[[Mapping[str, Any] | None], bool]
"""Whether a primitive that has this companion (id, extensions) may do without its value."""


def value_test(element: Mapping[str, Any]) -> ValueTest | None:
    """The test of an element that must have a value or one of a few extensions; None of others."""
    if True in _said(element, f"{_R5}mustHaveValue"):
        return lambda _companion: False
    instead = frozenset(_said(element, f"{_R5}valueAlternatives"))
    if not instead:
        return None

    def is_replaced(companion: Mapping[str, Any] | None) -> bool:
        extensions = companion.get("extension", ()) if companion else ()
        return any(extension.get("url") in instead for extension in extensions)

    return is_replaced


def narrative_judges(element: Mapping[str, Any]) -> list[Judge]:
    """The judges of a Narrative whose sources or languages are to be told apart."""
    judges: list[Judge] = []
    if any(_said(element, f"{_R4}narrative-source-control")):
        judges.append(_sources)
    languages = [str(code) for code in _said(element, f"{_R4}narrative-language-control")]
    if languages:
        judges.append(lambda narrative: _languages(narrative, languages))
    return judges


def _said(element: Mapping[str, Any], url: str) -> Iterator[Any]:
    for extension in element.get("extension", ()):
        if extension.get("url") == url:
            yield stated_value(extension, "value")


def _sources(narrative: Any) -> Findings:
    """Each part of the narrative says by its class where it comes from."""
    root = _root(narrative)
    if root is None:
        return None
    parts = [set(str(child.get("class", "")).split()) for child in root]
    loose = [root.text, *(child.tail for child in root)]
    if any(text and text.strip() for text in loose) or any(_SOURCES.isdisjoint(p) for p in parts):
        return _not_allowed("a part does not say its source by a class")
    return None


def _languages(narrative: Any, asked: list[str]) -> Findings:
    """The sections of a narrative in the languages that are asked for."""
    root = _root(narrative)
    if root is None:
        return None
    spoken = {str(child.get(_LANG) or child.get("lang") or "") for child in root} - {""}
    resource = current().resource
    own = str(resource.get("language", "")) if isinstance(resource, dict) else ""
    for code in asked:
        if code == "_no" and spoken:
            return _not_allowed("it has sections by language")
        if code == "_yes" and not spoken:
            return _not_allowed("it has no sections by language")
        wanted = own if code == "_resource" else "" if code.startswith("_") else code
        if wanted and wanted not in spoken:
            return _not_allowed(f"it has no section in {wanted}")
    return None


def _root(narrative: Any) -> Any:
    text = narrative.get("div") if isinstance(narrative, dict) else None
    try:
        return xml.parse(text.encode("utf-8", "surrogatepass")) if isinstance(text, str) else None
    except BridgeError:
        return None  # the structure check names it


def _not_allowed(reason: str) -> list[Finding]:
    return fault("FB-3019", reason=reason)
