"""The request bodies of the OpenAPI document, each with an example that is accepted.

https://spec.openapis.org/oas/v3.0.3#request-body-object
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.api.media_types import FHIR_JSON
from fhir_bridge.interactions import FORM, JSON_PATCH, XML_PATCH

__all__ = ["EXAMPLES", "fhir_body", "form_body", "patch_body", "reference"]

_PATIENT = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": "TEST-0001"}],
    "name": [{"text": "测试"}],
    "gender": "unknown",
}
_BUNDLE = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [{"resource": _PATIENT, "request": {"method": "POST", "url": "Patient"}}],
}
_PATCH_PARTS = [
    {"name": "type", "valueCode": "add"},
    {"name": "path", "valueString": "Patient"},
    {"name": "name", "valueString": "active"},
    {"name": "value", "valueBoolean": True},
]
_PARAMETERS = {
    "resourceType": "Parameters",
    "parameter": [{"name": "operation", "part": _PATCH_PARTS}],
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "Resource": _PATIENT,
    "Bundle": _BUNDLE,
    "Parameters": _PARAMETERS,
}
"""Schema -> a body that it describes and the server accepts."""


def reference(name: str) -> dict[str, str]:
    """A pointer to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def fhir_body(name: str) -> dict[str, Any]:
    """A body in FHIR JSON."""
    return {"content": {FHIR_JSON: {"schema": reference(name), "example": EXAMPLES[name]}}}


def form_body() -> dict[str, Any]:
    """Search parameters as a form."""
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    return {"content": {FORM: {"schema": schema, "example": {"_count": "10"}}}}


def patch_body() -> dict[str, Any]:
    """The three languages of patches."""
    operation = {
        "type": "object",
        "required": ["op", "path"],
        "properties": {
            "op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]},
            "path": {"type": "string"},
            "from": {"type": "string"},
            "value": {},
        },
    }
    changes = [{"op": "add", "path": "/active", "value": True}]
    diff = (
        '<diff><add sel="Patient"><active xmlns="http://hl7.org/fhir" value="true"/></add></diff>'
    )
    return {
        "content": {
            JSON_PATCH: {"schema": {"type": "array", "items": operation}, "example": changes},
            FHIR_JSON: {"schema": reference("Parameters"), "example": _PARAMETERS},
            XML_PATCH: {"schema": {"type": "string"}, "example": diff},
        }
    }
