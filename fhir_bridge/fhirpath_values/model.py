"""Types of FHIR nodes: which element has which type, and which type is which.

FHIRPath over FHIR: https://hl7.org/fhir/R4/fhirpath.html#polymorphism and #types.  A
:class:`Model` answers from the R4 definitions when it has them; without definitions types
are unknown ("") and choice elements are found by the shape of their JSON key.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from fhir_bridge.fhir import Definitions

__all__ = ["PRIMITIVES", "SYSTEM_OF", "SYSTEM_TYPES", "Member", "Model", "model_of"]

SYSTEM_OF = {
    "boolean": "Boolean",
    "integer": "Integer",
    "positiveInt": "Integer",
    "unsignedInt": "Integer",
    "integer64": "Long",
    "decimal": "Decimal",
    "date": "Date",
    "dateTime": "DateTime",
    "instant": "DateTime",
    "time": "Time",
    "string": "String",
    "code": "String",
    "id": "String",
    "markdown": "String",
    "uri": "String",
    "url": "String",
    "canonical": "String",
    "oid": "String",
    "uuid": "String",
    "base64Binary": "String",
    "xhtml": "String",
}
PRIMITIVES = frozenset(SYSTEM_OF)
SYSTEM_TYPES = frozenset(
    {
        "Boolean",
        "Integer",
        "Long",
        "Decimal",
        "String",
        "Date",
        "DateTime",
        "Time",
        "Quantity",
        "Any",
    }
)
_PRIMITIVE_PARENT = {
    "code": "string",
    "id": "string",
    "markdown": "string",
    "url": "uri",
    "canonical": "uri",
    "oid": "uri",
    "uuid": "uri",
    "positiveInt": "integer",
    "unsignedInt": "integer",
}
_OPEN_TYPES = (
    "Address Age Annotation Attachment BackboneElement CodeableConcept CodeableReference Coding "
    "ContactDetail ContactPoint Contributor Count DataRequirement Distance Dosage Duration "
    "Expression Extension HumanName Identifier Meta Money Narrative ParameterDefinition Period "
    "Quantity Range Ratio Reference RelatedArtifact SampledData Signature Timing "
    "TriggerDefinition UsageContext"
)
SUFFIXES = {name: name for name in _OPEN_TYPES.split()} | {
    name[0].upper() + name[1:]: name for name in PRIMITIVES
}


class Member(NamedTuple):
    """One JSON key that holds an element: its type ("" unknown), and how to read it."""

    key: str
    type_name: str
    primitive: bool
    choice: bool
    sibling: str


class Model:
    """The type facts an expression is compiled and run with; safe to share."""

    def __init__(self, definitions: Definitions | None) -> None:
        self.definitions = definitions
        self._members: dict[tuple[str, str], tuple[Member, ...] | None] = {}

    @cached_property
    def type_names(self) -> frozenset[str]:
        """Every FHIR type name that may stand in ``is``, ``as`` and ``ofType``."""
        if self.definitions is None:
            return frozenset(SUFFIXES.values())
        return frozenset(self.definitions.types)

    def members(self, type_name: str, name: str) -> tuple[Member, ...] | None:
        """The keys under which element `name` of `type_name` may stand.

        An empty tuple says that the type has no such element; None that the type is unknown.
        """
        key = (type_name, name)
        try:
            return self._members[key]
        except KeyError:
            found = self._members[key] = self._find(type_name, name)
            return found

    def _find(self, type_name: str, name: str) -> tuple[Member, ...] | None:
        definitions = self.definitions
        if definitions is None or not type_name or type_name not in definitions.types:
            return None
        shape = definitions.types[type_name]
        if shape.abstract and shape.kind == "resource":
            return None
        found = []
        for key in shape.choices.get(name, (name,)):
            element = shape.elements.get(key)
            if element is None:
                continue
            child = element.type
            if name in ("id", "url") and (element.is_attribute or child == "string"):
                child = "id" if name == "id" and shape.kind == "resource" else "System.String"
            if child in ("Element", "BackboneElement"):
                child = ""
            primitive = child in PRIMITIVES
            sibling = f"_{key}" if primitive else ""
            found.append(Member(key, child, primitive, bool(element.choice), sibling))
        return tuple(found)

    def is_choice_key(self, type_name: str, name: str) -> bool:
        """Whether `name` is the JSON key of a choice element (``valueQuantity``)."""
        if self.definitions is None or type_name not in self.definitions.types:
            return False
        element = self.definitions.types[type_name].elements.get(name)
        return element is not None and bool(element.choice) and element.choice != name

    def parent(self, type_name: str) -> str:
        """The type that `type_name` derives from, "" at the top or when unknown."""
        if self.definitions is not None and type_name in self.definitions.types:
            return self.definitions.types[type_name].parent
        if type_name in ("Age", "Count", "Distance", "Duration", "Money"):
            return "Quantity"
        if type_name in PRIMITIVES:
            return _PRIMITIVE_PARENT.get(type_name, "Element")
        return "Element" if type_name in SUFFIXES else ""

    def is_a(self, type_name: str, ancestor: str) -> bool:
        """Whether `type_name` is `ancestor` or derives from it."""
        seen = 0
        while type_name and seen < 12:
            if type_name == ancestor:
                return True
            type_name = self.parent(type_name)
            seen += 1
        return False

    def is_resource(self, type_name: str) -> bool:
        """Whether the type is a resource type (unknown names in upper case count as such)."""
        if self.definitions is not None:
            return type_name in self.definitions.resource_types or type_name in (
                "Resource",
                "DomainResource",
            )
        return type_name[:1].isupper() and type_name not in SUFFIXES

    def has_type(self, name: str) -> bool:
        """Whether `name`, qualified or not, names a type."""
        namespace, _, local = name.rpartition(".")
        if namespace == "System":
            return local in SYSTEM_TYPES
        if namespace in ("", "FHIR") and local in self.type_names:
            return True
        if namespace == "" and local in SYSTEM_TYPES:
            return True
        return name in self.type_names or (self.definitions is None and self.is_resource(local))


_MODELS: dict[int, tuple[Any, Model]] = {}


def model_of(definitions: Definitions | None) -> Model:
    """The one model of `definitions`."""
    kept = _MODELS.get(id(definitions))
    if kept is None or kept[0] is not definitions:
        kept = _MODELS[id(definitions)] = (definitions, Model(definitions))
    return kept[1]
