"""The resource under judgement: what ``%resource`` is and where references lead.

https://hl7.org/fhir/R4/fhirpath.html#vars
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, NamedTuple

from fhir_bridge.fhir import parse_reference

__all__ = ["Context", "current", "enter", "leave", "resolve"]


class Context(NamedTuple):
    """The nearest resource, the one that contains it, and the outermost (a Bundle).

    `sound` says that all of it is of the right structure, or that the judgement is thrown
    away: then a rule may be predicted.
    """

    resource: Any
    root_resource: Any
    outermost: Any
    sound: bool


_NOTHING = Context(None, None, None, False)
_current: ContextVar[Context] = ContextVar("current", default=_NOTHING)


def current() -> Context:
    """What is under judgement now."""
    return _current.get()


def enter(resource: Any, *, contained: bool = False, sound: bool = False) -> Token[Context]:
    """From now on `resource` is the one under judgement, until `leave` with the answer."""
    before = _current.get()
    outermost = resource if before.outermost is None else before.outermost
    root = before.root_resource if contained else resource
    return _current.set(Context(resource, root, outermost, sound))


leave = _current.reset


def resolve(text: str) -> Any:
    """The resource that `text` refers to inside what is judged; None when it is elsewhere."""
    now = _current.get()
    if text.startswith("#"):
        return _contained(now.root_resource, text[1:])
    if not isinstance(now.outermost, dict) or now.outermost.get("resourceType") != "Bundle":
        return None
    entries = [entry for entry in now.outermost.get("entry", ()) if isinstance(entry, dict)]
    for entry in entries:
        if entry.get("fullUrl") == text:
            return entry.get("resource")
    reference = parse_reference(text)
    if reference is None or reference.base:
        return None
    for entry in entries:
        url = str(entry.get("fullUrl", ""))
        if url.endswith(f"/{reference.resource_type}/{reference.id}"):
            return entry.get("resource")
    return None


def _contained(root: Any, identifier: str) -> Any:
    if not isinstance(root, dict):
        return None
    if not identifier:
        return root
    listed = root.get("contained")
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and item.get("id") == identifier:
            return item
    return None
