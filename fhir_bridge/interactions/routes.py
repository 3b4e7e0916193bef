"""The URL grammar of the RESTful API: method and path to an interaction.

https://hl7.org/fhir/R4/http.html#summary, https://hl7.org/fhir/R4/compartmentdefinition.html
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from fhir_bridge.errors import BridgeError

__all__ = ["ID", "VERSION", "Route", "allowed_methods", "route"]

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
VERSION = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Route:
    """What a URL means.

    `interaction` is a code of the R4 value set restful-interaction, with ``-conditional``
    where the URL is a search, or ``operation``.
    """

    interaction: str
    resource_type: str = ""
    id: str = ""
    version: str = ""
    operation: str = ""
    compartment: str = ""


def route(method: str, path: tuple[str, ...], resource_types: Collection[str]) -> Route:
    """The route of `method` and `path`.

    Raises BridgeError FB-4003 (no such type), FB-4004 (method) or FB-4005 (no such place).
    """
    if path and _mark(path[0]) == "*":
        _check_type(path[0], resource_types)
    choices = _choices(path)
    if method == "HEAD":
        method = "GET"
    if choices is None:
        raise BridgeError("FB-4005", place="/".join(path))
    name = choices.get(method)
    if name is None:
        allowed = ", ".join(allowed_methods(path))
        place = "/".join(path) or "/"
        raise BridgeError("FB-4004", method=method[:20], place=place, allowed=allowed)
    found = _filled(name, path)
    if found.compartment and found.resource_type != "*":
        _check_type(found.resource_type, resource_types)
    return found


def allowed_methods(path: tuple[str, ...]) -> list[str]:
    """The methods that a path of this shape takes, in the order of the alphabet."""
    methods = set(_choices(path) or ())
    return sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()))


def _check_type(name: str, resource_types: Collection[str]) -> None:
    if name not in resource_types:
        raise BridgeError("FB-4003", resource_type=name[:64])


_OPERATION = {"GET": "operation", "POST": "operation"}
_SHAPES: dict[str, dict[str, str]] = {
    "": {"GET": "search-system", "POST": "batch"},
    "metadata": {"GET": "capabilities"},
    "_search": {"GET": "search-system", "POST": "search-system"},
    "_history": {"GET": "history-system"},
    "$": _OPERATION,
    "*": {
        "GET": "search-type",
        "POST": "create",
        "PUT": "update-conditional",
        "PATCH": "patch-conditional",
        "DELETE": "delete-conditional",
    },
    "*/$": _OPERATION,
    "*/_search": {"GET": "search-type", "POST": "search-type"},
    "*/_history": {"GET": "history-type"},
    "*/*": {"GET": "read", "PUT": "update", "PATCH": "patch", "DELETE": "delete"},
    "*/*/$": _OPERATION,
    "*/*/_history": {"GET": "history-instance"},
    "*/*/_history/*": {"GET": "vread"},
    "*/*/_history/*/$": _OPERATION,
    "*/*/*": {"GET": "search-compartment"},
    "*/*/*/_search": {"GET": "search-compartment", "POST": "search-compartment"},
}
"""Interaction by method for each shape of a path: ``*`` is a name, ``$`` an operation."""

_WORDS = frozenset({"metadata", "_search", "_history"})


def _choices(path: tuple[str, ...]) -> dict[str, str] | None:
    """Interaction by method for a path of this shape; None for a shape FHIR does not know."""
    return _SHAPES.get("/".join(map(_mark, path)))


def _mark(segment: str) -> str:
    if segment.startswith("$"):
        return "$"
    return segment if segment in _WORDS else "*"


def _filled(interaction: str, path: tuple[str, ...]) -> Route:
    """The route with the parts of `path` named."""
    if interaction == "search-compartment":
        return Route(interaction, path[2], path[1], compartment=path[0])
    names = [segment for segment in path if _mark(segment) == "*"]
    operation = path[-1] if interaction == "operation" else ""
    return Route(
        interaction,
        names[0] if names else "",
        names[1] if len(names) > 1 else "",
        names[2] if len(names) > 2 else "",
        operation,
    )
