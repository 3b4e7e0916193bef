"""Contained resources: the rules dom-2 to dom-5 and local references (ref-1).

https://hl7.org/fhir/R4/references.html#contained
"""

from __future__ import annotations

import re
from typing import Any

from fhir_bridge.fhir import walk_references
from fhir_bridge.validation.finding import Finding, moved

__all__ = ["check_contained"]


_IN_NARRATIVE = re.compile(r"(?:src|href)=[\"'](#[^\"']+)[\"']")


def check_contained(resource: dict[str, Any], findings: list[Finding]) -> list[Finding] | None:
    """`findings` without the local references that resolve, with what is wrong inside."""
    listed = resource.get("contained")
    contained = (
        [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    )
    identifiers = {f"#{item.get('id')}" for item in contained}
    kept = [
        finding
        for finding in findings
        if finding.code != "FB-3010" or finding.details.get("reference") not in {*identifiers, "#"}
    ]
    kept.extend(_inside(resource, contained))
    return kept or None


def _inside(resource: dict[str, Any], contained: list[dict[str, Any]]) -> list[Finding]:
    found: list[Finding] = []
    seen: set[str] = set()
    wanted = _referred(resource) if contained else set()
    for index, item in enumerate(contained):
        step = f".contained[{index}]"
        broken = _broken_rules(item, wanted)
        found += moved(
            [Finding("FB-3012", {"key": key, "expression": text}) for key, text in broken], step
        )
        identifier = str(item.get("id", ""))
        if identifier in seen:
            found += moved([Finding("FB-3022", {"id": identifier})], step)
        seen.add(identifier)
    return found


def _broken_rules(item: dict[str, Any], wanted: set[str]) -> list[tuple[str, str]]:
    meta = item.get("meta") if isinstance(item.get("meta"), dict) else {}
    rules = []
    if "contained" in item:
        rules.append(("dom-2", "a contained resource contains none"))
    if f"#{item.get('id')}" not in wanted and "#" not in _referred(item):
        rules.append(("dom-3", "a contained resource is referred to"))
    if meta and ("versionId" in meta or "lastUpdated" in meta):
        rules.append(("dom-4", "a contained resource has no version"))
    if meta and "security" in meta:
        rules.append(("dom-5", "a contained resource has no security label"))
    return rules


def _referred(resource: dict[str, Any]) -> set[str]:
    """All local references in `resource`, canonical and uri ones included."""
    wanted = {str(holder["reference"]) for holder in walk_references(resource)}
    stack: list[Any] = [resource]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, str) and node.startswith("#"):
            wanted.add(node)
        elif isinstance(node, str) and node.startswith("<div"):
            wanted.update(_IN_NARRATIVE.findall(node))
    return wanted
