"""The quick answer: is a resource surely without a fault of structure?

https://hl7.org/fhir/R4/validation.html

Nearly all resources have no fault, and then no place, no text and no list of findings is
needed.  The quick answer says True only where `structure` would find nothing; whatever
else it says, `structure` is asked and its words are the verdict.

Objects of one type come in few layouts (their keys in order).  What depends on the keys
alone (unknown ones, required ones, two forms of one choice) is judged once for each layout
and kept; an object of a known layout only has its values looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fhir_bridge.fhir import Definitions, ElementDefinition, TypeDefinition, definitions
from fhir_bridge.validation.context import enter, leave
from fhir_bridge.validation.fast_path.memo import memoized_content, memoized_text
from fhir_bridge.validation.finding import Findings
from fhir_bridge.validation.strictness import LENIENT, Strictness
from fhir_bridge.validation.structure.canonicals import Canonicals
from fhir_bridge.validation.structure.element_checks import (
    code_test,
    is_address,
    relative_type,
    targets_type,
)
from fhir_bridge.validation.structure.narrative import check_narrative
from fhir_bridge.validation.structure.primitives import primitive_test
from fhir_bridge.validation.structure.structure import required_keys

__all__ = ["FastPath", "Further"]

Test = Callable[[Any], bool]
Layout = tuple[str, ...]
Further = tuple[Callable[[frozenset[str]], bool], Callable[[dict[str, Any]], Findings]]
"""(whether an object with these keys is to be judged, the judgement)."""

_MAX_LAYOUTS = 500
_REPEATING = frozenset({"code", "uri", "url", "canonical"})
_CODED = frozenset({"Coding", "CodeableConcept", "Quantity"})


class FastPath:
    """Quick tests by type name, made on first use.

    `further` answers the judgements to add to each object of a type.  `repeating` are
    datatypes whose verdict depends on nothing but their content, and whose content comes
    again and again: what was sound once is not looked at again.
    """

    def __init__(
        self,
        definitions: Definitions,
        further: Callable[[str], Sequence[Further]],
        repeating: frozenset[str] = frozenset(),
        strictness: Strictness = LENIENT,
        canonicals: Canonicals | None = None,
    ) -> None:
        self._canonicals = canonicals
        self._definitions = definitions
        self._strictness = strictness
        self._further = further
        self._repeating = repeating
        self._objects: dict[str, Test] = {}
        self._primitives: dict[str, Test] = {}

    def accepts(self, resource: Any) -> bool:
        """Whether `structure` and all further judgements surely find nothing."""
        if type(resource) is not dict:
            return False
        resource_type = resource.get("resourceType")
        if type(resource_type) is not str or resource_type not in self._definitions.resource_types:
            return False
        return self._object(resource_type)(resource)

    def _embedded(self, resource: Any) -> bool:
        token = enter(resource, sound=True)
        try:
            return self.accepts(resource)
        finally:
            leave(token)

    # --- objects -------------------------------------------------------------------------

    def _object(self, type_name: str) -> Test:
        test = self._objects.get(type_name)
        if test is None:
            test = self._compile(self._definitions.types[type_name])
            if type_name in self._repeating:
                test = memoized_content(test)
            self._objects[type_name] = test
        return test

    def _compile(self, shape: TypeDefinition) -> Test:
        learn = _Layouts(self, shape, self._further(shape.name)).learn
        layouts: dict[Layout, tuple[Sequence[Test], Sequence[Any]] | None] = {}

        def test(value: Any) -> bool:
            if type(value) is not dict:
                return False
            keys = tuple(value)
            try:
                layout = layouts[keys]
            except KeyError:
                layout = learn(keys)
                if len(layouts) < _MAX_LAYOUTS and layout is not None:
                    layouts[keys] = layout
            if layout is None:
                return False
            tests, further = layout
            for check, item in zip(tests, value.values(), strict=True):
                if not check(item):
                    return False
            for judge in further:  # noqa: SIM110 - as in _many
                if judge(value):
                    return False
            return True

        return test

    def element_test(self, element: ElementDefinition) -> Test | None:
        """The test of the value of `element`; None when that is left to `structure`."""
        if element.key == "contained":
            return None
        one = self._one(element)
        return _many(one, element.max) if element.is_list else one

    def _one(self, element: ElementDefinition) -> Test:
        type_name = element.type
        if type_name == "xhtml":
            dead = self._strictness.dead_links
            return lambda value: check_narrative(value, dead_links=dead) is None
        if type_name in self._definitions.primitive_types:
            accepts = code_test(element, self._definitions)
            if accepts is not None:
                return lambda value: type(value) is str and accepts(value)
            is_canonical = self._canonicals.test(element) if self._canonicals else None
            if is_canonical is None:
                return self._primitive(type_name)
            form = self._primitive(type_name)
            return memoized_text(lambda value: form(value) and is_canonical(value))
        if self._definitions.types[type_name].kind == "resource":
            return self._embedded
        return self._complex(element)

    def _complex(self, element: ElementDefinition) -> Test:
        type_name = element.type
        inner = self.late(type_name)
        if type_name == "Reference":
            return _reference(inner, frozenset(element.targets))
        if element.strength == "required" and type_name in _CODED:
            systems = self._definitions.value_set(element.value_set)
            if systems is not None:
                is_concept = type_name == "CodeableConcept"

                def coded(value: Any) -> bool:
                    if not inner(value):
                        return False
                    codings = value.get("coding", ()) if is_concept else (value,)
                    return any(
                        coding.get("code") in systems.get(coding.get("system", ""), ())
                        for coding in codings
                    )

                return coded
        return inner

    def is_primitive(self, type_name: str) -> bool:
        """Whether values of the type are JSON scalars."""
        return type_name in self._definitions.primitive_types

    def late(self, type_name: str) -> Test:
        """A test that is compiled when it is first called: a type may hold itself."""
        known: list[Test] = []

        def test(value: Any) -> bool:
            if not known:
                known.append(self._object(type_name))
            return known[0](value)

        return self._objects.get(type_name, test)

    def _primitive(self, type_name: str) -> Test:
        test = self._primitives.get(type_name)
        if test is None:
            test = primitive_test(self._definitions.types[type_name], self._strictness)
            if type_name in _REPEATING:
                test = memoized_text(test)
            self._primitives[type_name] = test
        return test


class _Layouts:
    """What the keys of an object of one type say before any value is looked at."""

    def __init__(
        self, fast_path: FastPath, shape: TypeDefinition, further: Sequence[Further]
    ) -> None:
        self._fast_path = fast_path
        self._shape = shape
        self._further = further
        self._required = required_keys(shape).values()
        self._choices = [frozenset(keys) for keys in shape.choices.values()]
        self._is_resource = shape.kind == "resource"
        # ele-1: an element that has nothing but an id says nothing; a resource may.
        self._empty = 0 if self._is_resource or shape.name == "Element" else 1
        self._tests: dict[tuple[str, bool], Test | None] = {}

    def learn(self, keys: Layout) -> tuple[Sequence[Test], Sequence[Any]] | None:
        """Tests of the values in order and further judgements; None for `structure` to judge."""
        present = frozenset(keys)
        if len(keys) <= self._empty and (not keys or "id" in present):
            return None
        if any(names.isdisjoint(present) for names in self._required):
            return None
        plain = {key.removeprefix("_") for key in keys}
        if any(len(forms & plain) > 1 for forms in self._choices):
            return None
        tests = [self._test(key, present) for key in keys]
        if any(test is None for test in tests):
            return None
        judges = [judge for applies, judge in self._further if applies(present)]
        return [test for test in tests if test is not None], judges

    def _test(self, key: str, present: frozenset[str]) -> Test | None:
        is_alone = key[:1] == "_" and key[1:] not in present
        known = (key, is_alone)
        if known not in self._tests:
            self._tests[known] = self._make(key, is_alone=is_alone)
        return self._tests[known]

    def _make(self, key: str, *, is_alone: bool) -> Test | None:
        if key == "resourceType" and self._is_resource:
            return _anything
        elements = self._shape.elements
        if key in elements:
            return self._fast_path.element_test(elements[key])
        element = elements.get(key[1:]) if key[:1] == "_" else None
        if element is None or element.is_list or element.type == "xhtml":
            return None
        if self._fast_path.is_primitive(element.type):
            inner = self._fast_path.late("Element")
            return (lambda value: inner(value) and "extension" in value) if is_alone else inner
        return None


def _anything(_value: Any) -> bool:
    return True


def _many(one: Test, most: int | None) -> Test:
    """A list that holds something, not more than `most`, and nothing unsound."""

    def test(value: Any) -> bool:
        if type(value) is not list or not value or (most is not None and len(value) > most):
            return False
        for item in value:  # noqa: SIM110 - a generator costs more than these few items
            if not one(item):
                return False
        return True

    return test


def _reference(inner: Test, targets: frozenset[str]) -> Test:
    """A Reference to something outside, of a type that may be."""
    allowed = targets or definitions().resource_types

    def test(value: Any) -> bool:
        if not inner(value):
            return False
        text = value.get("reference")
        if text is None:
            return True
        named = relative_type(text)
        if named is not None:
            return named in allowed
        if text[0] == "#" or not is_address(text):
            return False
        return not targets or "/" not in text or targets_type(text) in (None, *targets)

    return test
