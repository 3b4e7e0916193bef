"""A StructureDefinition against the type or profile that it stands on.

https://hl7.org/fhir/R4/structuredefinition.html, https://hl7.org/fhir/R4/profiling.html#discriminator

Judged are the name of the type, the paths of the elements, the paths of discriminators,
fixed values that differ from those of the base, the order of the elements and the place of
slices (`definition_order`), and invariants that have no answer where an element is absent
(`null_safety`); and whether a snapshot can be made (`fhir_bridge.snapshots`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fhir_bridge.conformance import Profiles
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions, Resource
from fhir_bridge.fhirpath import Environment
from fhir_bridge.snapshots import Snapshots
from fhir_bridge.validation.finding import Finding, Findings, fault, moved
from fhir_bridge.validation.invariants.null_safety import NullSafety
from fhir_bridge.validation.resources.definition_order import Slices, order_faults, slices_of
from fhir_bridge.validation.values import stated_value

__all__ = ["StructureDefinitions"]

_R4 = "http://hl7.org/fhir/StructureDefinition/"
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_STEP = re.compile(r"(?:[^.()]|\([^()]*\))+")
_OPEN = frozenset({"Resource", "DomainResource"})


class StructureDefinitions:
    """The judge of all StructureDefinitions, by R4 and by those among `profiles`."""

    def __init__(
        self, definitions: Definitions, profiles: Profiles, environment: Environment
    ) -> None:
        self._definitions = definitions
        self._profiles = profiles
        self._null_safety = NullSafety(definitions, environment)

    def check(self, structure_definition: Resource) -> Findings:
        """Findings on the type, the elements and the invariants of `structure_definition`."""
        findings: list[Finding] = []
        type_name = str(structure_definition.get("type", ""))
        base = str(structure_definition.get("baseDefinition", ""))
        known = type_name in self._definitions.types
        is_of_r4 = known or structure_definition.get("url") == f"{_R4}{type_name}"
        if not is_of_r4 and type_name and not _ABSOLUTE.match(type_name):
            reason = f"the type {type_name} is not one of R4, and no absolute URL"
            findings += moved(fault("FB-3030", reason=reason), ".type")
        is_constraint = structure_definition.get("derivation") == "constraint"
        if not is_constraint and type_name and _tail(base) == _tail(type_name):
            findings += fault("FB-3030", reason="a specialization has the type of its base")
        for part in ("snapshot", "differential"):
            elements = (structure_definition.get(part) or {}).get("element", ())
            for index, element in enumerate(elements):
                faults = self._element_faults(
                    element, type_name, by_type=known and is_constraint, base=base
                )
                where = f".{part}.element[{index}]"
                for place, reason in faults:
                    findings += moved(fault("FB-3030", reason=reason), f"{where}{place}")
            inherited = self._inherited_slices(base) if part == "differential" else {}
            for index, reason in order_faults(elements, inherited, self._definitions):
                faults_of_order = fault("FB-3031", reason=reason)
                findings += moved(faults_of_order, f".{part}.element[{index}]")
        findings += self._unanswered(structure_definition, type_name)
        if is_constraint and not findings:
            findings += self._without_snapshot(structure_definition)
        return findings or None

    def _without_snapshot(self, structure_definition: Resource) -> Iterator[Finding]:
        """What the base does not allow; nothing where the base is not at hand."""
        snapshots = Snapshots(self._definitions, self._profiles.structure_definition)
        try:
            if snapshots.tree(str(structure_definition.get("baseDefinition", ""))):
                snapshots.with_snapshot(structure_definition)
        except BridgeError as error:
            lead = error.issues[0]
            yield Finding(
                lead.code, dict(lead.details), where=lead.where.removeprefix("StructureDefinition")
            )

    def _unanswered(self, structure_definition: Resource, type_name: str) -> Iterator[Finding]:
        """Its own invariants that are empty on an instance where they should say true."""
        part = "differential" if structure_definition.get("differential") else "snapshot"
        elements = (structure_definition.get(part) or {}).get("element", ())
        url = structure_definition.get("url")
        for index, element in enumerate(elements):
            for number, rule in enumerate(element.get("constraint", ())):
                text, source = rule.get("expression"), rule.get("source", url)
                if not isinstance(text, str) or source != url:
                    continue  # an inherited rule is judged where it is stated
                rest = str(element.get("path", "")).partition(".")[2]
                types = sorted(self._types_at({type_name}, rest))
                instance = self._null_safety.without_answer(
                    text, types, type_name, _required_in(elements, element)
                )
                if instance is not None:
                    severity = "warning" if rule.get("severity") == "warning" else "error"
                    where = f".{part}.element[{index}].constraint[{number}]"
                    key = rule.get("key", "")
                    yield from moved(fault("FB-3032", severity, key=key, instance=instance), where)

    def _inherited_slices(self, base: str) -> Slices:
        """The slices of all profiles below, those of the deepest first."""
        chain: list[Resource] = []
        while (profile := self._profiles.structure_definition(base)) and profile not in chain:
            chain.append(profile)
            base = str(profile.get("baseDefinition", ""))
        slices: Slices = {}
        for profile in reversed(chain):
            part = profile.get("snapshot") or profile.get("differential") or {}
            slices_of(part.get("element", ()), slices)
        return slices

    def _element_faults(
        self, element: Resource, type_name: str, *, by_type: bool, base: str
    ) -> Iterator[tuple[str, str]]:
        """(place within the element, reason) of each fault."""
        path = str(element.get("path", ""))
        root, _, rest = path.partition(".")
        if root != _tail(type_name):
            yield "", f"the path {path} does not start with the type"
            return
        if by_type:
            types = self._types_at({type_name}, rest)
            if not types:
                yield "", f"{type_name} has no element {path}"
                return
            listed = element.get("slicing", {}).get("discriminator", ())
            for index, discriminator in enumerate(listed):
                step = str(discriminator.get("path", "$this"))
                if not self._types_at(types, step):
                    place = f".slicing.discriminator[{index}]"
                    yield place, f"the discriminator {step} does not exist in {path}"
        fixed = stated_value(element, "fixed")
        inherited = self._fixed_in_base(base, element) if fixed is not None else None
        if inherited is not None and inherited != fixed:
            yield "", f"{path} is fixed to another value than in the base"

    def _types_at(self, types: set[str], path: str) -> set[str]:
        """The types that `path` may lead to from one of `types`; empty when it leads nowhere."""
        for step in _STEP.findall(path):
            if step == "$this":
                continue
            if step == "resolve()" or types & _OPEN:
                return set(_OPEN)
            if step.startswith("extension("):
                types = {"Extension"}
            elif step.startswith("ofType("):
                types = {step[7:-1]}
            else:
                types = {kind for owner in types for kind in self._types_of(owner, step)}
        return types

    def _types_of(self, owner: str, step: str) -> Iterator[str]:
        shape = self._definitions.types.get(owner)
        if shape is None:
            return
        name = step.removesuffix("[x]")
        for key in shape.choices.get(name, (name,)):
            if key in shape.elements:
                yield shape.elements[key].type
        if step == "value" and shape.kind == "primitive":
            yield owner

    def _fixed_in_base(self, base: str, element: Resource) -> Any:
        """The fixed value of the same element in the profiles below; None when there is none."""
        seen: set[str] = set()
        while base not in seen:
            seen.add(base)
            profile = self._profiles.structure_definition(base)
            if profile is None:
                return None
            for part in ("snapshot", "differential"):
                for inherited in (profile.get(part) or {}).get("element", ()):
                    if _key(inherited) == _key(element):
                        fixed = stated_value(inherited, "fixed")
                        if fixed is not None:
                            return fixed
            base = str(profile.get("baseDefinition", ""))
        return None


def _required_in(elements: Iterable[Resource], holder: Resource) -> set[str]:
    """The elements directly inside `holder` that the definition requires."""
    place = f"{_key(holder)}."
    return {
        _key(element)[len(place) :]
        for element in elements
        if element.get("min") and _key(element).startswith(place)
    }


def _tail(url: str) -> str:
    return url.rpartition("/")[2]


def _key(element: Resource) -> str:
    return str(element.get("id") or element.get("path"))
