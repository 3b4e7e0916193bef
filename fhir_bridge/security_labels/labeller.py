"""Puts security labels on a resource, by what it is about, its reason and its result.

https://hl7.org/fhir/R4/security-labels.html.  A label of ours says ``userSelected: false``: it comes
and goes with the rules.  What a sender or a person put there stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fhir_bridge.fhir import Resource
from fhir_bridge.security_labels.rules import ACT_CODE, CONFIDENTIALITY, LEVELS, LabelRule

__all__ = ["Labeller", "without_labels"]

_ABOUT = (
    "code", "reasonCode", "type", "medicationCodeableConcept", "valueCodeableConcept",
    "conclusionCode", "vaccineCode", "category", "serviceType",
)  # fmt: skip
_DATES = (
    "effectiveDateTime", "performedDateTime", "occurrenceDateTime", "authoredOn", "recordedDate",
    "date", "issued", "created",
)  # fmt: skip
_MAX_MEMO = 50_000

Born = Callable[[str], str]
"""The birth date of a Patient by id; "" when it is not known."""


class Labeller:
    """The rules of a site, compiled; shared by threads."""

    def __init__(self, rules: Iterable[LabelRule]) -> None:
        self._rules = tuple(rules)
        self._memo: dict[tuple[Any, Any], tuple[LabelRule, ...]] = {}

    def label(self, resource: Resource, born: Born = lambda _: "") -> Resource:
        """The resource with our labels as the rules want them; itself where it has them."""
        rules = self._matching(resource)
        meta = resource.get("meta")
        if not rules and (not meta or "security" not in meta):
            return resource
        before = meta.get("security", []) if meta else []
        kept = [coding for coding in before if not _is_ours(coding)]
        labels = [*kept, *_needed(resource, rules, kept, born)]
        if labels == before:
            return resource
        return _with_security(resource, labels)

    def _matching(self, resource: Resource) -> list[LabelRule]:
        found: list[LabelRule] = []
        for name in _ABOUT:
            node = resource.get(name)
            if node:
                for each in node if type(node) is list else (node,):
                    if type(each) is dict:
                        for coding in each.get("coding") or ():
                            found += self._of(coding)
        return found

    def _of(self, coding: dict[str, Any]) -> tuple[LabelRule, ...]:
        key = coding.get("system"), coding.get("code")
        try:
            return self._memo[key]
        except (KeyError, TypeError):
            pass
        system, code = key
        if not isinstance(system, str) or not isinstance(code, str):
            return ()
        if len(self._memo) > _MAX_MEMO:
            self._memo = {}
        found = tuple(rule for rule in self._rules if (system, code) in rule.members)
        self._memo[key] = found
        return found


def without_labels(resource: Resource) -> Resource:
    """The resource as it was said: without labels of ours; itself where it has none."""
    meta = resource.get("meta")
    if not meta or "security" not in meta or not any(map(_is_ours, meta["security"])):
        return resource
    return _with_security(resource, [each for each in meta["security"] if not _is_ours(each)])


def _with_security(resource: Resource, labels: list[dict[str, Any]]) -> Resource:
    """The resource with these labels and no others; nothing empty is left."""
    meta = dict(resource.get("meta") or {})
    meta.pop("security", None)
    if labels:
        meta["security"] = labels
    if meta:
        return {**resource, "meta": meta}
    return {name: value for name, value in resource.items() if name != "meta"}


def _needed(
    resource: Resource, rules: Iterable[LabelRule], kept: Iterable[dict[str, Any]], born: Born
) -> Iterator[dict[str, Any]]:
    """What the rules ask for beyond what is there: each label once, and the highest level."""
    there = {(coding.get("system"), coding.get("code")) for coding in kept}
    applied = [rule for rule in rules if not rule.under_age or _is_under(resource, rule, born)]
    for label in dict.fromkeys(label for rule in applied for label in rule.labels):
        if (ACT_CODE, label) not in there:
            yield {"system": ACT_CODE, "code": label, "userSelected": False}
    if applied:
        level = max(LEVELS.index(rule.level) for rule in applied)
        if not any((CONFIDENTIALITY, each) in there for each in LEVELS[level:]):
            yield {"system": CONFIDENTIALITY, "code": LEVELS[level], "userSelected": False}


def _is_ours(coding: Any) -> bool:
    return (
        isinstance(coding, dict)
        and coding.get("userSelected") is False
        and coding.get("system") in (ACT_CODE, CONFIDENTIALITY)
    )


def _is_under(resource: Resource, rule: LabelRule, born: Born) -> bool:
    """Whether the person was younger then; also where their birth, or the time, is not known."""
    subject = resource.get("subject") or resource.get("patient") or {}
    reference = subject.get("reference", "") if isinstance(subject, dict) else ""
    birth = born(reference.removeprefix("Patient/")) if isinstance(reference, str) else ""
    time = next((str(resource[name]) for name in _DATES if resource.get(name)), "")
    if len(birth) < 4 or len(time) < 4 or not (birth[:4] + time[:4]).isdigit():
        return True
    come_of_age = f"{int(birth[:4]) + rule.under_age:04d}{birth[4:10]}"
    return time[: len(come_of_age)] < come_of_age
