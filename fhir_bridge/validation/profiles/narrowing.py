"""Bindings and reference targets that a profile narrows beyond R4.

https://hl7.org/fhir/R4/profiling.html#binding, https://hl7.org/fhir/R4/references.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from fhir_bridge.fhir import ElementDefinition, parse_reference
from fhir_bridge.validation.context import resolve
from fhir_bridge.validation.finding import Findings, Judge, fault
from fhir_bridge.validation.profiles.element_tree import ElementNode
from fhir_bridge.validation.values import fits_codes

__all__ = ["TargetKnowledge", "binding_judges", "profile_of_target_judges", "target_judges"]

_R4 = "http://hl7.org/fhir/StructureDefinition/"


class TargetKnowledge(Protocol):
    """What is asked of the profiles at hand."""

    def conforms(self, value: Any, url: str) -> bool | None:
        """Whether `value` conforms to the profile at `url`; None when that is not known."""


def binding_judges(
    node: ElementNode,
    base: ElementDefinition | None,
    codes: Callable[[str], Mapping[str, frozenset[str]] | None],
) -> list[Judge]:
    """The judge of a required binding of `node`; none where R4 asks the same or no list is known."""
    binding = node.element.get("binding", {})
    url = str(binding.get("valueSet", ""))
    if binding.get("strength") != "required" or not url:
        return []
    if base and base.strength == "required" and base.value_set == url.partition("|")[0]:
        return []
    systems = codes(url)
    if systems is None:
        return []
    name = node.name

    def judge(value: Any) -> Findings:
        if value is None or fits_codes(value, systems):
            return None
        return fault("FB-3008" if isinstance(value, str) else "FB-3025", name=name, value_set=url)

    return [judge]


def target_judges(
    node: ElementNode, base: ElementDefinition | None, type_of: Callable[[str], str]
) -> list[Judge]:
    """The judge of the types that a reference may lead to; `type_of` a profile, "" when unknown."""
    urls = [
        url
        for kind in node.element.get("type", ())
        if kind.get("code") == "Reference"
        for url in kind.get("targetProfile", ())
    ]
    allowed = {type_of(url) for url in urls}
    if not allowed or "Resource" in allowed or "" in allowed:
        return []
    if base and allowed == set(base.targets):
        return []
    listed = ", ".join(sorted(allowed))

    def judge(value: Any) -> Findings:
        text = value.get("reference") if isinstance(value, dict) else None
        reference = parse_reference(text) if isinstance(text, str) else None
        if reference is None or not reference.resource_type:
            return None
        if reference.resource_type in allowed:
            return None
        target = reference.resource_type
        return fault("FB-3009", name="The reference", target=target, allowed=listed)

    return [judge]


def profile_of_target_judges(node: ElementNode, profiles: TargetKnowledge) -> list[Judge]:
    """The judge of what a reference leads to inside the judged resource or its Bundle.

    It conforms to one of the profiles that the element names; what lies elsewhere is not judged.
    """
    urls = [
        url
        for kind in node.element.get("type", ())
        if kind.get("code") == "Reference"
        for url in kind.get("targetProfile", ())
    ]
    if not urls or all(url.startswith(_R4) for url in urls):
        return []

    def judge(value: Any) -> Findings:
        text = value.get("reference") if isinstance(value, dict) else None
        target = resolve(text) if isinstance(text, str) else None
        if not isinstance(target, dict):
            return None
        if any(profiles.conforms(target, url) is not False for url in urls):
            return None
        return fault("FB-3034", name=node.name, profile=" or ".join(urls))

    return [judge]
