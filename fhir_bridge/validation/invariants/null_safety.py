"""Rules that have no answer: an invariant that is empty where an element is absent.

https://hl7.org/fhir/R4/conformance-rules.html#constraints

Tools differ: some take an empty result as kept, HL7's take it as broken.  A rule that means
the same everywhere answers true or false on every instance.  This is shown, not guessed: the
rule is evaluated on small instances that R4 accepts, and one without an answer is the proof.
A rule that gives an answer on each of them may still be empty on another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields
from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions, render_json
from fhir_bridge.fhirpath import syntax
from fhir_bridge.validation.invariants.minimal_instance import MinimalInstances

__all__ = ["NullSafety"]

_MAX_LENGTH = 64
_SHOWN = 160


class NullSafety:
    """Looks for instances on which a rule is empty; `environment` is handed to FHIRPath."""

    def __init__(self, definitions: Definitions, environment: fhirpath.Environment) -> None:
        self._definitions = definitions
        self._environment = environment

    def without_answer(
        self, text: str, types: Iterable[str], resource_type: str, required: Collection[str] = ()
    ) -> str | None:
        """An instance, as JSON, of one of `types` on which the rule `text` is empty; None if none is known.

        `resource_type` is what ``%resource`` is of, `required` what the profile asks for.  A rule that cannot be compiled or
        evaluated is not judged here.
        """
        try:
            instances = self._instances(fhirpath.parse(text), required)
        except BridgeError:
            return None
        known = self._definitions.types
        for type_name in types:
            if type_name in known and not known[type_name].abstract:
                found = self._empty_on(text, type_name, resource_type, instances)
                if found is not None:
                    return render_json(found).decode()[:_SHOWN]
        return None

    def _instances(self, tree: syntax.Expr, required: Collection[str]) -> MinimalInstances:
        """Instances that speak of what the rule names, with texts as long as it asks about."""
        names, lengths = set(), set()
        for part in _parts(tree):
            if isinstance(part, syntax.Member):
                names.add(part.name)
            elif isinstance(part, syntax.Literal) and type(part.value) is int:
                lengths |= {part.value, part.value + 1}
        texts = tuple("1" * length for length in sorted(lengths) if 0 < length <= _MAX_LENGTH)
        return MinimalInstances(self._definitions, names, texts, required)

    def _empty_on(
        self, text: str, type_name: str, resource_type: str, instances: MinimalInstances
    ) -> Any:
        try:
            rule = fhirpath.compile(text, definitions=self._definitions, root_type=type_name)
        except BridgeError:
            return None
        is_resource = resource_type in self._definitions.resource_types
        around = instances.smallest(resource_type) if is_resource else None
        for instance in instances.of(type_name):
            outer = instance if type_name == resource_type or around is None else around
            variables = {"resource": outer, "rootResource": outer}
            try:
                if not rule(instance, variables=variables, environment=self._environment):
                    return instance
            except BridgeError:
                continue
        return None


def _parts(tree: Any) -> Iterator[syntax.Expr]:
    """Every expression in `tree`."""
    if isinstance(tree, syntax.Expr):
        yield tree
        for item in fields(tree):
            yield from _parts(getattr(tree, item.name))
    elif isinstance(tree, tuple):
        for item in tree:
            yield from _parts(item)
