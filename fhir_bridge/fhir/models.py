"""The one door to fhir.resources: a second opinion on the shape of a resource.

https://github.com/nazrulworld/fhir.resources (models of FHIR R4B; it has none of plain R4)

The library is imported when the door is first opened and holds models of R4B; a type that
only R4 has is answered by an issue of severity information.  Nothing that these models
render is ever stored: a round trip through them loses the precision of decimals.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from fhir_bridge.errors import Issue
from fhir_bridge.fhir.json_format import Resource, render_json

__all__ = ["check", "load"]


def load() -> None:
    """Imports the library now, for a service that would else wait for it at its first message."""
    _model("Patient")


def check(resource: Resource) -> list[Issue]:
    """What the models find wrong with `resource` (FB-3020), FB-3024 when they lack its type."""
    import pydantic

    resource_type = str(resource.get("resourceType", ""))
    model = _model(resource_type)
    if model is None:
        return [Issue("FB-3024", "information", resource_type, {"type": resource_type})]
    try:
        model.model_validate_json(render_json(resource))
    except pydantic.ValidationError as error:
        return [
            _issue(resource_type, dict(finding)) for finding in error.errors(include_input=False)
        ]
    except (LookupError, TypeError, ValueError) as error:
        # An unknown contained type leaves the library as a bare KeyError.
        return [Issue("FB-3020", "error", resource_type, {"reason": type(error).__name__})]
    return []


@cache
def _model(resource_type: str) -> Any:
    from fhir.resources.R4B import get_fhir_model_class

    try:
        return get_fhir_model_class(resource_type)
    except (LookupError, ImportError, AttributeError, ValueError):
        return None


def _issue(resource_type: str, finding: dict[str, Any]) -> Issue:
    """The library's finding, without the value it was found on."""
    place = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in finding.get("loc", ())
    )
    reason = str(finding.get("type", "")).replace("_", " ").replace(".", " ")
    return Issue("FB-3020", "error", f"{resource_type}{place}", {"reason": reason})
