"""FHIR Mapping Language: maps that must parse and round-trip, and maps that are run.

``cases.json`` of the tree lists transforms with an expected result, transforms with
assertions in words, and pairs; every other ``.map`` and ``.fml`` file of the tree is a
parse case.  Results are compared strictly: JSON equality with decimals by text and arrays
in order; XML by element, attributes and text.  An expected OperationOutcome is matched by
the severity and code of its issues, since the texts are another engine's.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from fhir_bridge import xml
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import parse_json, parse_xml, render_json
from fhir_bridge.fml import (
    StructureMap,
    from_structure_map_resource,
    parse_map,
    render_map,
    to_structure_map_resource,
)
from fhir_bridge.transform import Library
from tests.conformance.fml_asserts import Produced, check_assertion
from tests.conformance.fml_environment import environment_for
from tests.conformance.logical_xml import read_logical_xml, render_logical_xml
from tests.conformance.result import Result, exclusions

AGREEMENT = 0.9
SHIPPED_MAP = "https://fhir-bridge.org/fhir/StructureMap/stu3-to-r4"
FHIR_XML = b'http://hl7.org/fhir"'
_ROOT = Path(__file__).parents[2]
_SUPPORT = _ROOT / "tests" / "cases" / "fml"


def run(tree: Path) -> Iterator[Result]:
    """Every case of the tree."""
    suite = Suite(tree)
    known = exclusions("fml")
    for case_id, group, check in suite.cases():
        if case_id in known:
            yield Result(case_id, "skipped", known[case_id], group)
            continue
        try:
            note = check()
        except BridgeError as error:
            note = f"{error}"
        except (AssertionError, KeyError, OSError, ValueError) as error:
            note = f"{type(error).__name__}: {error}"
        except Exception as error:  # an engine that crashes fails the case
            note = f"crash {type(error).__name__}: {error}"
        yield Result(case_id, "failed" if note else "passed", note or "", group)


class Suite:
    """The cases of one tree and the maps and models they need."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.listed: list[dict[str, Any]] = json.loads((tree / "cases.json").read_text())["cases"]
        self.rejected = {
            path
            for case in self.listed
            if any(
                "== null is true" in text and text.startswith("sm")
                for text in case.get("asserts", ())
            )
            for path in case["map"]
        }

    def cases(self) -> Iterator[tuple[str, str, Any]]:
        """(id, group, function that answers a note when the case fails)."""
        for path in sorted([*self.tree.rglob("*.map"), *self.tree.rglob("*.fml")]):
            name = path.relative_to(self.tree).as_posix()
            if name not in self.rejected:
                yield f"parse:{name}", "parse", lambda path=path: round_trip(path)
        runners = {
            "parse": lambda case: round_trip(self.tree / case["map"]),
            "transform": self.transform,
            "transform-assert": self.transform_assert,
            "cda-fhir-pair": self.pair,
        }
        for case in self.listed:
            check = runners[case["kind"]]
            yield (
                f"{case['suite']}:{case['id']}",
                case["suite"],
                lambda check=check, case=case: check(case),
            )

    def transform(self, case: dict[str, Any]) -> str:
        """Run the map on the source and compare."""
        expected = self.tree / case["expect"]
        if case["suite"] == "stu3-to-r4-pairs":
            return self.stu3(case)
        library = self.library(self.tree / case["map"], case.get("logical", ()))
        structure_map = read_map(self.tree / case["map"])
        compiled = library.compile(structure_map.url)
        data = (self.tree / case["source"]).read_bytes()
        try:
            source = read_source(data, library, structure_map)
            done = compiled.run(source, environment=environment_for(source))
        except BridgeError as error:
            outcome = {"issue": [{"severity": "error", "code": error.entry.issue_type}]}
            return compare_outcome(outcome, expected)
        if expected.suffix == ".xml":
            return compare_xml(done.target, expected, library, structure_map)
        return compare_json(done.target, parse_json(expected.read_bytes()))

    def stu3(self, case: dict[str, Any]) -> str:
        """STU3 to R4 by the maps that we ship; the tree has published maps for some types."""
        source = parse_json((self.tree / case["source"]).read_bytes())
        done = shipped_library().compile(SHIPPED_MAP).run(source)
        return compare_tolerantly(
            done.target, parse_json((self.tree / case["expect"]).read_bytes())
        )

    def transform_assert(self, case: dict[str, Any]) -> str:
        """Run the maps of the case on its inputs and check what is said of the result."""
        return run_asserted(self, case)

    def pair(self, case: dict[str, Any]) -> str:
        """A CDA document and the Bundle its authors made of it."""
        return run_pair(self, case)

    @cache  # noqa: B019 - one suite a process
    def folder_library(self, folder: Path) -> Library:
        """All maps of a folder."""
        maps = [read_map(path) for path in sorted(folder.glob("*.fml"))]
        return Library(None, maps, is_strict=False)

    def library(self, map_path: Path, logical: Any = ()) -> Library:
        """The map, its neighbours, and the models it needs."""
        models = [read_definition(self.tree / path) for path in logical if path.endswith("json")]
        models += [
            read_definition(self.tree / path)
            for path in logical
            if path.endswith("xml") and not models
        ]
        text = map_path.read_text(encoding="utf-8")
        if "/cdatest/" in text:
            models += [read_definition(path) for path in sorted(_SUPPORT.glob("cdatest-*.json"))]
        if "/cda/" in text:
            models += cda_models(self.tree)
        neighbours = [path for path in sorted(map_path.parent.glob("*.map")) if path != map_path]
        maps = [read_map(path) for path in neighbours if self.name(path) not in self.rejected]
        maps.append(read_map(map_path))
        codes = concept_maps(map_path.parents[1])
        return Library(None, maps, codes, logical_models=models, is_strict=False)

    def name(self, path: Path) -> str:
        """The path inside the tree."""
        return path.relative_to(self.tree).as_posix()


