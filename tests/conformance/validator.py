"""The public validator cases: is our verdict (valid or not) the published one?

Cases of the core tier need no package, terminology server or network; the others are
skipped with their needs as the reason.  A case with a profile is judged twice, as
published: by R4 alone and by the profile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhir_bridge.conformance import Profiles
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir import Resource, definitions, parse_json, parse_xml
from fhir_bridge.validation import Validator
from tests.conformance.result import Result, exclusions


def run(tree: Path) -> Iterator[Result]:
    """One result per judgement of the cases in `tree`/cases.json."""
    listed = json.loads((tree / "cases.json").read_text(encoding="utf-8"))["cases"]
    excluded = exclusions("validator")
    for case in listed:
        name = case["name"]
        if case["tier"] != "core":
            yield Result(name, "skipped", f"needs {', '.join(case['requires'])}", case["tier"])
            continue
        yield _judged(name, tree, case, case, [], excluded)
        if "profile" in case:
            profile = case["profile"]
            yield _judged(f"{name}/profile", tree, case, profile, [profile["source"]], excluded)


def _judged(
    name: str,
    tree: Path,
    case: dict[str, Any],
    expected: dict[str, Any],
    sources: list[str],
    excluded: dict[str, str],
) -> Result:
    if name in excluded:
        return Result(name, "skipped", excluded[name], "core")
    wanted = expected["expect"]["valid"]
    issues = _issues(tree / "input", case, sources)
    errors = [issue for issue in issues if issue.severity in ("fatal", "error")]
    published = [
        f"{item.get('severity')} {item.get('code')} {item.get('expression')}: {item.get('text')}"
        for item in expected["expect"].get("issues", [])
        if item.get("severity") in ("fatal", "error")
    ]
    note = f"expected valid={wanted}; ours: {[str(issue) for issue in errors][:4]}; published: {published[:3]}"
    return Result(name, "passed" if (not errors) == wanted else "failed", note, "core")


def _issues(folder: Path, case: dict[str, Any], sources: list[str]) -> list[Issue]:
    names = [*sources]
    for part in (case, case.get("profile", {}) if sources else {}):
        for key in ("supporting", "supporting5", "profiles"):
            names += part.get(key, [])
    known = [resource for name in names for resource in _definitions_in(folder / name)]
    validator = Validator(definitions(), Profiles(known))
    urls = [
        resource["url"]
        for name in sources
        for resource in _definitions_in(folder / name)
        if resource.get("resourceType") == "StructureDefinition"
    ]
    try:
        resource = _read(folder / case["file"])
    except BridgeError as error:
        return list(error.issues)
    return validator.check(resource, urls)


def _definitions_in(path: Path) -> list[Resource]:
    """The resource in `path`, or those of its Bundle."""
    try:
        resource = _read(path)
    except (BridgeError, OSError):
        return []
    if resource["resourceType"] == "Bundle":
        return [entry["resource"] for entry in resource.get("entry", [])]
    return [resource]


def _read(path: Path) -> Resource:
    data = path.read_bytes()
    return parse_xml(data) if path.suffix == ".xml" else parse_json(data)
