"""What a type looks like to a map: elements, choices, lists, order.

Shapes come from the R4 definitions, and from StructureDefinitions of logical models
(https://hl7.org/fhir/R4/structuredefinition.html#logical) read by `logical_shapes`.
A shape without elements that is `open` takes any element: a type that is only known by
name, such as a segment of HL7 v2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from fhir_bridge.fhir import Definitions, TypeDefinition

__all__ = ["ElementShape", "Shape", "Shapes", "plain_type_name"]


@dataclass(slots=True)
class ElementShape:
    """One element as maps name it: ``value`` for a choice, with a JSON key for each type.

    `representation` and `xml_name` speak of XML (empty: an element of its own name);
    `is_timestamp` that XML writes it as an HL7 timestamp.
    """

    name: str
    keys: dict[str, str]
    is_list: bool
    is_choice: bool = False
    minimum: int = 0
    representation: str = ""
    xml_name: str = ""
    namespace: str = ""
    is_choice_group: bool = False
    is_timestamp: bool = False

    @property
    def says_type(self) -> bool:
        """Whether one key holds values of several types, each saying its own (xsi:type)."""
        return self.representation == "typeAttr"

    @property
    def type(self) -> str:
        """The type of a plain element; the first one of a choice."""
        return next(iter(self.keys))


@dataclass(slots=True, eq=False)
class Shape:
    """A type: `elements` by the name a map uses (``value`` and ``valueQuantity``).

    `order` is the place of each JSON key; `name` is what groups are chosen by.
    """

    name: str
    kind: str
    parent: str = ""
    is_abstract: bool = False
    is_open: bool = False
    url: str = ""
    namespace: str = ""
    xml_name: str = ""
    elements: dict[str, ElementShape] = field(default_factory=dict)
    order: dict[str, int] = field(default_factory=dict)
    own_name: str = ""

    @property
    def is_primitive(self) -> bool:
        """Whether values are scalars."""
        return self.kind == "primitive"

    @property
    def is_resource(self) -> bool:
        """Whether values carry ``resourceType``."""
        return self.kind == "resource"


def plain_type_name(name: str) -> str:
    """A type name without its URL, with the two spellings of CDA types made one.

    >>> plain_type_name("http://hl7.org/cda/stds/core/StructureDefinition/IVL_TS")
    'IVL-TS'
    """
    return name.rsplit("/", 1)[-1].removeprefix("FHIR.").replace("_", "-")


class Shapes:
    """Shapes by type name or URL, built when first asked for."""

    def __init__(
        self,
        definitions: Definitions,
        logical: Mapping[str, Callable[[Shapes], Shape]] | None = None,
    ) -> None:
        self.definitions = definitions
        self._logical = dict(logical or {})
        self._built: dict[str, Shape | None] = {}
        self._open: dict[str, Shape] = {}

    def find(self, name: str) -> Shape | None:
        """The shape of a type by name or URL, or None when it is not known.

        A FHIR type of another release (``…/3.0/StructureDefinition/Patient``) is looked
        up by its name in R4.
        """
        if name in self._built:
            return self._built[name]
        shape: Shape | None = None
        short = name.rsplit("/", 1)[-1]
        if name in self._logical and ("/" in name or short not in self.definitions.types):
            shape = self._logical[name](self)
        elif _may_be_fhir(name) and short in self.definitions.types:
            shape = self._built.get(short) or _from_definition(self.definitions.types[short])
            self._built[short] = shape
        elif (maker := self._logical.get(plain_type_name(name))) is not None:
            shape = maker(self)
        self._built[name] = shape
        return shape

    def resolve(self, name: str) -> Shape:
        """The shape of a type, or an open one that only has the name."""
        found = self.find(name)
        if found is not None:
            return found
        plain = plain_type_name(name)
        return self._open.setdefault(plain, Shape(plain, "complex", is_open=True))

    def register(self, name: str, shape: Shape) -> None:
        """Make a nested type of a logical model known by its path."""
        self._built[name] = shape

    def is_a(self, shape: Shape, ancestor: str) -> bool:
        """Whether a type is `ancestor` or derives from it."""
        current: Shape | None = shape
        while current is not None:
            if current.name == ancestor:
                return True
            current = self.find(current.parent) if current.parent else None
        return False

    def type_names(self) -> Iterable[str]:
        """Every name that is known."""
        yield from self.definitions.types
        yield from self._logical


def _may_be_fhir(name: str) -> bool:
    """A plain name or a FHIR URL; CDA's own ``Observation`` is not FHIR's."""
    return "/" not in name or name.startswith(("http://hl7.org/fhir/", "https://hl7.org/fhir/"))


def _from_definition(definition: TypeDefinition) -> Shape:
    kind = {"resource": "resource", "primitive": "primitive"}.get(definition.kind, "complex")
    shape = Shape(
        name=definition.name,
        kind=kind,
        parent=definition.parent,
        is_abstract=definition.abstract,
        own_name=definition.name,
    )
    order = 1
    shape.order["resourceType"] = 0
    for key, element in definition.elements.items():
        shape.order[key] = order
        order += 1
        name = element.choice or key
        known = shape.elements.get(name)
        if known is None:
            known = shape.elements[name] = ElementShape(
                name, {}, element.is_list, bool(element.choice), element.min
            )
        known.keys[element.type] = key
        if element.choice:
            shape.elements[key] = ElementShape(
                name, {element.type: key}, element.is_list, False, element.min
            )
    return shape
