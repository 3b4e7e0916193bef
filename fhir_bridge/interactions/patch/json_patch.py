"""JSON Patch.

https://www.rfc-editor.org/rfc/rfc6902 with https://www.rfc-editor.org/rfc/rfc6901 pointers,
as FHIR uses it: https://hl7.org/fhir/R4/http.html#patch

The document that is given is never changed.  Values are compared as JSON: ``1`` is not
``true``, and numbers compare by value, so that a test of ``1.0`` finds ``1.00``.
"""

from __future__ import annotations

import re
from copy import deepcopy
from decimal import Decimal
from typing import Any, NoReturn

from fhir_bridge.budget import Budget, one_budget
from fhir_bridge.errors import BridgeError

__all__ = ["apply_json_patch", "without_empty"]

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_ABSENT = object()


def apply_json_patch(document: Any, patch: Any) -> Any:
    """`document` after all operations of `patch`, as a new value.

    Raises BridgeError FB-4020 (the patch itself is wrong), FB-4021 (a place is not there)
    or FB-4022 (a test failed), each with the position of the operation.
    """
    if not isinstance(patch, list):
        raise BridgeError("FB-4020", reason="a JSON Patch is an array of operations")
    document = deepcopy(document)
    with one_budget() as budget:
        for position, operation in enumerate(patch):
            document = _Step(position, operation, budget).apply(document)
    return document


def without_empty(document: Any, patch: list[dict[str, Any]]) -> Any:
    """`document` without the arrays and objects that operations of `patch` have emptied.

    JSON may hold them, FHIR has none (https://hl7.org/fhir/R4/json.html); what the patch
    itself put there empty stays, to be refused.
    """
    for operation in patch:
        if operation["op"] in ("remove", "move"):
            path = operation["path" if operation["op"] == "remove" else "from"]
            _drop_empty(document, _tokens(path)[:-1])
    return document


def _drop_empty(document: Any, path: list[str]) -> None:
    """Take away what is at `path` when it is empty, and what that leaves empty above."""
    places = [document]
    for token in path:
        held = places[-1]
        if isinstance(held, dict) and token in held:
            places.append(held[token])
        elif isinstance(held, list) and _INDEX.fullmatch(token) and int(token) < len(held):
            places.append(held[int(token)])
        else:
            return
    while path and places.pop() in ([], {}):
        token = path[-1]
        path = path[:-1]
        del places[-1][int(token) if isinstance(places[-1], list) else token]


def _tokens(pointer: str) -> list[str]:
    """The parts of a JSON Pointer (RFC 6901)."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


class _Step:
    """One operation with its position, so that every error can name it."""

    def __init__(self, position: int, operation: Any, budget: Budget) -> None:
        budget.spend(1)
        budget.look()  # a pointer may lead to, and a test compare, a large part
        self.budget = budget
        self.where = f"operation {position}"
        if not isinstance(operation, dict):
            self._refuse("an operation is an object")
        self.operation: dict[str, Any] = operation

    def apply(self, document: Any) -> Any:
        """`document` after this operation; it may be changed in place."""
        kind = self.operation.get("op")
        path = self._pointer("path")
        if kind == "add":
            return self._add(document, path, deepcopy(self._value()))
        if kind == "remove":
            return self._remove(document, path)[0]
        if kind == "replace":
            value = deepcopy(self._value())
            self._get(document, path)
            return self._put(document, path, value)
        if kind == "test":
            if not _equal(self._get(document, path), self._value()):
                raise BridgeError("FB-4022", self.where, path=self.operation["path"])
            return document
        if kind == "copy":
            value = self._get(document, self._pointer("from"))
            self.budget.tree(value)
            return self._add(document, path, deepcopy(value))
        if kind == "move":
            return self._move(document, path)
        return self._refuse("op is one of add, remove, replace, move, copy, test")

    def _move(self, document: Any, path: list[str]) -> Any:
        source = self._pointer("from")
        if len(source) < len(path) and path[: len(source)] == source:
            self._refuse("a value cannot be moved into itself")
        if source == path:
            self._get(document, path)
            return document
        document, value = self._remove(document, source)
        return self._add(document, path, value)

    def _add(self, document: Any, path: list[str], value: Any) -> Any:
        if not path:
            return value
        parent = self._get(document, path[:-1])
        if isinstance(parent, list):
            parent.insert(self._index(parent, path[-1], end=True), value)
        elif isinstance(parent, dict):
            parent[path[-1]] = value
        else:
            self._missing(path)
        return document

    def _put(self, document: Any, path: list[str], value: Any) -> Any:
        """Overwrite an existing place, keeping its order in the object."""
        if not path:
            return value
        parent = self._get(document, path[:-1])
        parent[self._index(parent, path[-1]) if isinstance(parent, list) else path[-1]] = value
        return document

    def _remove(self, document: Any, path: list[str]) -> tuple[Any, Any]:
        value = self._get(document, path)
        if not path:
            return None, value
        parent = self._get(document, path[:-1])
        del parent[self._index(parent, path[-1]) if isinstance(parent, list) else path[-1]]
        return document, value

    def _get(self, document: Any, path: list[str]) -> Any:
        for depth, token in enumerate(path):
            if isinstance(document, list):
                document = document[self._index(document, token)]
            elif isinstance(document, dict) and token in document:
                document = document[token]
            else:
                self._missing(path[: depth + 1])
        return document

    def _index(self, array: list[Any], token: str, *, end: bool = False) -> int:
        if end and token == "-":  # noqa: S105 - RFC 6901's name for the place after the last
            return len(array)
        if not _INDEX.fullmatch(token) or int(token) >= len(array) + end:
            self._missing([token])
        return int(token)

    def _pointer(self, name: str) -> list[str]:
        text = self.operation.get(name)
        if not isinstance(text, str) or (text and not text.startswith("/")):
            self._refuse(f"{name} is a JSON Pointer")
        if re.search(r"~(?![01])", text):
            self._refuse(f"{name} has a ~ that is not ~0 or ~1")
        return _tokens(text)

    def _value(self) -> Any:
        value = self.operation.get("value", _ABSENT)
        if value is _ABSENT:
            self._refuse("value is missing")
        return value

    def _missing(self, path: list[str]) -> NoReturn:
        raise BridgeError("FB-4021", self.where, path="/" + "/".join(path)[:200])

    def _refuse(self, reason: str) -> NoReturn:
        raise BridgeError("FB-4020", self.where, reason=reason)


def _equal(left: Any, right: Any) -> bool:
    """Equality of JSON values (RFC 6902 §4.6)."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float | Decimal) and isinstance(right, int | float | Decimal):
        return left == right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return type(left) is type(right) and bool(left == right)
