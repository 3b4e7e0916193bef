"""Profiles compiled to checks: what a StructureDefinition asks beyond R4 itself.

https://hl7.org/fhir/R4/profiling.html

Only what a profile narrows is judged (cardinality, types, fixed values and patterns,
required bindings, reference targets, slices, invariants); an element that says the same as
R4 costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

from fhir_bridge.conformance import Profiles
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Constraint, Definitions, ElementDefinition, Resource
from fhir_bridge.snapshots import Snapshots
from fhir_bridge.validation.finding import Finding, Findings, Judge, NodeCheck, fault, moved
from fhir_bridge.validation.invariants.invariants import Invariants
from fhir_bridge.validation.profiles.element_extensions import (
    ValueTest,
    narrative_judges,
    value_test,
)
from fhir_bridge.validation.profiles.element_tree import ElementNode, element_tree
from fhir_bridge.validation.profiles.narrowing import (
    binding_judges,
    profile_of_target_judges,
    target_judges,
)
from fhir_bridge.validation.profiles.rules import all_of, maximum_of, properties, stated_judges
from fhir_bridge.validation.profiles.slices import (
    Property,
    Slice,
    judge_slice,
    outside_of,
    slice_of,
    within_reach,
)
from fhir_bridge.validation.profiles.slicing import slice_matcher

__all__ = ["ProfileCompiler"]

_R4 = "http://hl7.org/fhir/StructureDefinition/"
_asked: ContextVar[frozenset[tuple[int, str]]] = ContextVar("asked", default=frozenset())
"""The resources that are being judged by a profile, with its URL."""
_IMPLIED: dict[str, list[Mapping[str, str]]] = {
    "extension": [{"type": "value", "path": "url"}],
    "modifierExtension": [{"type": "value", "path": "url"}],
}


class ProfileCompiler:
    """Checks of profiles by URL, compiled on first use."""

    def __init__(
        self, definitions: Definitions, profiles: Profiles, invariants: Invariants
    ) -> None:
        self._definitions = definitions
        self._profiles = profiles
        self._invariants = invariants
        self._snapshots = Snapshots(definitions, profiles.structure_definition)
        self._checks: dict[str, NodeCheck | None] = {}

    def check_of(self, url: str) -> NodeCheck | None:
        """The check of the profile at `url`; None when it is not known."""
        if url not in self._checks:
            self._checks[url] = None  # a profile that asks for itself ends here
            profile, _, element = url.partition("#")
            structure_definition = self._profiles.structure_definition(profile)
            if structure_definition is not None:
                self._checks[url] = (
                    self._compile_element(self._tree_of(structure_definition), element)
                    if element
                    else self._compile(structure_definition)
                )
        return self._checks[url]

    def _compile_element(self, root: ElementNode, identifier: str) -> NodeCheck | None:
        """The check of one value of the element `identifier` of a profile."""
        node = root.at(identifier)
        steps = [step.partition(":")[0] for step in identifier.split(".")]
        shape = self._definitions.types.get(steps[0])
        for name in steps[1:]:
            element = shape.elements.get(name) if shape else None
            shape = self._definitions.types.get(element.type) if element else None
        if node is None or shape is None:
            return None
        judges = self._value_judges(node, shape.name, None)
        return lambda value: all_of(judges, value)

    def _compile(self, structure_definition: Resource) -> NodeCheck:
        type_name = str(structure_definition.get("type", ""))
        checks: list[Judge] = []
        base = str(structure_definition.get("baseDefinition", ""))
        if not self._is_type(base):
            inherited = self.check_of(base)
            if inherited is not None:
                checks.append(inherited)
        tree = self._tree_of(structure_definition)
        if type_name in self._definitions.primitive_types:
            value = tree.children.get("value", tree)
            checks += stated_judges(value.element, type_name)
        elif type_name in self._definitions.types:
            checks += self._value_judges(tree, type_name, None)
        is_resource = type_name in self._definitions.resource_types
        url = str(structure_definition.get("url", ""))

        def check(value: dict[str, Any]) -> Findings:
            if is_resource and value.get("resourceType") != type_name:
                return fault(
                    "FB-3018", profile=url, expected=type_name, type=value.get("resourceType")
                )
            return all_of(checks, value)

        return check

    def _tree_of(self, structure_definition: Resource) -> ElementNode:
        """Its differential; its snapshot where it speaks of slices that only its base explains."""
        tree = element_tree(structure_definition)
        base = str(structure_definition.get("baseDefinition", ""))
        if "snapshot" in structure_definition or self._is_type(base) or not _leans_on_base(tree):
            return tree
        try:
            return element_tree(self._snapshots.with_snapshot(structure_definition))
        except BridgeError:
            return tree  # the base is not at hand, or the definition is at fault: FB-3033 says so

    def _is_type(self, url: str) -> bool:
        return url.startswith(_R4) and url[len(_R4) :] in self._definitions.types

    def codes(self, value_set_url: str) -> Mapping[str, frozenset[str]] | None:
        """The codes of a value set by system; None when it cannot be listed."""
        return self._profiles.codes(value_set_url)

    def tree(self, url: str) -> ElementNode | None:
        """The elements of the profile at `url`; None when it is not known."""
        profile, _, element = url.partition("#")
        structure_definition = self._profiles.structure_definition(profile)
        root = element_tree(structure_definition) if structure_definition else None
        return root.at(element) if root and element else root

    def conforms(self, value: Any, url: str) -> bool | None:
        """Whether `value` conforms to the profile at `url`; None when that is not known."""
        if self._is_type(url):
            named = value.get("resourceType") if isinstance(value, dict) else None
            return named == url[len(_R4) :]
        check = self.check_of(url)
        if check is None:
            return None
        asked = (id(value), url)
        if asked in _asked.get():
            return True  # resources that refer to each other: the other faults decide
        token = _asked.set(_asked.get() | {asked})
        try:
            return not any(finding.severity == "error" for finding in check(value) or ())
        finally:
            _asked.reset(token)

    # --- one value -------------------------------------------------------------------

    def _value_judges(
        self, node: ElementNode, type_name: str, base: ElementDefinition | None
    ) -> list[Judge]:
        """What `node` asks of one value of `type_name`."""
        element = node.element
        judges = stated_judges(element, node.name)
        judges += binding_judges(node, base, self._profiles.codes)
        judges += target_judges(node, base, self._target_type)
        judges += profile_of_target_judges(node, self)
        judges += narrative_judges(element) if type_name == "Narrative" else []
        judges += self._profile_judges(node)
        judges += self._invariant_judges(element, type_name)
        asked = [self._property_judge(child, type_name) for child in node.children.values()]
        below = [one for one in asked if one is not None]
        return [*judges, properties(below)] if below else judges

    def _target_type(self, url: str) -> str:
        if self._is_type(url):
            return url[len(_R4) :]
        profile = self._profiles.structure_definition(url)
        return str(profile.get("type", "")) if profile else ""

    def _profile_judges(self, node: ElementNode) -> list[Judge]:
        """Profiles of datatypes and of nested resources; any one of several is enough."""
        if "Extension" in node.type_codes():
            return []  # each known extension is judged by its own definition wherever it stands
        urls = [url for url in node.profile_urls() if not self._is_type(url)]
        if not urls:
            return []

        def judge(value: Any) -> Findings:
            first: Findings = None
            for url in urls:
                check = self.check_of(url)
                if check is None or value is None:
                    return None
                findings = check(value)
                if not findings:
                    return None
                first = first or findings
            return first

        return [judge]

    def _invariant_judges(self, element: Mapping[str, Any], type_name: str) -> list[Judge]:
        known = self._inherited_invariants(type_name)
        stated = [
            Constraint(
                str(item.get("key")),
                str(item.get("severity")),
                str(item["expression"]),
                str(item.get("human", "")),
            )
            for item in element.get("constraint", ())
            if item.get("expression")
            and item.get("key") not in known
            and not self._is_type(str(item.get("source", "")))
        ]
        return self._invariants.judges(stated, type_name)

    def _inherited_invariants(self, type_name: str) -> set[str]:
        shape = self._definitions.types.get(type_name)
        return {constraint.key for constraint in shape.constraints} if shape else set()

    # --- one property ----------------------------------------------------------------

    def _property_judge(
        self, node: ElementNode, owner_type: str
    ) -> tuple[frozenset[str], NodeCheck] | None:
        """What `node` and its slices ask of a property of an object of `owner_type`.

        With the keys that it speaks of; none when it asks something of every object.
        """
        elements = self._elements(node, owner_type)
        if not elements:
            return None
        base = elements[0]
        plain = base.choice or base.key
        least = max(int(node.element.get("min", 0)), 0)
        most = maximum_of(node.element.get("max"))
        least = least if least > base.min else 0
        most = most if most is not None and (base.max is None or most < base.max) else None
        refused = self._refused_keys(node, elements)
        judges = {item.key: self._value_judges(node, item.type, item) for item in elements}
        slices = self._slices(node, elements)
        wanted = least or any(part.least for part in slices)
        closed = node.element.get("slicing", {}).get("rules") == "closed" and bool(slices)
        closed = closed and len(slices) == len(
            node.slices
        )  # one that cannot be told may hold the rest
        bare = value_test(node.element)
        asks = least or most is not None or refused or slices or bare
        if not (asks or any(judges.values())):
            return None

        place = Property(elements)
        limits = _Limits(plain, least, most, refused, closed, bare)
        check = _property_check(place, limits, judges, slices)
        return (frozenset() if wanted else place.keys), check

    def _elements(self, node: ElementNode, owner_type: str) -> list[ElementDefinition]:
        shape = self._definitions.types.get(owner_type)
        if shape is None:
            return []
        name = node.name.removesuffix("[x]")
        keys = shape.choices.get(name, (name,))
        return [shape.elements[key] for key in keys if key in shape.elements]

    def _refused_keys(self, node: ElementNode, elements: list[ElementDefinition]) -> dict[str, str]:
        codes = {code for code in node.type_codes() if not code.startswith("http:")}
        if len(elements) < 2 or not codes:
            return {}
        listed = " or ".join(sorted(codes))
        return {item.key: listed for item in elements if item.type not in codes}

    def _slices(self, node: ElementNode, elements: list[ElementDefinition]) -> list[Slice]:
        if len(elements) > 1:
            return [self._form_slice(name, part, elements) for name, part in node.slices.items()]
        slicing = node.element.get("slicing", {})
        stated: list[Mapping[str, str]] = slicing.get("discriminator", [])
        discriminators = stated or _IMPLIED.get(node.name, [])
        slices = []
        for name, part in node.slices.items():
            matches = slice_matcher(part, discriminators, self)
            if matches is not None:
                judges = self._value_judges(part, elements[0].type, elements[0])
                slices.append(slice_of(name, part, elements, matches, {elements[0].key: judges}))
        if slicing.get("rules") == "closed":
            return slices
        return [part for part in slices if part.asks]

    def _form_slice(self, name: str, part: ElementNode, elements: list[ElementDefinition]) -> Slice:
        """A slice by type of a choice element: some of its JSON keys."""
        codes = part.type_codes()
        forms = [item for item in elements if item.type in codes or item.key == name]
        judges = {item.key: self._value_judges(part, item.type, item) for item in forms}
        return slice_of(name, part, forms, lambda _value: True, judges)


def _leans_on_base(node: ElementNode) -> bool:
    """Whether an element has slices and says nothing about how they are told apart."""
    is_told = node.name in _IMPLIED or node.name.endswith("[x]")
    is_told = is_told or bool(node.element.get("slicing", {}).get("discriminator"))
    if node.slices and not is_told:
        return True
    inside = [*node.children.values(), *node.slices.values()]
    return any(_leans_on_base(one) for one in inside)


class _Limits(NamedTuple):
    """What is asked of a property as a whole: how many items, of which forms, in slices only, without values."""

    name: str
    least: int
    most: int | None
    refused: dict[str, str]
    closed: bool
    bare: ValueTest | None


def _property_check(
    place: Property, limits: _Limits, judges: Mapping[str, list[Judge]], slices: list[Slice]
) -> NodeCheck:
    """The check of one property of an object: its number of items, each item, each slice."""
    name, least, most, refused, closed, bare = limits
    wanted = least or any(part.least for part in slices)
    by_url = any(part.urls is not None for part in slices)

    def check(owner: dict[str, Any]) -> Findings:
        items = place.items(owner)
        if not items and not wanted:
            return None
        findings: list[Finding] = []
        if len(items) < least:
            findings += fault("FB-3003", name=name)
        if most is not None and len(items) > most:
            findings += moved(fault("FB-3004", name=name, max=most, count=len(items)), f".{name}")
        for item in items:
            if item.key in refused:
                more = fault("FB-3006", name=name, expected=f"of type {refused[item.key]}")
                findings += moved(more, place.step(item))
            if bare and item.value is None and not bare(place.companion(owner, item)):
                findings += moved(fault("FB-3003", name=f"value of {name}"), place.step(item))
            own = judges[item.key]
            if own and item.value is not None and (asked := all_of(own, item.value)):
                findings += moved(asked, place.step(item))
        for part in within_reach(slices, items) if by_url else slices:
            findings += judge_slice(part, items, place, name)
        if closed:
            findings += outside_of(slices, items, place, name)
        return findings or None

    return check
