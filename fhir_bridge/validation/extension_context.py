"""Where an extension may stand: the contexts of its definition, and whether it modifies.

https://hl7.org/fhir/R4/defining-extensions.html#context,
https://hl7.org/fhir/R4/extensibility.html#modifierExtension

Judged by the type that holds the extension and, for a primitive, by its path.  A context
inside of a datatype (``Patient.name``) admits the extension on every HumanName: the check
of a type does not know through which path it was reached.  A FHIRPath context admits what
it selects in the resource; what it selects of a primitive type admits all primitives.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.conformance import Profiles
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions, ElementDefinition, Resource
from fhir_bridge.validation.finding import Finding, Findings, found, moved
from fhir_bridge.validation.judged import judged

__all__ = ["ExtensionContexts"]


class ExtensionContexts:
    """The contexts of all known extensions."""

    def __init__(self, definitions: Definitions, profiles: Profiles) -> None:
        self._definitions = definitions
        self._elements: dict[str, set[str]] = {}
        self._urls: dict[str, set[str]] = {}
        self._paths: dict[str, list[fhirpath.Expression]] = {}
        self._is_modifier = {
            url: _is_modifier(extension) for url, extension in profiles.extensions.items()
        }
        for url, extension in profiles.extensions.items():
            contexts = [
                (item.get("type"), item.get("expression")) for item in extension.get("context", ())
            ]
            paths = _compiled(str(text) for kind, text in contexts if kind == "fhirpath")
            if contexts and paths is not None:
                self._paths[url] = paths
                self._elements[url] = {str(text) for kind, text in contexts if kind == "element"}
                self._urls[url] = {str(text) for kind, text in contexts if kind == "extension"}

    def check_of(self, type_name: str) -> Any:
        """A check of the extensions of each object of `type_name` and of its primitives."""
        if not self._is_modifier:
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
            if is_whole:
                for key in ("extension", "modifierExtension"):
                    if key in value:
                        findings += self._misplaced(value, key, names, value.get("url"))
            for key in companions.keys() & value.keys():
                element, own = companions[key]
                listed = value[key]
                for companion in listed if isinstance(listed, list) else [listed]:
                    if isinstance(companion, dict) and "extension" in companion:
                        more = self._misplaced(companion, "extension", own, value.get("url"))
                        step = f".{element.choice}.ofType({element.type})"
                        findings += moved(more, step if element.choice else f".{element.key}")
            return findings or None

        return check

    def _misplaced(
        self, holder: dict[str, Any], key: str, names: frozenset[str], around: Any
    ) -> list[Finding]:
        """Findings on the extensions under `key` of `holder`, which is known by `names`.

        `around` is the URL of the extension that `holder` is, or is the value of.
        """
        findings: list[Finding] = []
        for index, extension in enumerate(holder[key]):
            url = extension.get("url") if isinstance(extension, dict) else None
            if not isinstance(url, str) or url not in self._is_modifier:
                continue
            reason = ""
            if self._is_modifier[url] != (key == "modifierExtension"):
                kind = "a modifierExtension" if self._is_modifier[url] else "an extension"
                reason = f"is {kind} by its definition"
            elif around not in self._urls.get(url, ()) and not self._is_admitted(
                url, holder, names
            ):
                listed = ", ".join(sorted(self._elements[url] | self._urls[url]))
                reason = f"may not stand here, only on {listed or 'what its context selects'}"
            if reason:
                findings += moved(found("FB-3017", url=url, reason=reason), f".{key}[{index}]")
        return findings

    def _is_admitted(self, url: str, holder: dict[str, Any], names: frozenset[str]) -> bool:
        allowed = self._elements.get(url)
        if allowed is None or allowed & names:
            return True
        resource = judged().resource
        selected = [item for path in self._paths[url] for item in path(resource)]
        return any(
            item is holder or (not isinstance(item, dict) and _is_companion(holder))
            for item in selected
        )

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


def _compiled(texts: Iterable[str]) -> list[fhirpath.Expression] | None:
    """The FHIRPath contexts; None when one cannot be read: then the extension may stand anywhere."""
    try:
        return [fhirpath.compile(text) for text in texts]
    except BridgeError:
        return None


def _is_companion(holder: dict[str, Any]) -> bool:
    """Whether `holder` is the companion of a primitive: nothing but an id and extensions."""
    return holder.keys() <= {"id", "extension"}


def _is_modifier(extension: Resource) -> bool:
    """Whether the root element of the definition says that it modifies."""
    elements = (extension.get(part, {}).get("element", ()) for part in ("snapshot", "differential"))
    return any(
        item.get("isModifier") is True
        for part in elements
        for item in part
        if item.get("path") == "Extension"
    )
