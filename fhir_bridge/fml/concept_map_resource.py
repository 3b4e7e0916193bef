"""A conceptmap block of a map as ConceptMap resource, and back.

https://hl7.org/fhir/R4/conceptmap.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_bridge.fml.parse_concept_map import RELATIONS
from fhir_bridge.fml.structure_map import CodeMapping, CodePrefix, ConceptMapBlock

__all__ = ["from_concept_map", "to_concept_map"]

_SIGNS = {equivalence: sign for sign, equivalence in reversed(RELATIONS.items())} | {
    "source-is-narrower-than-target": "<=",
    "source-is-broader-than-target": ">=",
    "related-to": "-",
    "not-related-to": "!=",
}


def to_concept_map(block: ConceptMapBlock) -> dict[str, Any]:
    """The R4 resource: one group for each pair of systems, in the order of the block."""
    urls = {prefix.name: prefix.url for prefix in block.prefixes}
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    unmapped = dict(block.unmapped)
    for mapping in block.mappings:
        target_prefix = mapping.target_prefix or _usual_target(block, mapping.source_prefix)
        key = (mapping.source_prefix, target_prefix)
        group = groups.get(key)
        if group is None:
            group = groups[key] = {
                "source": urls.get(mapping.source_prefix, ""),
                "target": urls.get(target_prefix, ""),
                "element": [],
            }
        targets = _element(group["element"], mapping.source_code)["target"]
        target: dict[str, Any] = {"equivalence": RELATIONS[mapping.relation]}
        if mapping.target_prefix:
            target = {"code": mapping.target_code, **target}
        targets.append(target)
    for (source_prefix, _), group in groups.items():
        if source_prefix in unmapped:
            group["unmapped"] = {"mode": unmapped[source_prefix]}
    return {
        "resourceType": "ConceptMap",
        "id": block.id,
        "status": "active",
        "group": list(groups.values()),
    }


def from_concept_map(resource: Mapping[str, Any]) -> ConceptMapBlock:
    """The block that says what the resource says (displays and comments have no place)."""
    prefixes: dict[str, CodePrefix] = {}
    mappings: list[CodeMapping] = []
    unmapped: dict[str, str] = {}
    for group in resource.get("group") or ():
        source = _prefix(prefixes, str(group.get("source", "")), "s")
        target = _prefix(prefixes, str(group.get("target", "")), "t")
        mode = (group.get("unmapped") or {}).get("mode")
        if mode:
            unmapped[source] = str(mode)
        for element in group.get("element") or ():
            for one in element.get("target") or ({"equivalence": "unmatched"},):
                sign = _SIGNS.get(one.get("equivalence") or one.get("relationship") or "", "==")
                code = str(one.get("code", ""))
                mappings.append(
                    CodeMapping(source, str(element["code"]), sign, target if code else "", code)
                )
    return ConceptMapBlock(
        str(resource.get("id") or resource.get("url") or ""),
        tuple(prefixes.values()),
        tuple(mappings),
        tuple(unmapped.items()),
    )


def _element(elements: list[dict[str, Any]], code: str) -> dict[str, Any]:
    if elements and elements[-1]["code"] == code:
        return elements[-1]
    elements.append({"code": code, "target": []})
    return elements[-1]


def _usual_target(block: ConceptMapBlock, source_prefix: str) -> str:
    for mapping in block.mappings:
        if mapping.source_prefix == source_prefix and mapping.target_prefix:
            return mapping.target_prefix
    return ""


def _prefix(prefixes: dict[str, CodePrefix], url: str, letter: str) -> str:
    for prefix in prefixes.values():
        if prefix.url == url and prefix.name.startswith(letter):
            return prefix.name
    name = letter if letter not in prefixes else f"{letter}{len(prefixes)}"
    prefixes[name] = CodePrefix(name, url)
    return name
