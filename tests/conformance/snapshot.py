"""The public snapshot cases: does a differential make the published snapshot?

https://hl7.org/fhir/R4/structuredefinition.html#snapshot

Compared are, element by element and in order: id, path, slice name, cardinality, base, types
with profiles and targets, slicing, fixed values, patterns and bounds, bindings, content
references, flags and the keys of constraints; then the published FHIRPath rules.  Texts and
mappings are left aside: the product ships the facts of R4 without its sentences.  The
published snapshots stand on R4B; what differs in R4B's own base is left aside and nothing
else: the version behind a value set, the constraint dom-r4b, types that ``Extension.value[x]`` has
in one of the two releases only, and targets of references on
elements that no differential speaks of.  A case that must fail fails with FB-3033.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhir_bridge import fhirpath, xml
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, definitions, parse_json, parse_xml
from fhir_bridge.snapshots import Snapshots, with_narrative
from tests.conformance.result import Result, exclusions

_FIXTURE = re.compile(r"fixture\('([^']+)'\)")
_ASSERTED = re.compile(r"\.check\(exists\(\), '[^']*'\)")
"""A function of the publisher's engine: what is not there fails the comparison behind it too."""
_FLAGS = ("mustSupport", "isModifier", "isSummary")
_VALUES = ("fixed", "pattern", "minValue", "maxValue")
_OF_ONE_RELEASE = frozenset({"CodeableReference", "RatioRange", "Meta"})
_CORE = "http://hl7.org/fhir/StructureDefinition/"


def run(tree: Path) -> Iterator[Result]:
    """One result per case of `tree`/manifest.xml."""
    cases = list(xml.parse((tree / "manifest.xml").read_bytes()).iterfind("test"))
    known = _known(tree, {f"{one.get('id')}-input" for one in cases if one.get("fail") == "true"})
    excluded = exclusions("snapshot")
    for case in cases:
        name = str(case.get("id"))
        if name in excluded:
            yield Result(name, "skipped", excluded[name])
            continue
        note = _fault(case, name, tree, known)
        yield Result(name, "failed" if note else "passed", note)


def _known(tree: Path, refused: set[str]) -> dict[str, Resource]:
    """By URL what a case may stand on: every definition of the tree that is not to be refused."""
    found = {}
    for path in sorted(tree.iterdir()):
        role = path.stem.rpartition("-")[2]
        resource = _read(path) if role in ("input", "defn", "base", "slicer") else None
        if resource is not None and path.stem not in refused:
            found[str(resource.get("url"))] = resource
    return found


def _fault(case: Any, name: str, tree: Path, known: dict[str, Resource]) -> str:
    """What is wrong with our answer; "" when nothing is."""
    source = _one(tree, f"{name}-input")
    if source is None:
        return "the published input cannot be read"
    snapshots = Snapshots(definitions(), known.get)
    try:
        made = with_narrative(snapshots.with_snapshot(source), snapshots)
    except BridgeError as error:
        return "" if case.get("fail") == "true" and error.code == "FB-3033" else str(error)
    if case.get("fail") == "true":
        return "an error was expected"
    expected = _one(tree, f"{name}-expected")
    if expected is not None and "snapshot" in expected:
        difference = _difference(made, expected, _spoken_of(source, known))
        if difference:
            return difference
    elif expected is not None and case.get("gen") != "true":
        ids = [element["id"] for element in made["snapshot"]["element"]]
        wanted = [element["path"] for element in expected["differential"]["element"]]
        places = iter(element["path"] for element in made["snapshot"]["element"])
        if not all(path in places for path in wanted):
            return f"the order is {ids}"
    return _broken_rule(case, {name: source, f"{name}-output": made}, made, snapshots)


def _spoken_of(source: Resource | None, known: dict[str, Resource]) -> set[str]:
    """The paths that a differential of the chain speaks of."""
    paths: set[str] = set()
    while source is not None:
        for element in (source.get("differential") or {}).get("element", ()):
            paths.add(str(element.get("path")))
        source = known.get(str(source.get("baseDefinition")))
    return paths


