"""Small instances of R4 types: as little as the type allows, or one more element than that.

https://hl7.org/fhir/R4/datatypes.html

They are what a rule must have an answer for (`null_safety`).  Every instance is one that R4
accepts: required elements are there, a code is one of its required value set, and a datatype
that would be empty holds an extension.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any

from fhir_bridge.fhir import Definitions, ElementDefinition

__all__ = ["MinimalInstances"]

_EXTENSION = [{"url": "urn:uuid:00000000-0000-4000-8000-000000000000", "valueBoolean": True}]
_DEPTH = 4
_SAMPLES: dict[str, tuple[Any, ...]] = {
    "boolean": (True,),
    "integer": (1,),
    "positiveInt": (1,),
    "unsignedInt": (1,),
    "decimal": (Decimal("1.0"),),
    "date": ("2020-01-01", "2020"),
    "dateTime": ("2020-01-01T12:00:00Z", "2020"),
    "instant": ("2020-01-01T12:00:00Z",),
    "time": ("12:00:00",),
    "base64Binary": ("AAAA",),
    "uri": ("urn:x-example:a",),
    "url": ("urn:x-example:a",),
    "canonical": ("urn:x-example:a",),
    "oid": ("urn:oid:1.2",),
    "uuid": ("urn:uuid:00000000-0000-4000-8000-000000000000",),
    "xhtml": ('<div xmlns="http://www.w3.org/1999/xhtml">a</div>',),
}


class MinimalInstances:
    """Makes instances that speak of the elements in `names` and of nothing else.

    `texts` are further values of strings (of a length that a rule asks for); `required` are
    elements of the instance that a profile asks for.
    """

    def __init__(
        self,
        definitions: Definitions,
        names: Collection[str] = (),
        texts: tuple[str, ...] = (),
        required: Collection[str] = (),
    ) -> None:
        self._definitions = definitions
        self._required = frozenset(required)
        self._names = frozenset(names)
        self._texts = ("a", *texts)

    def of(self, type_name: str) -> Iterator[Any]:
        """The smallest instance of a type, then one more for each of the named elements and forms."""
        if type_name in self._definitions.primitive_types:
            yield from self._values(type_name)
            return
        least = self._least(type_name, 0)
        for key, element in self._definitions.types[type_name].elements.items():
            if key in self._required and key not in least:
                least[key] = _listed(element, next(self._full(element, 1)))
        yield least
        for key, element in self._elements_of(type_name):
            if self._is_primitive(element):
                rest = {name: value for name, value in least.items() if name != key}
                yield rest | _without_value(key, element)
            else:
                yield {**least, key: _listed(element, self._least(element.type, 1))}
            for value in self._full(element, 1):
                yield {**least, key: _listed(element, value)}

    def smallest(self, type_name: str) -> dict[str, Any]:
        """The smallest instance of a type that is no primitive."""
        return self._least(type_name, 0)

    def _elements_of(self, type_name: str) -> Iterator[tuple[str, ElementDefinition]]:
        for key, element in self._definitions.types[type_name].elements.items():
            if element.choice in self._names or key in self._names:
                yield key, element

    def _least(self, type_name: str, depth: int) -> dict[str, Any]:
        shape = self._definitions.types[type_name]
        instance: dict[str, Any] = {}
        if type_name in self._definitions.resource_types:
            instance["resourceType"] = type_name
        for key, element in shape.elements.items():
            if not element.min or depth > _DEPTH:
                continue
            if element.choice and key != shape.choices[element.choice][0]:
                continue
            if self._is_primitive(element):
                value = next(iter(self._values_of(element)))
            else:
                value = self._least(element.type, depth + 1)
            instance[key] = _listed(element, value)
        if not instance and "extension" in shape.elements:
            instance["extension"] = _EXTENSION
        return instance

    def _full(self, element: ElementDefinition, depth: int) -> Iterator[Any]:
        """Values of `element`; of an object those with all named elements inside."""
        if self._is_primitive(element):
            yield from self._values_of(element)
            return
        if depth > _DEPTH:
            return
        value = self._least(element.type, depth)
        for key, inner in self._elements_of(element.type):
            for one in self._full(inner, depth + 1):
                value = {**value, key: _listed(inner, one)}
                break
        yield value

    def _values_of(self, element: ElementDefinition) -> tuple[Any, ...]:
        if element.strength == "required":
            codes = self._definitions.required_codes(element.value_set)
            if codes:
                return (min(codes),)
        return self._values(element.type)

    def _values(self, type_name: str) -> tuple[Any, ...]:
        return _SAMPLES.get(type_name, self._texts)

    def _is_primitive(self, element: ElementDefinition) -> bool:
        return element.type in self._definitions.primitive_types


def _without_value(key: str, element: ElementDefinition) -> dict[str, Any]:
    """The element with an extension in place of its value."""
    companion = {"extension": _EXTENSION}
    return {f"_{key}": [companion]} if element.is_list else {f"_{key}": companion}


def _listed(element: ElementDefinition, value: Any) -> Any:
    return [value] if element.is_list else value
