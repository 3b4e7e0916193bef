"""What is known of one extension by its definition.

https://hl7.org/fhir/R4/defining-extensions.html#context (where it may stand, and when),
https://hl7.org/fhir/R4/extensibility.html#modifierExtension
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource

__all__ = ["ExtensionDefinition", "extension_definition"]

_DEFINITIONS = "http://hl7.org/fhir/StructureDefinition/"
_ALSO_ON = {
    f"{_DEFINITIONS}structuredefinition-fhir-type": "ElementDefinition.type",
    f"{_DEFINITIONS}structuredefinition-normative-version": "Element",
    f"{_DEFINITIONS}regex": "ElementDefinition.type",
}
"""Where R4's own definitions carry extensions that their contexts do not name."""

Rule = tuple[str, fhirpath.Expression]
"""A context invariant: its text and the expression."""


@dataclass(frozen=True, slots=True)
class ExtensionDefinition:
    """One extension.

    `elements`, `urls` and `paths` are its contexts (elements, extensions, FHIRPath); it may stand
    anywhere when `anywhere`.  `rules` must hold on what carries it.  `parts` are the names of the
    extensions inside it, None when the definition does not list them.
    """

    is_modifier: bool
    anywhere: bool
    elements: frozenset[str]
    urls: frozenset[str]
    paths: tuple[fhirpath.Expression, ...]
    rules: tuple[Rule, ...]
    parts: frozenset[str] | None

    @property
    def places(self) -> str:
        """Where it may stand, for people."""
        return ", ".join(sorted(self.elements | self.urls)) or "what its context selects"


def extension_definition(definition: Resource) -> ExtensionDefinition:
    """The facts of the StructureDefinition `definition` of an extension."""
    contexts = [
        (item.get("type"), str(item.get("expression"))) for item in definition.get("context", ())
    ]
    if contexts and definition.get("url") in _ALSO_ON:
        contexts.append(("element", _ALSO_ON[definition["url"]]))
    paths = [_compiled(text) for kind, text in contexts if kind == "fhirpath"]
    rules = [(text, _compiled(text)) for text in definition.get("contextInvariant", ())]
    return ExtensionDefinition(
        is_modifier=any(
            item.get("isModifier") is True and item.get("path") == "Extension"
            for item in _elements(definition)
        ),
        # one that cannot be read refuses nothing; Element means every element, resources too
        anywhere=not contexts or None in paths or ("element", "Element") in contexts,
        elements=frozenset(text for kind, text in contexts if kind == "element"),
        urls=frozenset(text for kind, text in contexts if kind == "extension"),
        paths=tuple(path for path in paths if path is not None),
        rules=tuple((text, rule) for text, rule in rules if rule is not None),
        parts=_parts(definition),
    )


def _parts(definition: Resource) -> frozenset[str] | None:
    """The URLs of the slices of ``Extension.extension``; None when one of them is not fixed."""
    slices: dict[str, str | None] = {}
    for item in _elements(definition):
        identifier = str(item.get("id"))
        if not identifier.startswith("Extension.extension:"):
            continue
        name, _, rest = identifier.removeprefix("Extension.extension:").partition(".")
        slices.setdefault(name, None)
        if rest == "url" and "fixedUri" in item:
            slices[name] = str(item["fixedUri"])
        elif not rest:
            profiles = [url for kind in item.get("type", ()) for url in kind.get("profile", ())]
            slices[name] = profiles[0] if len(profiles) == 1 else slices[name]
    urls = frozenset(url for url in slices.values() if url)
    return urls if len(urls) == len(set(slices)) else None


def _elements(definition: Resource) -> Iterator[dict[str, Any]]:
    for part in ("snapshot", "differential"):
        yield from (definition.get(part) or {}).get("element", ())


def _compiled(text: str) -> fhirpath.Expression | None:
    try:
        return fhirpath.compile(text)
    except BridgeError:
        return None
