"""The facts of FHIR R4 4.0.1: types, elements, search parameters, compartments, codes.

https://hl7.org/fhir/R4/structuredefinition.html (types and elements),
https://hl7.org/fhir/R4/searchparameter-registry.html, https://hl7.org/fhir/R4/compartmentdefinition.html

The tables beside this module are made by ``definitions/generate.py`` from HL7's published
definitions.  Each part is read when it is first asked for and each type is built when it
is first looked up, so that a command that touches three types pays for three.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal

import msgspec

from fhir_bridge.fhir.search_parameters import SearchParameter, read_search_parameters

__all__ = [
    "Constraint",
    "Definitions",
    "ElementDefinition",
    "TypeDefinition",
    "definitions",
]

Kind = Literal["resource", "datatype", "backbone", "primitive"]
_SUMMARY, _MODIFIER, _ATTRIBUTE, _CHOICE = 1, 2, 4, 8


@dataclass(frozen=True, slots=True)
class Constraint:
    """An invariant: key (``pat-1``), severity (error or warning), FHIRPath expression.

    `human` is the sentence of a profile; the rules of R4 itself come without one.
    """

    key: str
    severity: str
    expression: str
    human: str = ""


@dataclass(frozen=True, slots=True)
class ElementDefinition:
    """One JSON property of a type.

    `choice` names the choice element (``value``) when this key is one of its forms; `min`
    and `max` then speak of the choice as a whole.  `max` None means no limit.  `targets`
    are the resource types that a Reference or canonical may point to (empty: any).
    """

    key: str
    path: str
    type: str
    choice: str
    min: int
    max: int | None
    is_list: bool
    targets: tuple[str, ...]
    profiles: tuple[str, ...]
    value_set: str
    strength: str
    is_summary: bool
    is_modifier: bool
    is_attribute: bool
    constraints: tuple[Constraint, ...]


@dataclass(frozen=True, slots=True)
class TypeDefinition:
    """A resource type, datatype, nested (backbone) type or primitive.

    `elements` are by JSON key in the order of the definition, inherited ones first; a
    choice element stands under each of its keys.  `constraints` include inherited ones.
    """

    name: str
    kind: Kind
    parent: str
    abstract: bool
    elements: dict[str, ElementDefinition]
    choices: dict[str, tuple[str, ...]]
    constraints: tuple[Constraint, ...]
    regex: str


class Definitions:
    """All facts of one FHIR release; immutable, shared by every thread."""

    def __init__(self) -> None:
        table = _read("r4-types")
        self.release: str = table["release"]
        self.types: Mapping[str, TypeDefinition] = _Types(table["types"])
        self.resource_types: frozenset[str] = frozenset(
            name
            for name, shape in table["types"].items()
            if shape["kind"] == "resource" and not shape["abstract"]
        )
        self.primitive_types: frozenset[str] = frozenset(
            name for name, shape in table["types"].items() if shape["kind"] == "primitive"
        )

    def is_a(self, name: str, ancestor: str) -> bool:
        """Whether type `name` is `ancestor` or derives from it (Age is a Quantity)."""
        while name and name != ancestor:
            shape = self.types.get(name)
            name = shape.parent if shape else ""
        return bool(name)

    @cached_property
    def search_parameters(self) -> Mapping[tuple[str, str], SearchParameter]:
        """By (resource type, code); those of every type are under "Resource"."""
        return read_search_parameters(self._search["parameters"])

    def search_parameters_of(self, resource_type: str) -> dict[str, SearchParameter]:
        """By code, all that a search on `resource_type` may use, shared ones included."""
        chain = ["Resource", "DomainResource", resource_type]
        return {
            code: parameter
            for base in chain
            for (owner, code), parameter in self.search_parameters.items()
            if owner == base and (base != "DomainResource" or self.is_a(resource_type, base))
        }

    @cached_property
    def compartments(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """Compartment ("Patient") -> resource type -> codes of the linking parameters."""
        return {
            name: {resource_type: tuple(codes) for resource_type, codes in rows.items()}
            for name, rows in self._search["compartments"].items()
        }

    def required_codes(self, value_set_url: str) -> frozenset[str] | None:
        """The codes of one of R4's value sets; None when it cannot be listed."""
        systems = self.value_set(value_set_url)
        return frozenset().union(*systems.values()) if systems is not None else None

    def value_set(self, url: str) -> Mapping[str, frozenset[str]] | None:
        """The same by code system."""
        return self._value_sets.get(url.partition("|")[0])

    def code_system(self, url: str) -> frozenset[str] | None:
        """All codes of a system that R4 publishes whole (v2 tables, v3, FHIR's own); None of others."""
        found = self._code_sets.get(url)
        if found is None and url in self._code_systems:
            found = self._code_sets[url] = frozenset(self._code_systems[url])
        return found

    @cached_property
    def _code_systems(self) -> dict[str, list[str]]:
        return _read("r4-code-systems")

    @cached_property
    def _code_sets(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def profiles(self) -> Mapping[str, dict[str, Any]]:
        """By URL the profiles and extensions of R4 itself, as StructureDefinitions of facts only."""
        return {
            url: {
                "resourceType": "StructureDefinition",
                **{key: value for key, value in row.items() if key != "element"},
                "fhirVersion": self.release,
                "derivation": "constraint",
                "differential": {"element": row["element"]},
            }
            for url, row in _read("r4-profiles").items()
        }

    @cached_property
    def _value_sets(self) -> dict[str, dict[str, frozenset[str]]]:
        return {
            url: {system: frozenset(codes) for system, codes in systems.items()}
            for url, systems in _read("r4-codes").items()
        }

    @cached_property
    def _search(self) -> dict[str, Any]:
        return _read("r4-search")


@cache
def definitions() -> Definitions:
    """The R4 facts, read once per process."""
    return Definitions()


def _read(name: str) -> dict[str, Any]:
    data = files(__package__).joinpath(f"{name}.json.gz").read_bytes()
    table: dict[str, Any] = msgspec.json.decode(gzip.decompress(data))
    return table


class _Types(Mapping[str, TypeDefinition]):
    """Types by name, each built from its rows on first use."""

    def __init__(self, table: dict[str, Any]) -> None:
        self._table = table
        self._built: dict[str, TypeDefinition] = {}

    def __getitem__(self, name: str) -> TypeDefinition:
        built = self._built.get(name)
        if built is None:
            built = self._built[name] = self._build(name, self._table[name])
        return built

    def __contains__(self, name: object) -> bool:
        return name in self._table

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def _build(self, name: str, shape: dict[str, Any]) -> TypeDefinition:
        parent = self[shape["parent"]] if shape["parent"] else None
        elements = dict(parent.elements) if parent else {}
        choices = dict(parent.choices) if parent else {}
        for row in shape["elements"]:
            found = {element.key: element for element in _elements(name, row)}
            elements.update(found)
            if row[4] & _CHOICE:
                choices[row[0]] = tuple(found)
            for key in found if row[2] < 0 else ():
                del elements[key]
        own = _constraints(shape["constraints"])
        return TypeDefinition(
            name=name,
            kind=shape["kind"],
            parent=shape["parent"],
            abstract=shape["abstract"],
            elements=elements,
            choices=choices,
            constraints=(*(parent.constraints if parent else ()), *own),
            regex=shape.get("regex", ""),
        )


def _elements(owner: str, row: list[Any]) -> Iterator[ElementDefinition]:
    name, least, most, types, flags, value_set, strength, constraints = row
    for entry in types:
        code, targets, profiles = entry if isinstance(entry, list) else (entry, (), ())
        is_choice = bool(flags & _CHOICE)
        yield ElementDefinition(
            key=f"{name}{code[0].upper()}{code[1:]}" if is_choice else name,
            path=f"{owner}.{name}{'[x]' if is_choice else ''}",
            type=code,
            choice=name if is_choice else "",
            min=least,
            max=most or None,
            is_list=most != 1,
            targets=tuple(target for target in targets if target != "Resource"),
            profiles=tuple(profiles),
            value_set=value_set,
            strength=strength,
            is_summary=bool(flags & _SUMMARY),
            is_modifier=bool(flags & _MODIFIER),
            is_attribute=bool(flags & _ATTRIBUTE),
            constraints=_constraints(constraints),
        )


def _constraints(rows: list[list[str]]) -> tuple[Constraint, ...]:
    return tuple(Constraint(*row) for row in rows)
