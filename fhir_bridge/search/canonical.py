"""Reference parameters whose values are canonical URLs: what a resource refers to by them.

https://hl7.org/fhir/R4/references.html#canonical.  ``url|version`` means one version of the
resource with that `url`, ``url`` alone any.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, walk_references
from fhir_bridge.search.paths import RESOLVED_BY_TYPE, unfiltered_paths, walk
from fhir_bridge.search.registry import Registry

__all__ = ["canonicals", "references"]


def canonicals(registry: Registry, resource: Resource, code: str) -> set[str]:
    """The canonical URLs of a reference parameter in a resource, as they are written."""
    resource_type = resource["resourceType"]
    expression = registry.parameters(resource_type)[code].expression
    compiled = fhirpath.compile(
        expression, definitions=registry.definitions, root_type=resource_type
    )
    return {value for _, value in compiled.typed(resource) if isinstance(value, str)}


def references(registry: Registry, resource: Resource, code: str) -> set[str]:
    """The literal references of a reference parameter in a resource, as they are written.

    ``*`` is every reference; so is a parameter whose expression cannot be evaluated.
    """
    resource_type = resource["resourceType"]
    nodes: list[Any] = [resource]
    parameter = registry.parameters(resource_type).get(code)
    if parameter is not None:
        paths = unfiltered_paths(registry.definitions, resource_type, parameter.expression)
        if paths is not None:
            nodes = [value for path in paths for _, value in walk(path)(resource)]
        else:
            nodes = _evaluated(registry, resource, parameter.expression)
    return {holder["reference"] for node in nodes for holder in walk_references(node)}


def _evaluated(registry: Registry, resource: Resource, expression: str) -> list[Any]:
    """What an expression that is more than paths leads to; all where it cannot be evaluated."""
    try:
        compiled = fhirpath.compile(
            expression, definitions=registry.definitions, root_type=resource["resourceType"]
        )
        return [value for _, value in compiled.typed(resource, environment=RESOLVED_BY_TYPE)]
    except BridgeError:
        return [resource]
