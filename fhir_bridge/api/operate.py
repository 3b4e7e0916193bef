"""An operation's invocation over HTTP: parameters in, answer out.

https://hl7.org/fhir/R4/operations.html#executing
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import render_json
from fhir_bridge.interactions import ID, Context, Reply, Request, Route
from fhir_bridge.operations import Call, Level, operations
from fhir_bridge.transform import Library

__all__ = ["operate_with"]

_NOT_PARAMETERS = frozenset({"_format", "_pretty", "_summary", "_elements"})


def operate_with(library: Library | None) -> Callable[[Request, Route, Context], Reply]:
    """What a context needs to carry out operations."""

    def operate(request: Request, route: Route, context: Context) -> Reply:
        level: Level = "instance" if route.id else "type" if route.resource_type else "system"
        name = route.operation.removeprefix("$")
        operation = operations().get(name)
        if operation is None or not operation.is_at(level, route.resource_type):
            offered = [
                f"${known.name}"
                for known in operations().values()
                if known.is_at(level, route.resource_type)
            ]
            place = "/".join(request.path[:-1]) or "the base"
            raise BridgeError(
                "FB-4028", operation=f"${name}"[:80], place=place, allowed=", ".join(offered)
            )
        if operation.changes and request.method != "POST":
            raise BridgeError(
                "FB-4004", method=request.method, place="/".join(request.path), allowed="POST"
            )
        if route.id and not ID.fullmatch(route.id):
            raise BridgeError("FB-4001", resource_type=route.resource_type, id=route.id[:64])
        answer = operation.run(_call(level, request, route, context, library))
        return Reply(answer.status, answer.body or render_json(answer.resource))

    return operate


def _call(
    level: Level, request: Request, route: Route, context: Context, library: Library | None
) -> Call:
    parameters, resource = _parameters(request)
    return Call(
        level=level,
        resource_type=route.resource_type,
        id=route.id,
        version=route.version,
        parameters=parameters,
        resource=resource,
        store=context.store,
        registry=context.registry,
        definitions=context.definitions,
        validator=context.validator,
        library=library,
        access=context.access,
        base_url=context.base_url,
        read=context.read,
        find=context.find,
        max_page=context.settings.max_page,
        transaction=context.transaction,
        require_time=context.require_time,
        body=request.body,
        watch=context.watch,
    )


def _parameters(request: Request) -> tuple[list[tuple[str, Any]], dict[str, Any] | None]:
    """(name, value) pairs of query and body, and the resource that travels with them."""
    pairs: list[tuple[str, Any]] = [
        (name, value) for name, value in request.query if name not in _NOT_PARAMETERS
    ]
    body = request.body
    if not isinstance(body, dict):
        return pairs, None
    if body.get("resourceType") != "Parameters":
        return pairs, body
    listed = body.get("parameter", [])
    if not isinstance(listed, list) or not all(isinstance(part, dict) for part in listed):
        raise BridgeError("FB-4025", name="parameter", reason="Parameters.parameter is a list")
    resource = None
    for part in listed:
        name = str(part.get("name", ""))
        if "resource" in part:
            value = part["resource"]
            if name == "resource" and isinstance(value, dict):
                resource = value
        else:
            value = next((part[key] for key in part if key.startswith("value")), part.get("part"))
        pairs.append((name, value))
    return pairs, resource
