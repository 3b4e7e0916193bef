"""Checks of single elements, from which `structure` builds those of whole types.

https://hl7.org/fhir/R4/json.html (shapes), https://hl7.org/fhir/R4/references.html,
https://hl7.org/fhir/R4/terminologies.html#required
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from fhir_bridge.fhir import Definitions, ElementDefinition, definitions
from fhir_bridge.terminology import is_language_tag
from fhir_bridge.validation.finding import Finding, Findings, fault, moved

__all__ = [
    "Check",
    "code_test",
    "coded",
    "exclusive",
    "is_address",
    "listed",
    "primitive_list",
    "reference",
    "relative_type",
    "single",
    "targets_type",
]

Check = Callable[[Any, dict[str, Any]], Findings]
"""A judgement of (value, owner): `owner` is the object that holds the value."""

_TYPED_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[^/]+)?$")


_RELATIVE = re.compile(r"([A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[^/]+)?")
_BLANK = re.compile(r"\s")
_LANGUAGES = "http://hl7.org/fhir/ValueSet/languages"


def single(one: Check, step: str) -> Check:
    """The check of an element that does not repeat."""

    def check(value: Any, owner: dict[str, Any]) -> Findings:
        findings = one(value, owner)
        return moved(findings, step) if findings else None

    return check


def listed(one: Check, step: str, most: int | None) -> Check:
    """The check of an element that repeats, at most `most` times."""
    name = step[1:]

    def check(value: Any, owner: dict[str, Any]) -> Findings:
        if type(value) is not list:
            return moved(fault("FB-3006", name=name, expected="a list"), step)
        if not value:
            return moved(fault("FB-3011", name=name), step)
        findings: Findings = None
        for index, item in enumerate(value):
            more = one(item, owner)
            if more:
                findings = [*(findings or ()), *moved(more, f"{step}[{index}]")]
        if most is not None and len(value) > most:
            more = moved(fault("FB-3004", name=name, max=most, count=len(value)), step)
            findings = [*(findings or ()), *more]
        return findings

    return check


def primitive_list(one: Check, step: str) -> Check:
    """Like `_list`; null stands only where the companion list speaks."""
    name = step[1:]
    items = listed(lambda value, owner: None if value is None else one(value, owner), step, None)

    def check(value: Any, owner: dict[str, Any]) -> Findings:
        findings = items(value, owner)
        if type(value) is list and None in value:
            companions = owner.get(f"_{name}")
            if type(companions) is not list or len(companions) != len(value):
                companions = [None] * len(value)
            for index, item in enumerate(value):
                if item is None and not companions[index]:
                    more = moved(fault("FB-3011", name=name), f"{step}[{index}]")
                    findings = [*(findings or ()), *more]
        return findings

    return check


def exclusive(value: dict[str, Any], choices: Mapping[str, str]) -> Findings:
    """At most one form of each choice element."""
    seen: dict[str, str] = {}
    for key in value:
        plain = key.removeprefix("_")
        name = choices.get(plain)
        if name is not None and seen.setdefault(name, plain) != plain:
            return fault("FB-3005", name=f"{name}[x]", keys=f"{seen[name]}, {plain}")
    return None


def code_test(element: ElementDefinition, facts: Definitions) -> Callable[[str], bool] | None:
    """Whether a code may stand in `element`; None when every code may.

    A language is a tag of BCP 47 wherever R4 binds to its languages (the binding's maximum).
    """
    if element.type != "code":
        return None
    if element.value_set == _LANGUAGES:
        return is_language_tag
    codes = facts.required_codes(element.value_set) if element.strength == "required" else None
    return codes.__contains__ if codes else None


def reference(inner: Check, targets: frozenset[str]) -> Check:
    """A Reference: its own structure, the type it points to, local references to be resolved."""

    def check(value: Any, owner: dict[str, Any]) -> Findings:
        findings = inner(value, owner)
        text = value.get("reference") if type(value) is dict else None
        if type(text) is not str:
            return findings
        if text.startswith("#"):
            return [*(findings or ()), *fault("FB-3010", name="The reference", reference=text)]
        if not is_address(text):
            wrong = fault("FB-3007", name="reference", type="address of a resource")
            return [*(findings or ()), *wrong]
        if targets:
            target = targets_type(text)
            if target is not None and target not in targets:
                allowed = ", ".join(sorted(targets))
                details = {"name": "The reference", "target": target, "allowed": allowed}
                return [*(findings or ()), Finding("FB-3009", details)]
        return findings

    return check


def is_address(text: str) -> bool:
    """Whether a reference has no blanks and, where it is relative, names a type of R4."""
    named = relative_type(text)
    if named is None:
        return _BLANK.search(text) is None
    return named in definitions().resource_types


def relative_type(text: str) -> str | None:
    """The type that a relative reference names (``Patient`` of ``Patient/1``); None of others."""
    match = _RELATIVE.fullmatch(text)
    return match[1] if match else None


def targets_type(text: str) -> str | None:
    """The resource type that the text of a reference names; None when it names none."""
    match = _TYPED_REFERENCE.search(text)
    return match[1] if match else None


def coded(inner: Check, element: ElementDefinition, systems: Mapping[str, frozenset[str]]) -> Check:
    """A Coding or CodeableConcept with a required binding."""
    is_concept = element.type == "CodeableConcept"

    def check(value: Any, owner: dict[str, Any]) -> Findings:
        findings = inner(value, owner)
        if findings or type(value) is not dict:
            return findings
        codings = value.get("coding", ()) if is_concept else (value,)
        if any(
            coding.get("code") in systems.get(coding.get("system", ""), ()) for coding in codings
        ):
            return None
        return fault("FB-3025", name=element.key, value_set=element.value_set)

    return check
