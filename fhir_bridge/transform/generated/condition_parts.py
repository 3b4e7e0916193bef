"""What written conditions call: how children, texts and truths are read from a node.

None is the empty collection; a `Detour` is a node that FHIRPath itself has to read
(http://hl7.org/fhirpath/N1/#boolean-logic).
"""

from __future__ import annotations

from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.transform.shapes import Shape
from fhir_bridge.transform.source import Item

__all__ = ["CONDITION_PARTS", "SHORT_TEXT"]

SHORT_TEXT = 64
"""The length of text for which the pattern of ``matches`` is compiled beforehand."""

_TEXT_TYPES = frozenset({"string", "code", "uri", "url", "canonical", "id", "markdown", "oid"})


class Detour(Exception):  # noqa: N818 - not an error: FHIRPath evaluates it
    """This node needs the engine."""


def _root(item: Item) -> Any:
    """The node of an item whose type does not change how a text is read."""
    _plainly_read(item.shape)
    return item.value


def _variable(value: Any) -> Any:
    if type(value) is Item:
        if value.shape is not None and value.shape.name != "boolean":
            _plainly_read(value.shape)
        return value.value
    if value is None:
        return None
    raise Detour


def _plainly_read(shape: Shape | None) -> None:
    if shape is not None and not shape.is_open and shape.name not in _TEXT_TYPES:
        raise Detour


def _tree(node: Any) -> Any:
    """A node that has children and is no FHIR JSON."""
    if type(node) is dict:
        raise Detour
    return node


def _untyped(node: Any) -> Any:
    """As `_tree`, where a name may be a type: the node has none."""
    if type(node) is dict or getattr(node, "type_name", None):
        raise Detour
    return node


def _child(value: Any, name: str) -> Any:
    if value is None:
        return None
    if type(value) is list:
        found: list[Any] = []
        for one in value:
            child = _child(one, name)
            found += child if type(child) is list else [child]
        return found
    return _tree(value).get(name)


def _there(value: Any) -> bool:
    if type(value) is list:
        return any(one is not None for one in value)
    return value is not None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if value is None:
        return None
    if type(value) is list:
        given = [one for one in value if one is not None]
        if len(given) < 2:
            return _text(given[0]) if given else None
    raise Detour


def _same_text(value: Any, literal: str) -> bool | None:
    text = _text(value)
    return None if text is None else text == literal


def _same_truth(value: Any, literal: bool) -> bool | None:
    if value is None:
        return None
    if type(value) is not bool:
        raise Detour
    return value is literal


def _one_of(value: Any, texts: tuple[str, ...]) -> bool | None:
    text = _text(value)
    return None if text is None else text in texts


def _matches(value: Any, source: str, search: Any) -> bool | None:
    text = _text(value)
    if text is None:
        return None
    if len(text) > SHORT_TEXT:
        search = fhirpath.compile_pattern(source, "", len(text)).search
    return search(text) is not None


def _negated(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


CONDITION_PARTS: dict[str, Any] = {
    "DETOURS": (Detour, AttributeError, TypeError, BridgeError),
    "child": _child,
    "matches": _matches,
    "negated": _negated,
    "one_of": _one_of,
    "root": _root,
    "same_text": _same_text,
    "same_truth": _same_truth,
    "there": _there,
    "tree": _tree,
    "untyped": _untyped,
    "variable": _variable,
}
"""The names that written conditions use."""
