"""Canonical URLs: absolute where that is asked, and of a resource of a type that may stand there.

https://hl7.org/fhir/R4/references.html#canonical
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import Definitions, ElementDefinition
from fhir_bridge.validation.strictness import Strictness

__all__ = ["Canonicals"]

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|#")
_OF_HL7 = re.compile(r"http://hl7\.org/fhir/([A-Z][A-Za-z]+)/")


class Canonicals:
    """Tests of canonical elements, by the resources at hand and by how HL7 forms its URLs."""

    def __init__(
        self, definitions: Definitions, profiles: Profiles, strictness: Strictness
    ) -> None:
        self._resource_types = definitions.resource_types
        self._profiles = profiles
        self._may_be_relative = strictness.relative_canonicals

    def test(self, element: ElementDefinition) -> Callable[[str], bool] | None:
        """Whether a URL may stand in `element`; None when there is nothing to ask."""
        if element.type != "canonical":
            return None
        targets = frozenset(element.targets)

        def accepts(url: str) -> bool:
            if not self._may_be_relative and not _ABSOLUTE.match(url):
                return False
            return not targets or self._type_of(url) in (None, *targets)

        return accepts

    def _type_of(self, url: str) -> str | None:
        """The type of what is at `url`; None when that is not known."""
        match = _OF_HL7.match(url)
        if match and match[1] in self._resource_types:
            return match[1]
        return self._profiles.type_of(url)
