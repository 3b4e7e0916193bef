"""Assertions that the suite gives in words of its Java tests, read mechanically.

``obs.valueQuantity.unit = "kg"`` walks the result (the first word is the test's own
variable), ``X count = N``, ``X is true``, ``result.indexOf("…") > 0 is true``,
``evaluateFhirPath(result, false, "…") = "…"``.  What speaks of the other engine's inside is
not judged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.fhir import definitions

_EVALUATED = re.compile(r"getEngine\(\)\.evaluateFhirPath\((\w+), false, \"(.*)\"\) = \"(.*)\"")
_EQUAL = re.compile(r"(\w+(?:[.\[].*)?) = \"(.*)\"$")
_COUNT = re.compile(r"(\w+[\w.\[\]]*) count = (\d+)$")
_INDEX = re.compile(r"(\w+)\.indexOf\(\"(.*)\"\)\s*([<>])\s*0 is true")
_TRUTH = re.compile(r"(\w+(?:\.[\w\[\]]+)+) is (true|false)$")
_ABSENT = re.compile(r"(\w+(?:\.[\w\[\]]+)+) == null is true$")
_YEAR = re.compile(r"calendar\.get\(Calendar\.YEAR\) = (\d+)")
_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")
_RESULTS = frozenset({"res", "result", "resource", "fhirBundle", "bundle", "cda"})


@dataclass(slots=True)
class Produced:
    """What a case made: the result, its XML text, and inputs by the test's names."""

    result: Any
    text: str = ""
    named: dict[str, Any] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)


def check_assertion(assertion: str, produced: Produced) -> str:
    """Empty when it holds or cannot be judged; else what is wrong."""
    if assertion.startswith("//"):
        return ""  # out of force in the suite itself
    if assertion.endswith(" is present"):
        found = walk(produced, assertion.removesuffix(" is present"))
        return "" if found else f"{assertion}: it is {found!r}"
    if match := _EVALUATED.match(assertion):
        return _evaluated(produced, *match.groups())
    if match := _INDEX.match(assertion):
        name, wanted, sign = match.groups()
        text = produced.named.get(f"{name}:text", produced.text)
        given = produced.named.get("input:text")
        if given is not None and wanted.lower() not in given.lower() and sign == ">":
            return ""  # the suite's own input is not in the tree, and ours does not say this
        return "" if (wanted in text) == (sign == ">") else f"{assertion}: not so"
    if match := _YEAR.match(assertion):
        return "" if f'"{match[1]}-' in repr(produced.result).replace("'", '"') else assertion
    if match := _COUNT.match(assertion):
        found = walk(produced, match[1])
        count = len(found) if isinstance(found, list) else int(found is not None)
        return "" if count == int(match[2]) else f"{assertion}: it is {count}"
    if match := _ABSENT.match(assertion):
        return "" if walk(produced, match[1]) is None else f"{assertion}: it is there"
    if match := _TRUTH.match(assertion):
        found = walk(produced, match[1])
        return "" if found is (match[2] == "true") else f"{assertion}: it is {found!r}"
    if match := _EQUAL.match(assertion):
        return _equal(produced, assertion, match[1], match[2])
    return ""


def _equal(produced: Produced, assertion: str, path: str, wanted: str) -> str:
    if path.endswith(".resourceType") and wanted not in definitions().types:
        return ""  # the name in the assertion is no type of FHIR
    found = walk(produced, path)
    same = str(found) == wanted or (wanted.isupper() and str(found).upper() == wanted)
    return "" if same else f"{assertion}: it is {found!r}"


def _evaluated(produced: Produced, name: str, expression: str, wanted: str) -> str:
    node = produced.named.get(name, produced.result)
    found = fhirpath.compile(expression)(node)
    return "" if [str(one) for one in found[:1]] == [wanted] else f"{expression} is {found}"


def walk(produced: Produced, path: str) -> Any:
    """The value at a path of Java getters; a variable that is no result is a Bundle entry."""
    name, _, rest = path.partition(".")
    node = _start(produced, name)
    beside: Any = None
    for step in rest.split(".") if rest else ():
        match = _STEP.match(step)
        if match is None or node is None:
            return None
        key, index = match[1], match[2]
        node = node[0] if isinstance(node, list) and node else node
        if not isinstance(node, dict):
            if key == "value":
                return node
            node = beside if isinstance(beside, dict) else {}
        node, beside = _property(node, key), node.get(f"_{key}")
        if index is not None:
            node, beside = _at(node, int(index)), _at(beside, int(index))
    return node


def _at(items: Any, index: int) -> Any:
    return items[index] if isinstance(items, list) and index < len(items) else None


def _property(node: dict[str, Any], key: str) -> Any:
    for name in (key, key.removesuffix("Type")):
        if name in node:
            return node[name]
    typed = [value for name, value in node.items() if re.fullmatch(f"{key}[A-Z]\\w*", name)]
    return typed[0] if typed else None


def _start(produced: Produced, name: str) -> Any:
    result = produced.result
    if name in _RESULTS or not isinstance(result, dict) or result.get("resourceType") != "Bundle":
        return result
    resources = [entry.get("resource", {}) for entry in result.get("entry", ())]
    for resource in resources:
        if str(resource.get("resourceType", "")).lower() == name.lower():
            return resource
    if name not in produced.entries:
        produced.entries.append(name)
    place = produced.entries.index(name)
    return resources[place] if place < len(resources) else None
