"""Where an extension may stand: its URL, the contexts of its definition, and whether it modifies.

https://hl7.org/fhir/R4/defining-extensions.html#context,
https://hl7.org/fhir/R4/extensibility.html#Extension.url, #modifierExtension

Judged by the type that holds the extension and, for a primitive, by its path.  A context
inside of a datatype (``Patient.name``) admits the extension on every HumanName: the check
of a type does not know through which path it was reached.  A FHIRPath context admits what
it selects in the resource; what it selects of a primitive type admits all primitives.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, NamedTuple

from fhir_bridge.conformance import Profiles
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions, ElementDefinition
from fhir_bridge.validation.context import current
from fhir_bridge.validation.extensions.extension_definition import (
    ExtensionDefinition,
    extension_definition,
)
from fhir_bridge.validation.finding import Finding, Findings, fault, moved
from fhir_bridge.validation.strictness import LENIENT, Strictness
from fhir_bridge.validation.structure.primitives import is_example

__all__ = ["ExtensionContexts"]

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PUBLISHED_ELSEWHERE = re.compile(r"http://hl7\.org/fhir/(?:\d\.\d/|tools/)?StructureDefinition/")
"""HL7 publishes extensions outside of R4 too (its extension pack, its tools, elements of other releases)."""


class _Holder(NamedTuple):
    """What carries extensions: itself, the names its place is known by, the extension it is in."""

    value: dict[str, Any]
    names: frozenset[str]
    around: str | None


class ExtensionContexts:
    """The contexts of all known extensions."""

    def __init__(
        self, definitions: Definitions, profiles: Profiles, strictness: Strictness = LENIENT
    ) -> None:
        self._definitions = definitions
        self._profiles = profiles
        self._strictness = strictness
        self._known: dict[str, ExtensionDefinition | None] = {}

    def check_of(self, type_name: str) -> Any:
        """A check of the extensions of each object of `type_name` and of its primitives."""
        shape = self._definitions.types[type_name]
        names = self._names(type_name)
        is_whole = type_name != "Element"  # the companion of a primitive: its owner judges it
        is_extension = type_name == "Extension"
        companions = {
            f"_{key}": (element, self._primitive_names(element))
            for key, element in shape.elements.items()
            if element.type in self._definitions.primitive_types
        }

        def check(value: dict[str, Any]) -> Findings:
            findings: list[Finding] = []
            url = value.get("url") if is_extension else None
            around = url if isinstance(url, str) else None
            if is_whole:
                for key in ("extension", "modifierExtension"):
                    if key in value:
                        findings += self._misplaced(_Holder(value, names, around), key)
            for key in companions.keys() & value.keys():
                element, own = companions[key]
                listed = value[key]
                for companion in listed if isinstance(listed, list) else [listed]:
                    if isinstance(companion, dict) and "extension" in companion:
                        more = self._misplaced(_Holder(companion, own, around), "extension")
                        step = f".{element.choice}.ofType({element.type})"
                        findings += moved(more, step if element.choice else f".{element.key}")
            return findings or None

        return check

    def _misplaced(self, holder: _Holder, key: str) -> list[Finding]:
        """Findings on the extensions under `key` of `holder`."""
        findings: list[Finding] = []
        for index, extension in enumerate(holder.value[key]):
            url = extension.get("url") if isinstance(extension, dict) else None
            if not isinstance(url, str):
                continue
            if "|" in url:
                reason, severity = "has a version in its URL", "error"
            elif _ABSOLUTE.match(url) is None:
                reason, severity = self._fault_of_part(url, holder), "error"
            elif (definition := self._definition(url)) is not None:
                reason, severity = self._fault(definition, holder, extension, key), "error"
            else:
                severity = self._strictness.unknown_extensions
                reason = "is not known here" if self._is_worth_a_word(url) else ""
            if reason:
                more = fault("FB-3017", severity, url=url, reason=reason)
                findings += moved(more, f".{key}[{index}]")
        return findings

    def _is_worth_a_word(self, url: str) -> bool:
        """Whether an extension without a definition is worth a word."""
        if self._strictness.unknown_extensions == "allowed" or _PUBLISHED_ELSEWHERE.match(url):
            return False
        return not (self._strictness.examples and is_example(url))

    def _fault_of_part(self, url: str, holder: _Holder) -> str:
        """A relative URL names a part of the extension around it, and nothing elsewhere."""
        if holder.around is None:
            return "has no absolute URL"
        definition = self._definition(holder.around)
        if definition is None or definition.parts is None or url in definition.parts:
            return ""
        return f"is no part of the extension {holder.around}"

    def _fault(
        self, definition: ExtensionDefinition, holder: _Holder, extension: Any, key: str
    ) -> str:
        if definition.is_modifier != (key == "modifierExtension"):
            kind = "a modifierExtension" if definition.is_modifier else "an extension"
            return f"is {kind} by its definition"
        if holder.around not in definition.urls and not _is_admitted(definition, holder):
            return f"may not stand here, only on {definition.places}"
        now = current()
        variables = {
            "resource": now.resource,
            "rootResource": now.root_resource,
            "extension": extension,
        }
        for text, rule in definition.rules:
            try:
                answer = rule(holder.value, variables=variables)
            except BridgeError:
                continue  # the author of the definition hears of it (FB-3021)
            if not answer or answer[0] is not True:
                return f"may not stand here, only where {text}"
        return ""

    def _definition(self, url: str) -> ExtensionDefinition | None:
        if url not in self._known:
            definition = self._profiles.extensions.get(url)
            self._known[url] = extension_definition(definition) if definition else None
        return self._known[url]

    @cached_property
    def _contexts(self) -> frozenset[str]:
        """All elements that some extension names as its context."""
        return frozenset(
            str(item.get("expression"))
            for extension in self._profiles.extensions.values()
            for item in extension.get("context", ())
            if item.get("type") == "element"
        )

    def _names(self, type_name: str) -> frozenset[str]:
        """`type_name`, its ancestors, and each context whose path leads to that type."""
        names = set(self._ancestors(type_name))
        for expression in self._contexts:
            owner, _, key = expression.rpartition(".")
            shape = self._definitions.types.get(owner)
            keys = shape.choices.get(key.removesuffix("[x]"), (key,)) if shape else ()
            if shape and any(
                item in shape.elements and shape.elements[item].type == type_name for item in keys
            ):
                names.add(expression)
        return frozenset(names)

    def _primitive_names(self, element: ElementDefinition) -> frozenset[str]:
        return frozenset(
            {*self._ancestors(element.type), element.path, element.path.removesuffix("[x]")}
        )

    def _ancestors(self, type_name: str) -> list[str]:
        names: list[str] = []
        while type_name in self._definitions.types:
            names.append(type_name)
            type_name = self._definitions.types[type_name].parent
        if "Resource" not in names and "Element" not in names:
            names.append("Element")
        shape = self._definitions.types[names[0]]
        if (
            shape.kind == "resource"
            and {"url", "status", "date", "publisher"} <= shape.elements.keys()
        ):
            names += ["CanonicalResource", "MetadataResource"]
        return names


def _is_admitted(definition: ExtensionDefinition, holder: _Holder) -> bool:
    if definition.anywhere or definition.elements & holder.names:
        return True
    resource = current().resource
    selected = [item for path in definition.paths for item in path(resource)]
    return any(
        item is holder.value or (not isinstance(item, dict) and _is_companion(holder.value))
        for item in selected
    )


def _is_companion(holder: dict[str, Any]) -> bool:
    """Whether `holder` is the companion of a primitive: nothing but an id and extensions."""
    return holder.keys() <= {"id", "extension"}
