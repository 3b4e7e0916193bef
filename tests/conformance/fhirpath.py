"""The official FHIRPath suites (R4, R5) and the extra engine cases of fhirpath.js.

``official/tests-fhir-r4.xml`` and ``-r5.xml``: XML by testSchema.xsd; ``fhirpathjs/cases.ndjson``:
one case a line.  Inputs are JSON (``input-json``); XML-only inputs are read as FHIR XML.

Compared strictly: number, order (unless ``ordered="false"``) and text of results, decimals
by value and type, and the kind of each result where a type is given.  ``invalid`` and
``error`` cases must raise BridgeError; expressions are checked against the definitions
unless the case is marked lenient.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from fhir_bridge import cda, fhirpath, xml
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions, parse_json_value, parse_xml
from fhir_bridge.fhirpath import Long, Node, Quantity, Temporal
from fhir_bridge.fhirpath_values import fhir_name
from tests.conformance.result import Result, exclusions

_NAMESPACE = "{http://hl7.org/fhirpath/tests}"
_STRINGS = frozenset(
    "string code id uri url canonical oid uuid markdown base64Binary xhtml".split()  # noqa: SIM905 - reads better than fifty quotes
)
_NUMBERS = frozenset({"integer", "positiveInt", "unsignedInt", "integer64"})


def run(tree: Path) -> Iterator[Result]:
    """Every case of the three suites."""
    known = exclusions("fhirpath")
    for release in ("r4", "r5"):
        suite = tree / "official" / f"tests-fhir-{release}.xml"
        if suite.is_file():
            yield from _official(suite, tree, release, known)
    cases = tree / "fhirpathjs" / "cases.ndjson"
    if cases.is_file():
        subjects = parse_json_value((cases.parent / "subjects.json").read_bytes())
        for line in cases.read_text(encoding="utf-8").splitlines():
            case = parse_json_value(line)
            note = _engine_case(case, subjects, tree)
            if note and case.get("disable"):
                yield Result(f"js/{case['id']}", "skipped", "disabled upstream", "fhirpathjs")
            else:
                yield _outcome(f"js/{case['id']}", "fhirpathjs", known, note)


def _outcome(case_id: str, group: str, known: dict[str, str], note: str) -> Result:
    """A listed case that fails is skipped with its reason; every other failure counts."""
    if note and case_id in known:
        return Result(case_id, "skipped", known[case_id], group)
    return Result(case_id, "failed" if note else "passed", note, group)


def _official(suite: Path, tree: Path, release: str, known: dict[str, str]) -> Iterator[Result]:
    seen: dict[str, int] = {}
    for test in xml.parse(suite.read_bytes()).iter("test", f"{_NAMESPACE}test"):
        name = test.get("name", "")
        seen[name] = seen.get(name, 0) + 1
        number = f"#{seen[name]}" if seen[name] > 1 else ""
        note = _official_case(test, tree, release)
        yield _outcome(f"{release}/{name}{number}", f"official-{release}", known, note)


def _official_case(test: xml.Element, tree: Path, release: str) -> str:
    expression = _child(test, "expression")
    text = expression.text or ""
    node = _input(tree, release, test.get("inputfile", ""))
    outputs = [child for child in test if str(child.tag).rpartition("}")[2] == "output"]
    expected = [(child.get("type", ""), child.text or "") for child in outputs]
    mode = test.get("mode", "")
    checked = "lenient" not in mode and "cda" not in mode and test.get("skipStaticCheck") != "true"
    ordered = "true" in (test.get("checkOrderedFunctions"), test.get("ordered"))
    try:
        found = _evaluate(
            text, node, release, checked=checked, ordered=ordered and mode == "strict"
        )
    except BridgeError as error:
        return "" if expression.get("invalid") else f"raised {error}"
    if expression.get("invalid"):
        return f"must be refused ({expression.get('invalid')}), gave {found}"
    shown = [(_kind(item), _text(item)) for item in found]
    if test.get("ordered") == "false":
        shown, expected = (
            sorted(shown, key=lambda row: row[1]),
            sorted(expected, key=lambda row: row[1]),
        )
    agrees = len(shown) == len(expected) and all(
        _agrees(one, other) for one, other in zip(shown, expected, strict=True)
    )
    return "" if agrees else f"expected {expected}, found {shown}"


def _evaluate(text: str, node: Any, release: str, *, checked: bool, ordered: bool) -> list[Any]:
    root_type = node.get("resourceType", "") if isinstance(node, dict) else ""
    if checked:
        issues = fhirpath.check(text, definitions(), root_type, ordered=ordered)
        fatal = [issue for issue in issues if release == "r4" or _speaks_for_r5(issue, root_type)]
        if fatal:
            raise BridgeError(fatal[0].code, fatal[0].where, **dict[str, Any](fatal[0].details))
    compiled = fhirpath.compile(text, definitions=definitions())
    return compiled.items(node, environment=_environment(node, root_type))


def _speaks_for_r5(_issue: object, root_type: str) -> bool:
    """R4 definitions judge an R5 tree only where the two releases have the same elements."""
    return root_type in ("Patient", "Observation", "Appointment", "")


def _environment(node: Any, root_type: str) -> fhirpath.Environment:
    return fhirpath.Environment(conforms_to=_conforms_to, terminologies=_Terminologies())


def _conforms_to(value: Any, url: str) -> bool | None:
    """C-CDA templates by their published identifiers; other profiles are not known."""
    root = _TEMPLATES.get(url)
    if root is None:
        return None
    found = value.get("templateId") if hasattr(value, "get") else None
    identifiers = found if isinstance(found, list) else [found] if found is not None else []
    return any(str(each.get("root")) == root for each in identifiers)


_TEMPLATES = {
    "http://hl7.org/cda/us/ccda/StructureDefinition/ContinuityofCareDocumentCCD": (
        "2.16.840.1.113883.10.20.22.1.2"
    )
}


class _Terminologies:
    """The required value sets of R4, which is what the suite asks for."""

    def call(self, operation: str, arguments: list[Any]) -> Any:
        """``validateVS`` of a code and ``expand``; nothing else is known here."""
        codes = definitions().required_codes(arguments[0])
        if operation == "expand" and codes is not None:
            contains = [{"code": code} for code in sorted(codes)]
            return {"resourceType": "ValueSet", "expansion": {"contains": contains}}
        if operation != "validateVS":
            return None
        answer = codes is not None and arguments[1] in codes
        found = {"name": "result", "valueBoolean": answer}
        return {"resourceType": "Parameters", "parameter": [found]}


def _child(element: xml.Element, name: str) -> xml.Element:
    return next(child for child in element if str(child.tag).rpartition("}")[2] == name)


@cache
def _input(tree: Path, release: str, name: str) -> Any:
    if not name:
        return None
    twin = (tree / "input-json" / release / name).with_suffix(".json")
    if twin.is_file():
        return parse_json_value(twin.read_bytes())
    data = (tree / "official" / "input" / release / name).read_bytes()
    if name.endswith(".json"):
        return parse_json_value(data)
    if b"ClinicalDocument" in data[:2000]:
        return cda.parse(data).tree
    return parse_xml(data)


def _kind(item: Any) -> str:
    if isinstance(item, Long):
        return "integer"
    return fhir_name(item)


def _text(item: Any) -> str:
    value = item.value if type(item) is Node else item
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Quantity):
        return str(value)
    return str(value)


def _agrees(found: tuple[str, str], expected: tuple[str, str]) -> bool:
    kind, text = expected
    text = text.removeprefix("@T").removeprefix("@")
    if found[1] != text:
        return False
    if not kind or found[0] == kind:
        return True
    return any({found[0], kind} <= family for family in (_STRINGS, _NUMBERS))


def _engine_case(case: dict[str, Any], subjects: dict[str, Any], tree: Path) -> str:
    model = case.get("model")
    facts = definitions() if model in ("r4", "r5") else None
    node = subjects.get(case.get("subject_of") or "")
    if case.get("inputfile"):
        node = _json_input(tree, case["inputfile"], model)
    variables = dict(case.get("variables") or {})
    given = case["expression"]
    root_type = given.get("base") if isinstance(given, dict) else None
    if isinstance(given, dict):
        given = given["expression"]
    for text in given if isinstance(given, list) else [given]:
        try:
            focus = node
            if case.get("context"):
                context = fhirpath.compile(case["context"], definitions=facts).items(node)
                variables = {"resource": node, **variables}
                focus = context[0]
            items = fhirpath.compile(text, definitions=facts, root_type=root_type).items(
                focus, variables=variables
            )
            found = [_json(item) for item in items if _json(item) is not None]
        except BridgeError as error:
            if not case.get("error"):
                return f"{text}: raised {error}"
            continue
        if case.get("error"):
            return f"{text}: must be refused, gave {found}"
        if _rendered(found) != _rendered(case.get("result", [])):
            return f"{text}: expected {case.get('result')}, found {found}"
    return ""


@cache
def _json_input(tree: Path, name: str, model: str | None) -> Any:
    for folder in (model or "r4", "r4", "r5", "stu3", "dstu2"):
        path = tree / "input-json" / folder / name
        if path.is_file():
            return parse_json_value(path.read_bytes())
    raise FileNotFoundError(name)


def _json(item: Any) -> Any:
    """An item as the cases write it: quantities and dates as text, Long as text."""
    value = item.value if type(item) is Node else item
    if isinstance(value, (Temporal, Quantity)) or type(value) is Long:
        return str(value)
    return value


def _rendered(values: Any) -> str:
    """JSON with decimals by value (the cases come from a language with one number type)."""
    return json.dumps(_numbers(values), sort_keys=True, ensure_ascii=False)


def _numbers(value: Any) -> Any:
    """Every number as a float, as the language of the cases has it; booleans stay."""
    if isinstance(value, dict):
        return {name: _numbers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_numbers(part) for part in value]
    return float(value) if type(value) in (int, Decimal, float) else value
