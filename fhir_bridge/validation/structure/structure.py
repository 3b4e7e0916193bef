"""The structure of R4 resources, compiled once for each type.

https://hl7.org/fhir/R4/validation.html (structure, cardinality, value domains, required bindings)

A check is a function of (value, owner) where `owner` is the object that holds the value;
it returns None or findings.  Checks of datatypes are shared by all elements of that type
and made on first use, so a process that sees five resource types compiles those five.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fhir_bridge.fhir import Definitions, ElementDefinition, TypeDefinition
from fhir_bridge.validation.context import enter, leave
from fhir_bridge.validation.finding import Finding, Findings, NodeCheck, fault, is_misshapen, moved
from fhir_bridge.validation.strictness import LENIENT, Strictness
from fhir_bridge.validation.structure.canonicals import Canonicals
from fhir_bridge.validation.structure.contained import check_contained
from fhir_bridge.validation.structure.element_checks import (
    Check,
    code_test,
    coded,
    exclusive,
    listed,
    primitive_list,
    reference,
    single,
)
from fhir_bridge.validation.structure.narrative import check_narrative
from fhir_bridge.validation.structure.primitives import PrimitiveTest, primitive_test

__all__ = ["Structure", "required_keys"]


class Structure:
    """Checks by type name.

    `further` answers, for a type name, a judgement to add to each object of that type
    (or None); it is asked once when the type is compiled.
    """

    def __init__(
        self,
        definitions: Definitions,
        further: Callable[[str], NodeCheck | None] | None = None,
        strictness: Strictness = LENIENT,
        canonicals: Canonicals | None = None,
    ) -> None:
        self._canonicals = canonicals
        self._definitions = definitions
        self._strictness = strictness
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
            return fault("FB-3006", name="the resource", expected="an object")
        resource_type = resource.get("resourceType")
        if type(resource_type) is not str or resource_type not in self._definitions.resource_types:
            return fault("FB-3001", type=resource_type if type(resource_type) is str else "")
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
        required = list(required_keys(shape).items())
        choices = {
            form: name
            for name, keys in shape.choices.items()
            for key in keys
            for form in (key, f"_{key}")
        }
        further = self._further(shape.name) if self._further else None
        type_name = shape.name
        # ele-1: an element that has nothing but an id says nothing; a resource may.
        empty = 0 if shape.kind == "resource" or type_name == "Element" else 1

        def check(value: Any, _owner: dict[str, Any]) -> Findings:
            if type(value) is not dict:
                return fault("FB-3006", name=type_name, expected="an object")
            if len(value) <= empty and (not value or "id" in value):
                return fault("FB-3011", name=type_name)
            findings: Findings = None
            for key, item in value.items():
                judge = plan.get(key)
                more = judge(item, value) if judge else fault("FB-3002", type=type_name, name=key)
                if more:
                    findings = [*(findings or ()), *more]
            for name, keys in required:
                if keys.isdisjoint(value):
                    findings = [*(findings or ()), *fault("FB-3003", name=name)]
            if choices and len(choices.keys() & value.keys()) > 1:
                more = exclusive(value, choices)
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
                plan[key] = primitive_list(one, step) if element.is_list else single(one, step)
                plan[f"_{key}"] = self._companion(key, element.is_list, step)
            else:
                plan[key] = listed(one, step, element.max) if element.is_list else single(one, step)
        if shape.kind == "resource":
            plan["resourceType"] = lambda _value, _owner: None
        return plan

    def _one(self, element: ElementDefinition) -> Check:
        """The check of one value of `element`."""
        type_name = element.type
        if type_name == "xhtml":
            dead = self._strictness.dead_links
            return lambda value, _owner: check_narrative(value, dead_links=dead)
        if type_name in self._definitions.primitive_types:
            return self._primitive(element)
        if self._definitions.types[type_name].kind == "resource":
            return self._contained if element.key == "contained" else self._embedded
        inner = self._late(type_name)
        if type_name == "Reference":
            return reference(inner, frozenset(element.targets))
        if element.strength == "required" and type_name in (
            "Coding",
            "CodeableConcept",
            "Quantity",
        ):
            systems = self._definitions.value_set(element.value_set)
            if systems is not None:
                return coded(inner, element, systems)
        return inner

    def _late(self, type_name: str) -> Check:
        """A check that is compiled when it is first called: a type may hold itself."""
        known: list[Check] = []

        def check(value: Any, owner: dict[str, Any]) -> Findings:
            if not known:
                known.append(self.object_check(type_name))
            return known[0](value, owner)

        return check

    def _primitive(self, element: ElementDefinition) -> Check:
        type_name = element.type
        test = self._tests.get(type_name)
        if test is None:
            shape = self._definitions.types[type_name]
            test = self._tests[type_name] = primitive_test(shape, self._strictness)
        accepts = code_test(element, self._definitions)
        name, value_set = element.key, element.value_set

        def check(value: Any, _owner: dict[str, Any]) -> Findings:
            if test(value):
                return None
            if isinstance(value, dict | list):
                return fault("FB-3006", name=name, expected="a single value")
            return fault("FB-3011" if value == "" else "FB-3007", name=name, type=type_name)

        def check_code(value: Any, owner: dict[str, Any]) -> Findings:
            if type(value) is str and accepts is not None and accepts(value):
                return None
            return check(value, owner) or fault("FB-3008", name=name, value_set=value_set)

        is_canonical = self._canonicals.test(element) if self._canonicals else None
        targets = ", ".join(element.targets)

        def check_canonical(value: Any, owner: dict[str, Any]) -> Findings:
            findings = check(value, owner)
            if findings or (is_canonical is not None and is_canonical(value)):
                return findings
            return fault("FB-3038", name=name, allowed=targets or "anything")

        if is_canonical:
            return check_canonical
        return check_code if accepts else check

    def _companion(self, key: str, is_list: bool, step: str) -> Check:
        """The check of ``_key``: id and extensions of a primitive, aligned with its values."""
        inner = self._late("Element")

        def single(value: Any, owner: dict[str, Any]) -> Findings:
            findings = inner(value, owner)
            if not findings and "extension" not in value and key not in owner:
                findings = fault("FB-3011", name=key)
            return moved(findings, step) if findings else None

        def listed(value: Any, owner: dict[str, Any]) -> Findings:
            values = owner.get(key)
            if type(value) is not list or (values is not None and len(values) != len(value)):
                return moved(fault("FB-3023", name=key), step)
            findings: list[Finding] = []
            for index, item in enumerate(value):
                more = inner(item, owner) if item is not None else None
                if more:
                    findings.extend(moved(more, f"{step}[{index}]"))
                elif item is None and values is None:
                    findings.extend(moved(fault("FB-3011", name=key), f"{step}[{index}]"))
            return findings or None

        return listed if is_list else single


def required_keys(shape: TypeDefinition) -> dict[str, frozenset[str]]:
    """By name the JSON keys, companions included, of which one at least must stand."""
    required = {}
    for key, element in shape.elements.items():
        if element.min:
            keys = shape.choices.get(element.choice, (key,))
            required[element.choice or key] = frozenset({*keys, *(f"_{name}" for name in keys)})
    return required
