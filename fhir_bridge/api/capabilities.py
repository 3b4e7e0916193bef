"""The CapabilityStatement, built from the interactions, operations and search parameters there are.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from fhir_bridge import clock
from fhir_bridge.api.media_types import FHIR_JSON, FHIR_XML
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions, Resource
from fhir_bridge.interactions import INTERACTIONS, JSON_PATCH, KEPT_TYPES, XML_PATCH
from fhir_bridge.operations import operations
from fhir_bridge.search import Registry, parse_search

__all__ = ["capability_statement", "product_version"]

_CHANGES = {"update", "update-conditional", "patch", "delete", "delete-conditional"}
# Codes of the value sets type-restful-interaction and system-restful-interaction; the
# conditional forms are told by flags of their own.
_TYPE_INTERACTIONS = (
    "read",
    "vread",
    "update",
    "patch",
    "delete",
    "history-instance",
    "history-type",
    "create",
    "search-type",
)
_SYSTEM_INTERACTIONS = ("transaction", "batch", "search-system", "history-system")


def product_version() -> str:
    """The version of the installed product."""
    try:
        return version("fhir-bridge")
    except PackageNotFoundError:
        return "0"


def capability_statement(
    definitions: Definitions,
    registry: Registry,
    base_url: str,
    *,
    conditional_delete: Literal["single", "multiple"] = "single",
    require_if_match: bool = False,
    cross_origin: bool = False,
    security: Mapping[str, Any] | None = None,
) -> Resource:
    """What a client can rely on.

    `cross_origin` says whether pages of other origins may ask, `security` how one gets a token.
    """
    includes = _includes(definitions, registry)
    now = clock.instant()
    return {
        "resourceType": "CapabilityStatement",
        "url": f"{base_url}/metadata",
        "name": "FHIRBridge",
        "title": "FHIR Bridge",
        "status": "active",
        "date": now,
        "kind": "instance",
        "software": {"name": "FHIR Bridge", "version": product_version()},
        "implementation": {"description": "FHIR Bridge", "url": base_url},
        "fhirVersion": definitions.release,
        "format": [FHIR_JSON, FHIR_XML, "json", "xml"],
        "patchFormat": [JSON_PATCH, XML_PATCH, FHIR_JSON, FHIR_XML],
        "rest": [
            {
                "mode": "server",
                "security": security or {"cors": cross_origin},
                "resource": [
                    _resource(name, registry, includes, conditional_delete)
                    | ({"versioning": "versioned-update"} if require_if_match else {})
                    for name in sorted(definitions.resource_types)
                ],
                "interaction": [{"code": code} for code in _SYSTEM_INTERACTIONS],
                "searchParam": _search_parameters("Resource", registry),
                "operation": _operations("system", ""),
                "compartment": [
                    f"http://hl7.org/fhir/CompartmentDefinition/{name[0].lower()}{name[1:]}"
                    for name in sorted(definitions.compartments)
                ],
            }
        ],
    }


def _resource(
    name: str,
    registry: Registry,
    includes: dict[str, tuple[list[str], list[str]]],
    conditional_delete: str,
) -> dict[str, Any]:
    served = set(INTERACTIONS) - (_CHANGES if name in KEPT_TYPES else set())
    forward, reverse = includes[name]
    claims: dict[str, Any] = {
        "type": name,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{name}",
        "interaction": [{"code": code} for code in _TYPE_INTERACTIONS if code in served],
        "versioning": "versioned",
        "readHistory": "vread" in served,
        "updateCreate": "update" in served,
        "conditionalCreate": "create" in served,
        "conditionalRead": "full-support",
        "conditionalUpdate": "update-conditional" in served,
        "conditionalDelete": (
            conditional_delete if "delete-conditional" in served else "not-supported"
        ),
        "referencePolicy": ["literal", "logical"],
        "searchInclude": forward,
        "searchRevInclude": reverse,
        "searchParam": _search_parameters(name, registry),
        "operation": _operations("type", name) + _operations("instance", name),
    }
    return {key: value for key, value in claims.items() if value != []}


def _is_supported(name: str, code: str, registry: Registry) -> bool:
    """Whether searching by the parameter is not refused as such (``_filter`` is)."""
    try:
        parse_search(None if name == "Resource" else name, [(code, "1")], registry)
    except BridgeError as error:
        return error.code not in ("FB-4101", "FB-4106", "FB-4117")
    return True


def _search_parameters(name: str, registry: Registry) -> list[dict[str, str]]:
    found = [
        {"name": code, "definition": parameter.url, "type": parameter.type}
        if parameter.url
        else {"name": code, "type": parameter.type}
        for code, parameter in registry.parameters(name).items()
        if _is_supported(name, code, registry)
    ]
    if name != "Resource" and _is_supported(name, "_list", registry):
        found.append({"name": "_list", "type": "special"})  # R4 publishes no definition of it
    return found


def _operations(level: Any, name: str) -> list[dict[str, str]]:
    at_type = {known.name for known in operations().values() if known.is_at("type", name)}
    return [
        {"name": known.name, "definition": known.url}
        for known in operations().values()
        if known.is_at(level, name) and (level != "instance" or known.name not in at_type)
    ]


def _includes(
    definitions: Definitions, registry: Registry
) -> dict[str, tuple[list[str], list[str]]]:
    """(what ``_include`` takes, what ``_revinclude`` takes) by resource type."""
    forward: dict[str, list[str]] = {name: [] for name in sorted(definitions.resource_types)}
    reverse: dict[str, list[str]] = {name: [] for name in forward}
    for name, listed in forward.items():
        for code, parameter in registry.parameters(name).items():
            if parameter.type != "reference":
                continue
            listed.append(f"{name}:{code}")
            for target in parameter.targets:
                if target in reverse:
                    reverse[target].append(f"{name}:{code}")
    return {name: (forward[name], reverse[name]) for name in forward}
