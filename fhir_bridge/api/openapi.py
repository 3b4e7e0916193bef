"""The OpenAPI document: the RESTful API as generic clients and testers read it.

https://spec.openapis.org/oas/v3.0.3

Paths are written once with the resource type as parameter; the 146 types times their
interactions would say the same at a hundred times the length.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.api.capabilities import product_version
from fhir_bridge.api.media_types import FHIR_JSON, FHIR_XML
from fhir_bridge.api.openapi_bodies import fhir_body, form_body, patch_body, reference
from fhir_bridge.fhir import Definitions, Resource
from fhir_bridge.operations import Operation, operations

__all__ = ["openapi_document"]

_ID_PATTERN = r"^[A-Za-z0-9\-.]{1,64}$"


def openapi_document(definitions: Definitions, base_url: str) -> Resource:
    """OpenAPI 3.0 for the server at `base_url`."""
    paths: dict[str, Any] = {
        "/metadata": {"get": _described("capabilities", "CapabilityStatement", [])},
        "/": {
            "get": _described("search-system", "Bundle", _search_query()),
            "post": _described("batch or transaction", "Bundle", [], body=fhir_body("Bundle")),
        },
        "/_search": {"post": _described("search-system by POST", "Bundle", [], body=form_body())},
        "/_history": {"get": _described("history-system", "Bundle", _history_query())},
        "/{type}": _type_path(),
        "/{type}/_search": {
            "post": _described("search-type by POST", "Bundle", [_TYPE], body=form_body())
        },
        "/{type}/_history": {
            "get": _described("history-type", "Bundle", [_TYPE, *_history_query()])
        },
        "/{type}/{id}": _instance_path(),
        "/{type}/{id}/_history": {
            "get": _described("history-instance", "Bundle", [_TYPE, _ID, *_history_query()])
        },
        "/{type}/{id}/_history/{version}": {
            "get": _described("vread", "Resource", [_TYPE, _ID, _VERSION])
        },
        "/{compartment}/{id}/{type}": {
            "get": _described(
                "search-compartment", "Bundle", [_COMPARTMENT, _ID, _TYPE, *_search_query()]
            )
        },
    }
    for operation in operations().values():
        paths.update(_operation_paths(operation))
    return {
        "openapi": "3.0.3",
        "info": {"title": "FHIR Bridge", "version": product_version()},
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {"parameters": {}, "schemas": _schemas(definitions)},
    }


def _schemas(definitions: Definitions) -> dict[str, Any]:
    resource = {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string"}, "id": {"type": "string"}},
    }
    named = {
        name: {
            "type": "object",
            "required": ["resourceType"],
            "properties": {"resourceType": {"type": "string", "enum": [name]}},
        }
        for name in ("Bundle", "CapabilityStatement", "OperationOutcome", "Parameters")
    }
    types = {"type": "string", "enum": sorted(definitions.resource_types)}
    compartments = {"type": "string", "enum": sorted(definitions.compartments)}
    return {"Resource": resource, **named, "ResourceType": types, "Compartment": compartments}


def _path_parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


_TYPE = _path_parameter("type", reference("ResourceType"))
_COMPARTMENT = _path_parameter("compartment", reference("Compartment"))
_ID = _path_parameter("id", {"type": "string", "pattern": _ID_PATTERN})
_VERSION = _path_parameter("version", {"type": "string", "pattern": "^[1-9][0-9]{0,8}$"})


def _query(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "string", **schema}}


def _header(name: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "schema": {"type": "string", **_HEADERS[name]}}


_TAG = r'^(\*|(W/)?"[1-9][0-9]{0,8}")$'
_HEADERS: dict[str, dict[str, Any]] = {
    "If-Match": {"pattern": _TAG, "example": 'W/"3"'},
    "If-None-Match": {"pattern": _TAG, "example": 'W/"3"'},
    "If-Modified-Since": {"example": "Fri, 02 Jan 2026 03:04:05 GMT"},
    "If-None-Exist": {"example": "identifier=urn:x|1"},
    "Prefer": {
        "enum": [
            "return=minimal",
            "return=representation",
            "return=OperationOutcome",
            "handling=strict",
            "handling=lenient",
        ]
    },
}


def _search_query() -> list[dict[str, Any]]:
    return [
        _query("_id"),
        _query("_lastUpdated"),
        _query("_sort"),
        _query("_count", pattern="^[0-9]{1,4}$"),
        _query("_include"),
        _query("_revinclude"),
        _query("_total", enum=["none", "estimate", "accurate"]),
        _query("_summary", enum=["true", "text", "data", "count", "false"]),
        _query("_elements"),
        _query("_format"),
        _query("_pretty", enum=["true", "false"]),
        _header("Prefer"),
    ]


def _history_query() -> list[dict[str, Any]]:
    return [_query("_since"), _query("_at"), _query("_count", pattern="^[0-9]{1,4}$")]


def _type_path() -> dict[str, Any]:
    condition = [_TYPE, _query("_id"), _query("identifier"), _header("If-Match"), _header("Prefer")]
    return {
        "get": _described("search-type", "Bundle", [_TYPE, *_search_query()]),
        "post": _described(
            "create",
            "Resource",
            [_TYPE, _header("If-None-Exist"), _header("Prefer")],
            body=fhir_body("Resource"),
        ),
        "put": _described("conditional update", "Resource", condition, body=fhir_body("Resource")),
        "patch": _described("conditional patch", "Resource", condition, body=patch_body()),
        "delete": _described("conditional delete", "OperationOutcome", condition),
    }


def _instance_path() -> dict[str, Any]:
    named = [_TYPE, _ID]
    change = [*named, _header("If-Match"), _header("Prefer")]
    cache = [_header("If-None-Match"), _header("If-Modified-Since")]
    update = [*change, _header("If-None-Match")]
    part = [_query("_summary"), _query("_elements"), _query("_format")]
    return {
        "get": _described("read", "Resource", [*named, *cache, *part]),
        "put": _described("update", "Resource", update, body=fhir_body("Resource")),
        "patch": _described("patch", "Resource", change, body=patch_body()),
        "delete": _described("delete", "OperationOutcome", change),
    }


def _operation_paths(operation: Operation) -> dict[str, Any]:
    """The operation at each of its levels; a type that it is bound to is in the path."""
    types = sorted(operation.types) if operation.types else ["{type}"]
    typed = [] if operation.types else [_TYPE]
    places: list[tuple[str, list[dict[str, Any]]]] = []
    if "system" in operation.levels:
        places.append((f"/${operation.name}", []))
    for name in types:
        if "type" in operation.levels:
            places.append((f"/{name}/${operation.name}", typed))
        if "instance" in operation.levels:
            places.append((f"/{name}/{{id}}/${operation.name}", [*typed, _ID]))
    simple = [
        _query(each.name)
        for each in operation.parameters
        if each.use == "in" and each.type[:1].islower()
    ]
    paths: dict[str, Any] = {}
    for place, parameters in places:
        title = f"${operation.name}"
        methods = {"post": _described(title, "Resource", parameters, body=fhir_body("Resource"))}
        if not operation.changes:
            methods["get"] = _described(title, "Resource", [*parameters, *simple])
        paths[place] = methods
    return paths


def _described(
    title: str,
    answer: str,
    parameters: list[dict[str, Any]],
    *,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    def content(name: str) -> dict[str, Any]:
        schema = {"schema": reference(name)}
        return {FHIR_JSON: schema, FHIR_XML: {"schema": {"type": "string"}}}

    described: dict[str, Any] = {
        "summary": title,
        "parameters": parameters,
        "responses": {
            "2XX": {"description": "done", "content": content(answer)},
            "304": {"description": "the client has this version"},
            "4XX": {"description": "refused", "content": content("OperationOutcome")},
        },
    }
    return described | ({"requestBody": body} if body else {})
