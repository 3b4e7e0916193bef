"""$validate: what is wrong with a resource, without storing it.

https://hl7.org/fhir/R4/resource-operation-validate.html

The answer is always 200 with an OperationOutcome; only a call that cannot be understood
fails.  Modes: ``create`` and ``update`` ask for a resource, ``delete`` asks whether the
resource is there, ``profile`` needs a profile.
"""

from __future__ import annotations

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, operation_outcome, parse_json
from fhir_bridge.operations.operation import Answer, Call, Operation, Parameter

__all__ = ["OPERATIONS"]

_MODES = ("", "create", "update", "delete", "profile")


def _validate(call: Call) -> Answer:
    mode, profile = call.text("mode"), call.text("profile")
    if mode not in _MODES:
        raise BridgeError("FB-4025", name="mode", reason="it is create, update, delete or profile")
    if mode == "profile" and not profile:
        raise BridgeError("FB-4025", name="profile", reason="the mode asks for one")
    if mode == "delete":
        call.read(call.resource_type, call.id)
        return Answer(operation_outcome([]))
    resource = _resource(call)
    profiles = tuple(dict.fromkeys([*([profile] if profile else []), *_claimed(resource)]))
    return Answer(operation_outcome(call.validator.check(resource, profiles)))


def _resource(call: Call) -> Resource:
    resource = call.resource
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