def _difference(made: Resource, expected: Resource, spoken_of: set[str]) -> str:
    ours, theirs = made["snapshot"]["element"], expected["snapshot"]["element"]
    our_ids, their_ids = [one["id"] for one in ours], [one["id"] for one in theirs]
    if our_ids != their_ids:
        missing = [one for one in their_ids if one not in our_ids]
        more = [one for one in our_ids if one not in their_ids]
        return f"missing {missing[:5]}, too many {more[:5]}, or another order"
    for one, other in zip(ours, theirs, strict=True):
        our_facts, their_facts = _facts(one, spoken_of), _facts(other, spoken_of)
        for key in sorted(our_facts.keys() | their_facts.keys()):
            if our_facts.get(key) != their_facts.get(key):
                return (
                    f"{one['id']} {key}: ours {our_facts.get(key)}, theirs {their_facts.get(key)}"
                )
    return ""


def _facts(element: dict[str, Any], spoken_of: set[str]) -> dict[str, Any]:
    """What of an element is compared."""
    kept = {"path", "sliceName", "min", "max", "base"}
    facts = {key: value for key, value in element.items() if key in kept or key.startswith(_VALUES)}
    facts |= {flag: element.get(flag) is True for flag in _FLAGS}
    spoken = element["path"] in spoken_of
    kinds = [kind for kind in element.get("type", ()) if kind["code"] not in _OF_ONE_RELEASE]
    facts["type"] = [_type(kind, spoken) for kind in kinds]
    facts["reference"] = element.get("contentReference", "").rpartition("#")[2]
    slicing = element.get("slicing")
    if slicing:
        facts["slicing"] = (
            slicing.get("rules"),
            slicing.get("ordered", False),
            [(one["type"], one["path"]) for one in slicing.get("discriminator", ())],
        )
    binding = element.get("binding", {})
    facts["binding"] = (binding.get("strength"), binding.get("valueSet", "").partition("|")[0])
    facts["constraint"] = sorted(
        {rule["key"] for rule in element.get("constraint", ())} - {"dom-r4b"}
    )
    return facts


def _type(kind: dict[str, Any], with_targets: bool) -> Any:
    profiles = [url.removeprefix(_CORE) for url in kind.get("profile", ())]
    targets = [url.removeprefix(_CORE) for url in kind.get("targetProfile", ())]
    return kind["code"], profiles, targets if with_targets and targets != ["Resource"] else []


def _broken_rule(
    case: Any, fixtures: dict[str, Resource], made: Resource, snapshots: Snapshots
) -> str:
    for rule in case.iterfind("rule"):
        expression = str(rule.get("fhirpath"))
        variables: dict[str, Any] = {}
        expression = _ASSERTED.sub("", expression)
        for fixture in _FIXTURE.findall(expression):
            if fixture not in fixtures:
                named = {one.lower(): one for one in definitions().types}[fixture]
                base = {"url": "urn:x-example:same", "type": named}
                base["baseDefinition"] = f"{_CORE}{named}"
                fixtures[fixture] = snapshots.with_snapshot(
                    {"resourceType": "StructureDefinition", "derivation": "constraint", **base}
                )
            variable = f"fixture{len(variables)}"
            variables[variable] = fixtures[fixture]
            expression = expression.replace(f"fixture('{fixture}')", f"%{variable}")
        try:
            rule_of = fhirpath.compile(expression, definitions=definitions())
            answer = rule_of(made, variables=variables)
        except BridgeError as error:
            return str(error)
        if answer != [True]:
            return f"{rule.get('text')}: {expression} is {answer}"
    return ""


def _one(tree: Path, stem: str) -> Resource | None:
    for suffix in (".xml", ".json"):
        if (tree / f"{stem}{suffix}").exists():
            return _read(tree / f"{stem}{suffix}")
    return None


def _read(path: Path) -> Resource | None:
    data = path.read_bytes()
    try:
        return parse_xml(data) if path.suffix == ".xml" else parse_json(data)
    except BridgeError:
        return None
