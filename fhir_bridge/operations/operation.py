"""What an operation is, what it is called with and what it answers.

https://hl7.org/fhir/R4/operations.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fhir_bridge.access import Access
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions, Resource
from fhir_bridge.search import Registry
from fhir_bridge.store import Page, Store, Stored, Transaction
from fhir_bridge.transform import Library
from fhir_bridge.validation import Validator

__all__ = ["Answer", "Call", "Level", "Operation", "Parameter"]

Level = Literal["system", "type", "instance"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation, as OperationDefinition names it."""

    name: str
    type: str
    min: int = 0
    max: str = "1"
    use: Literal["in", "out"] = "in"


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation: where, with what, and the parts of the product it may use.

    `parameters` holds (name, value) pairs in their order: text from a query, JSON values
    from a Parameters resource.  `resource` is a body that is not a Parameters resource, or
    the parameter ``resource``; `body` is what was sent, as it was sent.
    """

    level: Level
    resource_type: str
    id: str
    parameters: Sequence[tuple[str, Any]]
    resource: Resource | None
    store: Store
    registry: Registry
    definitions: Definitions
    validator: Validator
    library: Library | None
    access: Access
    base_url: str
    read: Callable[..., Stored]
    find: Callable[..., Page]
    require_time: Callable[[], None]
    max_page: int = 1000
    version: str = ""
    transaction: Transaction | None = None
    body: Any = None
    watch: Callable[[Transaction], None] = lambda _: None

    def values(self, name: str) -> list[Any]:
        """All values of one parameter."""
        return [value for key, value in self.parameters if key == name]

    def value(self, name: str) -> Any:
        """The value of a parameter that may stand once; None when it is not given.

        Raises BridgeError FB-4025 when it is given several times.
        """
        found = self.values(name)
        if len(found) > 1:
            raise BridgeError("FB-4025", name=name, reason="it may stand only once")
        return found[0] if found else None

    def text(self, name: str) -> str:
        """The same where text is expected; "" when it is not given."""
        value = self.value(name)
        if value is not None and not isinstance(value, str):
            raise BridgeError("FB-4025", name=name, reason="it is text")
        return value or ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A resource, or the same as rendered JSON."""

    resource: Resource | None = None
    body: bytes = b""
    status: int = 200


@dataclass(frozen=True, slots=True)
class Operation:
    """A named operation: `name` without the dollar sign, `types` None for every type.

    `changes` says that it changes the record and therefore is never called by GET.
    """

    name: str
    url: str
    levels: frozenset[Level]
    run: Callable[[Call], Answer]
    types: frozenset[str] | None = None
    changes: bool = False
    parameters: tuple[Parameter, ...] = ()

    def is_at(self, level: Level, resource_type: str) -> bool:
        """Whether the operation is offered at this level of this type."""
        if level not in self.levels:
            return False
        return level == "system" or self.types is None or resource_type in self.types
