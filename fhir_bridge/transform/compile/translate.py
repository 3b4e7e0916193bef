"""``translate``: a code to a code, Coding or CodeableConcept by a concept map.

https://hl7.org/fhir/R4/structuremap.html#transforms, https://hl7.org/fhir/R4/conceptmap.html

An unmapped code is an issue with the source position (FB-2201), never a blank; a null stays
one in whatever shape is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir.marks import NULL
from fhir_bridge.terminology import uri_of
from fhir_bridge.transform.compile.unit import CompilationUnit, RuleView
from fhir_bridge.transform.runtime.run import Run
from fhir_bridge.transform.runtime.source import Item, carried, scalar
from fhir_bridge.transform.runtime.target import Target

__all__ = ["OID_TO_URI", "as_item", "compile_translate", "plain_value", "translator"]

Compute = Callable[[Run, list[Any]], Any]
_KINDS = {"code": "code", "uri": "uri", "system": "uri"}
OID_TO_URI = "http://hl7.org/fhir/ConceptMap/special-oid2uri"


def compile_translate(arguments: list[Compute], view: RuleView) -> Compute:
    """The function of ``translate(code, url, output)`` over already compiled parameters."""
    translate = translator(view)

    def run_translate(run: Run, frame: list[Any]) -> Any:
        value = arguments[0](run, frame)
        url = str(plain_value(arguments[1](run, frame)))
        output = str(plain_value(arguments[2](run, frame))) if len(arguments) > 2 else "code"
        return translate(run, frame, value, url, output)

    return run_translate


def translator(view: RuleView) -> Callable[[Run, list[Any], Any, str, str], Any]:
    """The function ``(run, frame, coded value, url of the map, output)``."""
    unit, location, here = view.unit, view.location, view.here
    concept_maps = unit.concept_maps

    def translate(run: Run, frame: list[Any], value: Any, url: str, output: str) -> Any:
        item = as_item(value)
        system, code = _coded(item)
        if not code:
            return None
        if NULL in code:
            return _translated(NULL, NULL, NULL, "uri" if url == OID_TO_URI else output, unit)
        if url == OID_TO_URI:
            return Item(uri_of(code), unit.shapes.find("uri"))
        origin = item if item is not None and item.parent is not None else frame[here]
        try:
            found = concept_maps.translate(url.removeprefix("#"), system, code)
        except BridgeError as error:  # no such concept map, or one that cannot be used
            lead = error.issues[0]
            raise location.failure(lead.code, as_item(origin), **lead.details) from None
        if found is None:
            run.report("FB-2201", location, as_item(origin), code=code, url=url)
            return None
        return _translated(found.system, found.code, found.display, output, unit)

    return translate


def _coded(item: Item | None) -> tuple[str, str]:
    """The system and code of a code, Coding or CodeableConcept."""
    if item is None:
        return "", ""
    value = item.value
    if type(value) is dict:
        coding = value["coding"][0] if value.get("coding") else value
        return str(coding.get("system") or ""), str(coding.get("code") or coding.get("value") or "")
    text = value if type(value) is str else scalar(value)
    return "", "" if text is None else str(text)


def _translated(system: str, code: str, display: str, output: str, unit: CompilationUnit) -> Item:
    find = unit.shapes.find
    if output in ("Coding", "coding", "CodeableConcept"):
        coding: dict[str, Any] = {"system": system} if system else {}
        coding["code"] = code
        if display:
            coding["display"] = display
        if output == "CodeableConcept":
            return Item({"coding": [coding]}, find("CodeableConcept"))
        return Item(coding, find("Coding"))
    chosen = system if output == "system" else display if output == "display" else code
    return Item(chosen, find(_KINDS.get(output, "string")))


def plain_value(value: Any) -> Any:
    """What a function sees: scalars plain, nodes as they are."""
    kind = type(value)
    if kind is Item or kind is Target:
        value = value.value
        kind = type(value)
    elif kind is list:
        return [plain_value(child) for child in value]
    if kind is str or value is None:
        return value
    if hasattr(value, "get"):
        if isinstance(value, str):
            carried(value)
        return value
    return scalar(value)


def as_item(value: Any) -> Any:
    """A variable as an item (a target variable may be the context of an expression)."""
    if type(value) is Item:
        return value
    if type(value) is Target:
        return Item(value.value, value.shape)
    if type(value) is list:
        return value[0] if value else None
    return value
