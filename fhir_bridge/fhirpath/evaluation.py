"""What an evaluation carries, and how a collection becomes one value.

http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from fhir_bridge import clock
from fhir_bridge.budget import Budget, Evaluation
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath_values import Model, Node, Quantity, Temporal, fail, value_of

__all__ = [
    "Closure",
    "Context",
    "Environment",
    "Terminologies",
    "boolean",
    "integer",
    "kind_of",
    "one",
    "string",
]

Closure = Callable[[list[Any], "Context"], list[Any]]


class Terminologies(Protocol):
    """``%terminologies`` (https://hl7.org/fhir/R4/fhirpath.html#txapi): FHIR operations by name."""

    def call(self, operation: str, arguments: list[Any]) -> Any:
        """The resource that `operation` ("validateVS", "translate", …) answers, or None."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What the world outside the tree answers; every part may be missing.

    `resolve` gives the node behind a reference text, `member_of` whether a value is in a
    value set, `conforms_to` whether a resource fits a profile (None: not known), `trace`
    receives ``trace()`` calls, `now` fixes the time.
    """

    resolve: Callable[[str], Any] | None = None
    member_of: Callable[[Any, str], bool | None] | None = None
    conforms_to: Callable[[Any, str], bool | None] | None = None
    subsumes: Callable[[Any, Any], bool | None] | None = None
    trace: Callable[[str, list[Any]], None] | None = None
    terminologies: Terminologies | None = None
    now: datetime | None = None


class Context(Evaluation):
    """One evaluation: the environment, ``$this``, ``$index``, ``$total``, variables and budget.

    Who builds a longer text or collection out of others asks the budget first.
    """

    __slots__ = (
        "environment",
        "index",
        "instant",
        "model",
        "resource",
        "root",
        "root_resource",
        "this",
        "total",
        "variables",
    )

    def __init__(
        self,
        root: list[Any],
        model: Model,
        environment: Environment,
        variables: Mapping[str, Any],
        budget: Budget | None = None,
    ) -> None:
        self.root = root
        self.resource = root
        self.root_resource = root
        self.model = model
        self.environment = environment
        self.variables = variables
        self.this = root
        self.index: int | None = 0
        self.total: list[Any] = []
        self.instant: datetime | None = None
        self._budget = budget

    def now(self) -> datetime:
        """The same instant throughout one evaluation."""
        if self.instant is None:
            self.instant = self.environment.now or clock.now()
        return self.instant


def one(items: list[Any], purpose: str) -> Any:
    """The only item, None when there is none; FB-2006 when there are more."""
    if not items:
        return None
    if len(items) > 1:
        raise BridgeError("FB-2006", count=len(items), reason=purpose)
    return items[0]


def boolean(items: list[Any], purpose: str = "a condition") -> bool | None:
    """The collection as a condition: a single item that is no boolean counts as true."""
    if not items:
        return None
    if len(items) > 1:
        raise BridgeError("FB-2006", count=len(items), reason=purpose)
    item = items[0]
    if item is True or item is False:
        return bool(item)
    if type(item) is Node:
        value = item.value
        if type(value) is bool:
            return value
        if value is None and item.type_name in ("", "boolean"):
            return None
    return True


def string(items: list[Any], purpose: str) -> str | None:
    """The collection as one string; None when empty; FB-2005 when it is something else."""
    value = value_of(one(items, purpose))
    if value is None:
        if items and type(items[0]) is Node and items[0].value is not None:
            raise fail(f"{purpose} takes a string, not {kind_of(items[0])}")
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, Temporal) and type(items[0]) is Node:
        return value.text
    raise fail(f"{purpose} takes a string, not {kind_of(value)}")


def integer(items: list[Any], purpose: str) -> int | None:
    """The collection as one integer; None when empty; FB-2005 when it is something else."""
    value = value_of(one(items, purpose))
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise fail(f"{purpose} takes an integer, not {kind_of(value)}")
    if isinstance(value, Decimal) and value != value.to_integral_value():
        raise fail(f"{purpose} takes an integer, not a decimal")
    return int(value)


def kind_of(item: Any) -> str:
    """What an item is, for a sentence; never its content."""
    if type(item) is Node:
        return item.type_name or "a structure"
    if isinstance(item, bool):
        return "a boolean"
    if isinstance(item, str):
        return "a string"
    if isinstance(item, (int, Decimal)):
        return "a number"
    if isinstance(item, Quantity):
        return "a quantity"
    if isinstance(item, Temporal):
        return f"a {item.kind}"
    return "a structure"
