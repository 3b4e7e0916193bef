"""The patch suites: FHIRPath Patch (R4, R5), JSON Patch (RFC 6902) and XML Patch (RFC 5261).

https://hl7.org/fhir/R4/fhirpatch.html, https://www.rfc-editor.org/rfc/rfc6902
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fhir_bridge import fhir, xml
from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions.patch.fhirpath_patch import apply_fhirpath_patch
from fhir_bridge.interactions.patch.json_patch import apply_json_patch
from fhir_bridge.interactions.patch.xml_patch import patch_document
from tests.conformance.result import Result, exclusions

_F = "{http://hl7.org/fhir}"
_BLANK = re.compile(r"\s+")


def run(tree: Path) -> Iterator[Result]:
    """Every case of every folder, each judged by its published output or error."""
    for file in sorted(tree.glob("fhirpath-patch/*.xml")):
        yield from _fhirpath_cases(file)
    for file in sorted(tree.glob("json-patch/*.json")):
        yield from _json_cases(file)
    for file in sorted(tree.glob("xml-patch/*.xml")):
        yield from _xml_cases(file)


def _fhirpath_cases(file: Path) -> Iterator[Result]:
    root = xml.parse(file.read_bytes())
    for case in root.iterfind("case"):
        case_id = f"{file.stem}: {case.get('name')}"

        def attempt(case: Any = case) -> Any:
            patched = apply_fhirpath_patch(_resource(case, "input"), _resource(case, "diff"))
            return _comparable(patched)

        expected = (
            None if case.find("error") is not None else _comparable(_resource(case, "output"))
        )
        yield _judge(case_id, file.stem, attempt, expected)


def _resource(case: Any, name: str) -> fhir.Resource:
    """The resource in a part of a case; an unknown attribute in the published XML is dropped."""
    child = case.find(name)[0]
    for element in child.iter():
        if element.tag.startswith("{http://hl7.org/fhir}") and "reference" in element.attrib:
            element.set("value", element.attrib.pop("reference"))
    return fhir.parse_xml(xml.render(child))


def _comparable(resource: fhir.Resource) -> Any:
    """JSON with the blanks of narratives folded: the published files indent them differently."""
    text = resource.get("text", {})
    if "div" in text:
        div = _BLANK.sub(" ", text["div"]).replace("> ", ">").replace(" <", "<")
        resource = {**resource, "text": {**text, "div": div}}
    return json.loads(fhir.render_json(resource), parse_float=str)


def _json_cases(file: Path) -> Iterator[Result]:
    for number, case in enumerate(json.loads(file.read_text(encoding="utf-8"))):
        case_id = f"{file.stem}: {number} {case.get('comment', '')}".rstrip()

        def attempt(case: Any = case) -> Any:
            document = fhir.parse_json_value(json.dumps(case["doc"]))
            return apply_json_patch(document, fhir.parse_json_value(json.dumps(case["patch"])))

        result = _judge(case_id, file.stem, attempt, case.get("expected"), refused="error" in case)
        if case.get("disabled") and result.outcome == "failed":
            reason = exclusions("patch").get(case_id, "will-not: disabled by its publisher")
            result = Result(case_id, "skipped", reason, file.stem)
        yield result


def _xml_cases(file: Path) -> Iterator[Result]:
    for case in xml.parse(file.read_bytes()).iterfind("case"):
        target, patch, patched = case.find("target"), case.find(f"{_F}patch"), case.find("patched")

        def attempt(target: Any = target, patch: Any = patch) -> Any:
            if not len(target):
                raise BridgeError("FB-4020", reason="there is no document")
            return _canonical(patch_document(xml.parse(xml.render(target[0])), patch))

        expected = None if patched is None else _canonical(xml.parse(xml.render(patched[0])))
        yield _judge(f"{file.stem}: {case.get('name')}", file.stem, attempt, expected)


def _canonical(element: Any) -> Any:
    """An element as nested lists, blanks between elements left out."""
    texts = [(element.text or "").strip(), *((child.tail or "").strip() for child in element)]
    names = {prefix: url for prefix, url in element.nsmap.items() if prefix}
    children = [_canonical(child) for child in element]
    return [element.tag, sorted(element.attrib.items()), sorted(names.items()), texts, children]


def _judge(
    case_id: str,
    group: str,
    attempt: Callable[[], Any],
    expected: Any,
    *,
    refused: bool | None = None,
) -> Result:
    """Compare strictly: JSON equality, key order free, 1 is not true."""
    refused = expected is None if refused is None else refused
    try:
        found = attempt()
    except BridgeError as error:
        outcome = refused and error.code in {"FB-4020", "FB-4021", "FB-4022", "FB-4023"}
        return Result(case_id, "passed" if outcome else "failed", str(error), group)
    if refused:
        return Result(case_id, "failed", "an error was expected", group)
    same = json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)
    return Result(case_id, "passed" if same else "failed", "" if same else f"{found}"[:300], group)
