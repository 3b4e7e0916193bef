"""Published R4 examples through the codecs: nothing lost, nothing refused.

Three results for each example: ``json`` (parse and render give the same bytes), ``xml``
(JSON to XML to JSON gives the same values, decimals by text) and ``structure`` (the
structure check finds no error).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fhir_bridge.conformance import Profiles
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, definitions, parse_json, parse_xml, render_json, render_xml
from fhir_bridge.validation import Validator
from tests.conformance.result import Result, exclusions


def run(tree: Path) -> Iterator[Result]:
    """Results for each line of each ``<Type>.ndjson`` in `tree`."""
    excluded = exclusions("codec")
    validator = Validator(definitions(), Profiles(), invariants=False)
    for path in sorted(tree.glob("*.ndjson")):
        if path.name == "index.ndjson":
            continue
        for line in path.read_bytes().splitlines():
            resource = parse_json(line)
            name = f"{path.stem}/{resource.get('id')}"
            yield _result(f"{name}/json", _json_fault(line, resource), excluded)
            yield _result(f"{name}/xml", _xml_fault(resource), excluded)
            yield _result(f"{name}/structure", _structure_fault(resource, validator), excluded)


def _result(name: str, fault: str, excluded: dict[str, str]) -> Result:
    group = name.rpartition("/")[2]
    if fault and name in excluded:
        return Result(name, "skipped", excluded[name], group)
    return Result(name, "failed" if fault else "passed", fault, group)


def _json_fault(line: bytes, resource: Resource) -> str:
    rendered = render_json(resource)
    return "" if rendered == line else f"rendered {rendered[:200]!r}"


def _xml_fault(resource: Resource) -> str:
    try:
        back = parse_xml(render_xml(resource))
    except BridgeError as error:
        return str(error)
    # Bytes of both sides in one key order: 1.0 and 1.00 are equal values but not equal text.
    return "" if _ordered(back) == _ordered(resource) else "the values differ"


def _ordered(node: object) -> bytes:
    return render_json(_sorted(node))


def _sorted(node: object) -> object:
    if isinstance(node, dict):
        return {key: _sorted(node[key]) for key in sorted(node)}
    return [_sorted(item) for item in node] if isinstance(node, list) else node


def _structure_fault(resource: Resource, validator: Validator) -> str:
    errors = [str(issue) for issue in validator.check(resource) if issue.severity == "error"]
    return "; ".join(errors[:3])
