"""$validate: what is wrong with a resource, without storing it.

https://hl7.org/fhir/R4/resource-operation-validate.html

The answer is always 200 with an OperationOutcome; only a call that cannot be understood
fails.  Modes: ``create`` and ``update`` ask for a resource, ``update`` for one with the id of
the URL, ``delete`` whether the resource is there and what refers to it, ``profile`` needs a
profile.  ``update`` and ``delete`` are of instances.
"""

from __future__ import annotations

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir import Resource, operation_outcome, parse_json
from fhir_bridge.operations.operation import Answer, Call, Operation, Parameter
from fhir_bridge.search import parse_search, plan

__all__ = ["OPERATIONS"]

_MODES = ("", "create", "update", "delete", "profile")


def _validate(call: Call) -> Answer:
    mode, profile = call.text("mode"), call.text("profile")
    if mode not in _MODES:
        raise BridgeError("FB-4025", name="mode", reason="it is create, update, delete or profile")
    if mode == "profile" and not profile:
        raise BridgeError("FB-4025", name="profile", reason="the mode asks for one")
    if mode in ("update", "delete") and call.level != "instance":
        reason = f"{mode} asks about one resource: call Type/id/$validate"
        raise BridgeError("FB-4025", name="mode", reason=reason)
    if mode == "delete":
        return Answer(operation_outcome(_references(call)))
    resource = _resource(call)
    profiles = tuple(dict.fromkeys([*([profile] if profile else []), *_claimed(resource)]))
    issues = [*call.validator.check(resource, profiles)]
    if mode == "update" and resource.get("id") != call.id:
        issues.append(Issue("FB-4009", "error", f"{call.resource_type}.id", {"id": call.id}))
    return Answer(operation_outcome(issues))


def _references(call: Call) -> list[Issue]:
    """A warning when the resource is still referred to: alone it may go, in a transaction not."""
    call.read(call.resource_type, call.id)
    pairs = [("_id", call.id), ("_revinclude", "*"), ("_count", "1")]
    search = parse_search(call.resource_type, pairs, call.registry)
    target = f"{call.resource_type}/{call.id}"
    return [
        Issue(
            "FB-4029",
            "warning",
            "",
            {"target": target, "reference": f"{held.resource_type}/{held.id}"},
        )
        for held in call.find(plan(search, call.registry)).includes[:1]
    ]


def _resource(call: Call) -> Resource:
    resource = call.resource
    is_parameters = resource is None and call.resource_type == "Parameters"
    if is_parameters and isinstance(call.body, dict):
        return call.body
    if resource is None and call.level == "instance":
        return parse_json(call.read(call.resource_type, call.id).body)
    if resource is None:
        raise BridgeError("FB-4013", expected="the resource to be validated")
    found = resource.get("resourceType")
    if call.level != "system" and found != call.resource_type:
        raise BridgeError("FB-4008", found=f"of type {found}"[:80], expected=call.resource_type)
    return resource


def _claimed(resource: Resource) -> list[str]:
    """The profiles that the resource itself claims."""
    meta = resource.get("meta")
    claimed = meta.get("profile") if isinstance(meta, dict) else None
    return [url for url in claimed if isinstance(url, str)] if isinstance(claimed, list) else []


OPERATIONS = (
    Operation(
        "validate",
        "http://hl7.org/fhir/OperationDefinition/Resource-validate",
        frozenset({"system", "type", "instance"}),
        _validate,
        parameters=(
            Parameter("resource", "Resource"),
            Parameter("mode", "code"),
            Parameter("profile", "uri"),
            Parameter("return", "OperationOutcome", 1, use="out"),
        ),
    ),
)
