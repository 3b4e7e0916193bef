"""The structure of R4 resources, compiled once for each type.

https://hl7.org/fhir/R4/validation.html (structure, cardinality, value domains, required bindings)

A check is a function of (value, owner) where `owner` is the object that holds the value;
it returns None or findings.  Checks of datatypes are shared by all elements of that type
and made on first use, so a process that sees five resource types compiles those five.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from fhir_bridge.fhir import Definitions, ElementDefinition, TypeDefinition
from fhir_bridge.validation.contained import check_contained
from fhir_bridge.validation.finding import Finding, Findings, found, is_misshapen, moved
from fhir_bridge.validation.judged import enter, leave
from fhir_bridge.validation.narrative import check_narrative
from fhir_bridge.validation.primitives import PrimitiveTest, primitive_test

__all__ = ["Check", "NodeCheck", "Structure"]

Check = Callable[[Any, dict[str, Any]], Findings]
NodeCheck = Callable[[dict[str, Any]], Findings]
"""A further judgement of one object: invariants of its type, the definition of an extension."""

_TYPED_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[^/]+)?$")


class Structure:
    """Checks by type name.

    `further` answers, for a type name, a judgement to add to each object of that type
    (or None); it is asked once when the type is compiled.
    """

    def __init__(
        self, definitions: Definitions, further: Callable[[str], NodeCheck | None] | None = None
    ) -> None:
        self._definitions = definitions
        self._further = further
        self._objects: dict[str, Check] = {}
        self._tests: dict[str, PrimitiveTest] = {}

    def check_resource(self, resource: Any) -> Findings:
        """Findings on a whole resource, local references (``#id``) resolved."""
        return self._resource(resource, {}, contained=False)

    def object_check(self, type_name: str) -> Check:
        """The check of resource, datatype or nested type `type_name`."""
        check = self._objects.get(type_name)
        if check is None:
            # A type may hold itself (Extension, Questionnaire.item): look it up when called.
            self._objects[type_name] = self._late(type_name)
            check = self._objects[type_name] = self._compile(self._definitions.types[type_name])
        return check

    # --- resources -------------------------------------------------------------------

    def _resource(self, resource: Any, _owner: dict[str, Any], *, contained: bool) -> Findings:
        if type(resource) is not dict:
            return found("FB-3006", name="the resource", expected="an object")
        resource_type = resource.get("resourceType")
        if type(resource_type) is not str or resource_type not in self._definitions.resource_types:
            return found("FB-3001", type=resource_type if type(resource_type) is str else "")
        token = enter(resource, contained=contained)
        try:
            findings = self.object_check(resource_type)(resource, resource)
        finally:
            leave(token)
        if contained:
            return findings
        if "contained" in resource or findings:
            return check_contained(resource, findings or [])
        return findings

    def _contained(self, resource: Any, owner: dict[str, Any]) -> Findings:
        return self._resource(resource, owner, contained=True)

    def _embedded(self, resource: Any, owner: dict[str, Any]) -> Findings:
        return self._resource(resource, owner, contained=False)

    # --- objects ---------------------------------------------------------------------

    def _compile(self, shape: TypeDefinition) -> Check:
        plan = self._plan(shape)
        required = [
            (element.choice or key, shape.choices.get(element.choice, (key,)))
            for key, element in shape.elements.items()
            if element.min
        ]
        required = list(dict(required).items())
        choices = {key: name for name, keys in shape.choices.items() for key in keys}
        further = self._further(shape.name) if self._further else None
        type_name = shape.name

        def check(value: Any, _owner: dict[str, Any]) -> Findings:
            if type(value) is not dict:
                return found("FB-3006", name=type_name, expected="an object")
            if not value:
                return found("FB-3011", name=type_name)
            findings: Findings = None
            for key, item in value.items():
                judge = plan.get(key)
                more = judge(item, value) if judge else found("FB-3002", type=type_name, name=key)
                if more:
                    findings = [*(findings or ()), *more]
            for name, keys in required:
                if not any(key in value or f"_{key}" in value for key in keys):
                    findings = [*(findings or ()), *found("FB-3003", name=name)]
            if choices:
                more = _exclusive(value, choices)
                if more:
                    findings = [*(findings or ()), *more]
            if further is not None and not (findings and is_misshapen(findings)):
                more = further(value)
                if more:
                    findings = [*(findings or ()), *more]
            return findings

        return check

    def _plan(self, shape: TypeDefinition) -> Mapping[str, Check]:
        plan: dict[str, Check] = {}
        for key, element in shape.elements.items():
            step = f".{element.choice}.ofType({element.type})" if element.choice else f".{key}"
            one = self._one(element)
            if element.type in self._definitions.primitive_types and element.type != "xhtml":
                plan[key] = _primitive_list(one, step) if element.is_list else _single(one, step)
                plan[f"_{key}"] = self._companion(key, element.is_list, step)
            else:
                plan[key] = _list(one, step, element.max) if element.is_list else _single(one, step)
        if shape.kind == "resource":
            plan["resourceType"] = lambda _value, _owner: None
        return plan

    def _one(self, element: ElementDefinition) -> Check:
        """The check of one value of `element`."""
        type_name = element.type
        if type_name == "xhtml":
            return lambda value, _owner: check_narrative(value)
        if type_name in self._definitions.primitive_types:
            return self._primitive(element)
        if self._definitions.types[type_name].kind == "resource":
            return self._contained if element.key == "contained" else self._embedded
        inner = self._late(type_name)
        if type_name == "Reference":
            return _reference(inner, frozenset(element.targets))
        if element.strength == "required" and type_name in (
            "Coding",
            "CodeableConcept",
            "Quantity",
        ):
            systems = self._definitions.value_set(element.value_set)
            if systems is not None:
                return _coded(inner, element, systems)
        return inner

    def _late(self, type_name: str) -> Check:
        """A check that is compiled when it is first called."""

        def check(value: Any, owner: dict[str, Any]) -> Findings:
            return self.object_check(type_name)(value, owner)

        return check

    def _primitive(self, element: ElementDefinition) -> Check:
        type_name = element.type
        test = self._tests.get(type_name)
        if test is None:
            test = self._tests[type_name] = primitive_test(self._definitions.types[type_name])
        codes = None
        if element.strength == "required" and type_name == "code":
            codes = self._definitions.required_codes(element.value_set)
        name, value_set = element.key, element.value_set

        def check(value: Any, _owner: dict[str, Any]) -> Findings:
            if test(value):
                return None
            if isinstance(value, dict | list):
                return found("FB-3006", name=name, expected="a single value")
            return found("FB-3011" if value == "" else "FB-3007", name=name, type=type_name)

        def check_code(value: Any, owner: dict[str, Any]) -> Findings:
            if type(value) is str and value in codes:  # type: ignore[operator]
                return None
            return check(value, owner) or found("FB-3008", name=name, value_set=value_set)

        return check_code if codes else check

    def _companion(self, key: str, is_list: bool, step: str) -> Check:
        """The check of ``_key``: id and extensions of a primitive, aligned with its values."""
        inner = self._late("Element")

        def single(value: Any, owner: dict[str, Any]) -> Findings:
            findings = inner(value, owner)
            return moved(findings, step) if findings else None

        def listed(value: Any, owner: dict[str, Any]) -> Findings:
            values = owner.get(key)
            if type(value) is not list or (values is not None and len(values) != len(value)):
                return moved(found("FB-3023", name=key), step)
            findings: list[Finding] = []
            for index, item in enumerate(value):
                more = inner(item, owner) if item is not None else None
                if more:
                    findings.extend(moved(more, f"{step}[{index}]"))
                elif item is None and values is None:
                    findings.extend(moved(found("FB-3011", name=key), f"{step}[{index}]"))
            return findings or None

        return listed if is_list else single


def _single(one: Check, step: str) -> Check:
    def check(value: Any, owner: dict[str, Any]) -> Findings:
        findings = one(value, owner)
        return moved(findings, step) if findings else None

    return check


def _list(one: Check, step: str, most: int | None) -> Check:
    name = step[1:]

    def check(value: Any, owner: dict[str, Any]) -> Findings:
        if type(value) is not list:
            return moved(found("FB-3006", name=name, expected="a list"), step)
        if not value:
            return moved(found("FB-3011", name=name), step)
        findings: Findings = None
        for index, item in enumerate(value):
            more = one(item, owner)
            if more:
                findings = [*(findings or ()), *moved(more, f"{step}[{index}]")]
        if most is not None and len(value) > most:
            more = moved(found("FB-3004", name=name, max=most, count=len(value)), step)
            findings = [*(findings or ()), *more]
        return findings

    return check


def _primitive_list(one: Check, step: str) -> Check:
    """Like `_list`; null stands only where the companion list speaks."""
    name = step[1:]
    items = _list(lambda value, owner: None if value is None else one(value, owner), step, None)

    def check(value: Any, owner: dict[str, Any]) -> Findings:
        findings = items(value, owner)
        if type(value) is list and None in value:
            companions = owner.get(f"_{name}")
            if type(companions) is not list or len(companions) != len(value):
                companions = [None] * len(value)
            for index, item in enumerate(value):
                if item is None and not companions[index]:
                    more = moved(found("FB-3011", name=name), f"{step}[{index}]")
                    findings = [*(findings or ()), *more]
        return findings

    return check


def _exclusive(value: dict[str, Any], choices: Mapping[str, str]) -> Findings:
    """At most one form of each choice element."""
    seen: dict[str, str] = {}
    for key in value:
        plain = key[1:] if key[0:1] == "_" else key
        name = choices.get(plain)
        if name is not None and seen.setdefault(name, plain) != plain:
            return found("FB-3005", name=f"{name}[x]", keys=f"{seen[name]}, {plain}")
    return None


def _reference(inner: Check, targets: frozenset[str]) -> Check:
    """A Reference: its own structure, the type it points to, local references to be resolved."""

    def check(value: Any, owner: dict[str, Any]) -> Findings:
        findings = inner(value, owner)
        text = value.get("reference") if type(value) is dict else None
        if type(text) is not str:
            return findings
        if text.startswith("#"):
            return [*(findings or ()), *found("FB-3010", name="The reference", reference=text)]
        if targets:
            match = _TYPED_REFERENCE.search(text)
            if match and match[1] not in targets:
                allowed = ", ".join(sorted(targets))
                details = {"name": "The reference", "target": match[1], "allowed": allowed}
                return [*(findings or ()), Finding("FB-3009", details)]
        return findings

    return check


def _coded(
    inner: Check, element: ElementDefinition, systems: Mapping[str, frozenset[str]]
) -> Check:
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
        return found("FB-3025", name=element.key, value_set=element.value_set)

    return check