def read_map(path: Path) -> StructureMap:
    """A map as text or as StructureMap resource."""
    if path.suffix == ".json":
        return from_structure_map_resource(parse_json(path.read_bytes()))
    return parse_map(path.read_text(encoding="utf-8-sig"), name=path.name)


@cache
def read_definition(path: Path) -> dict[str, Any]:
    """A StructureDefinition."""
    data = path.read_bytes()
    return parse_json(data) if path.suffix == ".json" else parse_xml(data)


@cache
def concept_maps(folder: Path) -> tuple[dict[str, Any], ...]:
    """ConceptMap resources that lie beside the maps of a case."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in (".json", ".xml")]
    named = (path for path in paths if b"ConceptMap" in path.read_bytes()[:200])
    found = [read_definition(path) for path in named if path.parent.name != "source"]
    return tuple(one for one in found if one.get("resourceType") == "ConceptMap")


@cache
def cda_models(tree: Path) -> tuple[dict[str, Any], ...]:
    """The logical models of CDA in the tree."""
    return tuple(
        read_definition(path) for path in sorted((tree / "cda-logical-model").glob("*.xml"))
    )


def round_trip(path: Path) -> str:
    """Text -> map -> text -> map, and map -> resource -> map."""
    first = read_map(path)
    if parse_map(render_map(first)) != first:
        return "the rendered map reads back differently"
    resource = to_structure_map_resource(first)
    again = from_structure_map_resource(parse_json(render_json(resource)))
    if to_structure_map_resource(again) != resource:
        return "the StructureMap resource reads back differently"
    return ""


def read_source(data: bytes, library: Library, structure_map: StructureMap) -> dict[str, Any]:
    """JSON, FHIR XML, or XML of the logical model that the map takes."""
    if data.lstrip()[:1] == b"{":
        return parse_json(data)
    if FHIR_XML in data[:600].replace(b"'", b'"'):
        return parse_xml(data)
    parameter = next(one for one in structure_map.groups[0].parameters if one.mode == "source")
    return read_logical_xml(data, library.shapes, shape_of(library, structure_map, parameter.type))


def shape_of(library: Library, structure_map: StructureMap, name: str) -> Any:
    """The shape that a type of the map stands for."""
    urls = {use.alias or use.url.rsplit("/", 1)[-1]: use.url for use in structure_map.uses}
    return library.shapes.resolve(urls.get(name, name))


@cache
def shipped_library() -> Library:
    """Our own maps from STU3 to R4."""
    paths = sorted((_ROOT / "mappings" / "stu3").glob("*.map"))
    return Library(None, [read_map(path) for path in paths])


def compare_json(actual: Any, expected: Any, path: str = "") -> str:
    """Empty when equal (decimals by text, arrays in order), else the first difference."""
    if isinstance(actual, dict) and isinstance(expected, dict):
        for key in [*expected, *(key for key in actual if key not in expected)]:
            if key not in actual or key not in expected:
                return f"{path}.{key} is {'missing' if key not in actual else 'not expected'}"
            note = compare_json(actual[key], expected[key], f"{path}.{key}")
            if note:
                return note
        return ""
    if isinstance(actual, list) and isinstance(expected, list):
        if len(actual) != len(expected):
            return f"{path} has {len(actual)} items, expected {len(expected)}"
        pairs = enumerate(zip(actual, expected, strict=True))
        notes = (compare_json(one, other, f"{path}[{i}]") for i, (one, other) in pairs)
        return next((note for note in notes if note), "")
    if render_json([actual]) != render_json([expected]):
        return f"{path} is {actual!r}, expected {expected!r}"
    return ""


def compare_outcome(actual: dict[str, Any], expected: Path) -> str:
    """The severities and codes of the issues."""
    data = expected.read_bytes()
    if expected.suffix == ".xml":
        root = xml.parse(data)
        if local(root.tag) != "OperationOutcome":
            return "the map failed"
        found = [
            {
                local(part.tag): part.get("value")
                for part in issue
                if local(part.tag) != "diagnostics"
            }
            for issue in root
        ]
    else:
        outcome = parse_json(data)
        if outcome.get("resourceType") != "OperationOutcome":
            return "the map failed"
        found = [
            {"severity": issue["severity"], "code": issue["code"]} for issue in outcome["issue"]
        ]
    return "" if found == actual["issue"] else f"issues {actual['issue']}, expected {found}"


def compare_xml(
    target: dict[str, Any], expected: Path, library: Library, structure_map: StructureMap
) -> str:
    """The target in the XML form of its model against the expected document."""
    data = expected.read_bytes()
    if FHIR_XML in data[:600].replace(b"'", b'"'):
        return compare_json(target, parse_xml(data))
    parameter = next(one for one in structure_map.groups[0].parameters if one.mode == "target")
    shape = shape_of(library, structure_map, parameter.type)
    rendered = render_logical_xml(target, library.shapes, shape)
    actual, wanted = canonical(xml.parse(rendered)), canonical(xml.parse(data))
    return "" if actual == wanted else f"{actual} is not {wanted}"


def canonical(element: Any) -> Any:
    """An element as (name, attributes, text, children)."""
    text = (element.text or "").strip()
    return (
        str(element.tag),
        sorted(element.attrib.items()),
        text,
        [canonical(one) for one in element],
    )


def local(tag: Any) -> str:
    """A name without its namespace."""
    return str(tag).rpartition("}")[2]


def compare_tolerantly(actual: Any, expected: Any) -> str:
    """Whether nine in ten of all values, of both sides, stand at the same path of the other.

    The expected output of these pairs comes from templates of another team, which differ
    from the published maps by design (the suite says: compare with tolerance).  A time may
    be written in another zone; the place in a list is not compared.
    """
    ours, theirs = Counter(values(actual)), Counter(values(expected))
    shared = (ours & theirs).total()
    agreement = 2 * shared / (ours.total() + theirs.total())
    missing = sorted(path for path, _ in theirs - ours)
    return "" if agreement >= AGREEMENT else f"agreement {agreement:.2f}, missing {missing[:4]}"


def values(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path without list places, text) of every value."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield from values(child, f"{path}.{key}")
    elif isinstance(node, list):
        for child in node:
            yield from values(child, path)
    else:
        found = moment(node) if isinstance(node, str) else None
        yield path, str(found.timestamp()) if found else str(node).replace("/r3/", "/3.0/")


def moment(text: str) -> datetime | None:
    """The moment a text names, when it has a time and a zone."""
    try:
        found = datetime.fromisoformat(text) if "T" in text else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo else None


def run_asserted(suite: Suite, case: dict[str, Any]) -> str:
    """Run a case with assertions; a case without files takes the tree's own documents."""
    if any(name in suite.rejected for name in case.get("map", ())):
        for name in case["map"]:
            try:
                read_map(suite.tree / name)
            except BridgeError as error:
                if not error.issues[0].where:
                    return "the error has no position"
            else:
                return "a map with an error was accepted"
        return ""
    produced = produce(suite, case)
    notes = [check_assertion(assertion, produced) for assertion in case["asserts"]]
    return "; ".join(note for note in notes if note)


