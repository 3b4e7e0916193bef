"""Where an extension may stand: the contexts of its definition.

https://hl7.org/fhir/R4/defining-extensions.html#context

Judged by the type that holds the extension and, for a primitive, by its path.  A context
inside of a datatype (``Patient.name``) admits the extension on every HumanName: the check
of a type does not know through which path it was reached.  FHIRPath contexts admit all.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import Definitions, ElementDefinition
from fhir_bridge.validation.finding import Finding, Findings, found, moved

__all__ = ["ExtensionContexts"]


class ExtensionContexts:
    """The contexts of all known extensions."""

    def __init__(self, definitions: Definitions, profiles: Profiles) -> None:
        self._definitions = definitions
        self._elements: dict[str, set[str]] = {}
        self._urls: dict[str, set[str]] = {}
        for url, extension in profiles.extensions.items():
            contexts = [
                (item.get("type"), item.get("expression")) for item in extension.get("context", ())
            ]
            if contexts and not any(kind == "fhirpath" for kind, _ in contexts):
                self._elements[url] = {str(text) for kind, text in contexts if kind == "element"}
                self._urls[url] = {str(text) for kind, text in contexts if kind == "extension"}

    def check_of(self, type_name: str) -> Any:
        """A check of the extensions of each object of `type_name` and of its primitives."""
        if not self._elements:
            return None
        shape = self._definitions.types[type_name]
        names = self._names(type_name)
        is_whole = type_name != "Element"  # the companion of a primitive: its owner judges it
        companions = {
            f"_{key}": (element, self._primitive_names(element))
            for key, element in shape.elements.items()
            if element.type in self._definitions.primitive_types
        }

        def check(value: dict[str, Any]) -> Findings:
            findings: list[Finding] = []
            if is_whole and "extension" in value:
                findings += self._misplaced(value, names)
            for key in companions.keys() & value.keys():
                element, own = companions[key]
                listed = value[key]
                for companion in listed if isinstance(listed, list) else [listed]:
                    if isinstance(companion, dict) and "extension" in companion:
                        findings += moved(self._misplaced(companion, own), f".{element.key}")
            return findings or None

        return check

    def _misplaced(self, holder: dict[str, Any], names: frozenset[str]) -> list[Finding]:
        findings: list[Finding] = []
        for index, extension in enumerate(holder["extension"]):
            url = extension.get("url") if isinstance(extension, dict) else None
            allowed = self._elements.get(url) if isinstance(url, str) else None
            if allowed is None or allowed & names or holder.get("url") in self._urls[str(url)]:
                continue
            listed = ", ".join(sorted(allowed | self._urls[str(url)]))
            reason = f"may not stand here, only on {listed}"
            findings += moved(found("FB-3017", url=url, reason=reason), f".extension[{index}]")
        return findings

    def _names(self, type_name: str) -> frozenset[str]:
        """`type_name`, its ancestors, and each context whose path leads to that type."""
        names = set(self._ancestors(type_name))
        for expression in set().union(*self._elements.values()):
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