def produce(suite: Suite, case: dict[str, Any]) -> Produced:
    """What the maps of the case make, one after the other."""
    documents = suite.tree / "matchbox-cda"
    produced = Produced({})
    if case["suite"] == "matchbox":
        path = suite.tree / case["map"][0]
        for name in case["inputs"]:
            produced.result, produced.text = transformed(suite, path, suite.tree / name)
        return produced
    urls = list(dict.fromkeys(case["map_url"]))
    if not urls:
        model = suite.library(documents / "datatypes.map").shapes.resolve("ClinicalDocument")
        library = suite.library(documents / "datatypes.map")
        source = read_logical_xml((documents / "cda-it.xml").read_bytes(), library.shapes, model)
        produced.named = {"cdaLabItaly": source, "attributeWithCdaWhiteSpace": source}
        blank = (documents / "cda-it.xml").read_bytes().replace(b'"11502-2"', b'" 11502-2"')
        spaced = read_logical_xml(blank, library.shapes, model)
        produced.named["attributeWithCdaWhiteSpace"] = spaced
        produced.named["attributeWithCdaWhiteSpace:text"] = blank.decode()
        return produced
    inputs = [suite.tree / name for name in case["files"] if name.endswith(".xml")]
    for number, url in enumerate(urls):
        path = next(one for one in sorted(documents.glob("*.map")) if read_map(one).url == url)
        kind = read_map(path).groups[0].parameters[0].type
        default = (
            documents / "cda-it.xml"
            if kind == "ClinicalDocument"
            else suite.tree / "cda-ch" / "2-7-MedicationCard.xml"
        )
        given = inputs[0] if inputs else default
        if not inputs and not number:
            produced.named["input:text"] = _plain(given.read_text(encoding="utf-8"))
        previous = produced.result if number else None
        produced.result, produced.text = transformed(suite, path, given, previous)
    return produced


def transformed(
    suite: Suite, map_path: Path, source_path: Path, source: Any = None
) -> tuple[dict[str, Any], str]:
    """The result and its text, XML where the target is a logical model."""
    library = suite.library(map_path)
    structure_map = read_map(map_path)
    compiled = library.compile(structure_map.url)
    if source is None:
        source = read_source(source_path.read_bytes(), library, structure_map)
    done = compiled.run(source, environment=environment_for(source))
    parameter = next(one for one in structure_map.groups[0].parameters if one.mode == "target")
    shape = shape_of(library, structure_map, parameter.type)
    if shape.kind == "logical":
        return done.target, render_logical_xml(done.target, library.shapes, shape).decode()
    return done.target, render_json(done.target).decode()


def run_pair(suite: Suite, case: dict[str, Any]) -> str:
    """A pair of an older engine, at smoke level: the map runs and makes the same types."""
    maps = suite.tree / "cda-ch" / "maps"
    name = case["cda"].rsplit("-", 1)[-1].removesuffix(".xml")
    path = maps / f"CdaChEmed{name}DocumentToBundle.map"
    if not path.exists():
        path = maps / "CdaChEmedMedicationCardDocumentToBundle.map"
    result, _ = transformed(suite, path, suite.tree / case["cda"])
    if case["fhir"] is None:
        return "" if result.get("entry") else "no entries were made"
    expected = parse_xml((suite.tree / case["fhir"]).read_bytes())
    made = {entry["resource"]["resourceType"] for entry in result.get("entry", ())}
    wanted = {entry["resource"]["resourceType"] for entry in expected.get("entry", ())}
    return "" if made >= wanted else f"types {sorted(made)}, expected {sorted(wanted)}"


def _plain(text: str) -> str:
    """Text of a document in which FHIR and HL7 timestamps are written alike."""
    return text + re.sub(r"(?<=\d)-(?=\d\d)|(?<=\d):(?=\d)|(?<=\d)T(?=\d)", "", text)
