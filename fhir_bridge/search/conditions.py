"""What a search demands of a resource, as values: the algebra between plan and store.

A condition is about one resource of one type.  `symbol` names an index ("Patient.family");
the store turns it into the parameter's number.  Bounds are inclusive; None means open.
Dates count 100-nanosecond ticks since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

__all__ = [
    "AllOf",
    "AnyOf",
    "Between",
    "Chain",
    "Condition",
    "Content",
    "Converted",
    "Has",
    "Ids",
    "Measured",
    "Near",
    "Not",
    "OnList",
    "Posted",
    "Present",
    "Table",
    "Term",
    "Text",
    "Updated",
    "any_of",
    "nothing",
]

Table = Literal["postings", "texts", "dates", "quantities"]
"""Where the index rows of a parameter are (the fields of `IndexRows`)."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Holds one of `values` (exact index texts) under `symbol`."""

    symbol: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Holds a folded string that starts with, contains, ends with or is `value`.

    A start or a content may also be one of a name's other forms (pinyin).
    """

    symbol: str
    value: str
    how: Literal["starts", "contains", "ends", "equals"]
    context: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """Holds a posting of a term found in the dictionary of `symbol`.

    Terms are URIs and display texts; with `coded` they are ``system|code``.
    """

    symbol: str
    value: str
    how: Literal["starts", "contains", "ends", "below"]
    coded: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """Holds a date interval [low, high] within the bounds (ticks)."""

    symbol: str
    low_min: int | None = None
    low_max: int | None = None
    high_min: int | None = None
    high_max: int | None = None
    context: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """Holds a number or quantity [low, high] within the bounds, in the given unit.

    `system`, `code`, `unit` are compared when not None; `code` also matches the human unit
    when `unit` is set to the same text.  `exact`: the number itself (`quantity.exact_text`),
    where the bounds cannot tell it from its neighbours.
    """

    symbol: str
    low_min: float | None = None
    low_max: float | None = None
    high_min: float | None = None
    high_max: float | None = None
    system: str | None = None
    code: str | None = None
    context: str = ""
    exact: str = ""


@dataclass(frozen=True, slots=True)
class Near:
    """Lies within `chord` (of the unit sphere) of `point`, also on it."""

    symbol: str
    point: tuple[float, float, float]
    chord: float


@dataclass(frozen=True, slots=True)
class Converted:
    """Holds a quantity of which ``prefix value`` is true, in any UCUM unit that compares.

    `value`, and `half` the width of its last digit, are in the unit `code`.
    """

    symbol: str
    prefix: str
    value: Decimal
    half: Decimal
    code: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class Present:
    """Holds any value under `symbol`, in one of the index tables."""

    symbol: str
    table: Table
    context: str = ""


@dataclass(frozen=True, slots=True)
class Ids:
    """Has one of these logical ids."""

    resource_type: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Updated:
    """Was last changed within the bounds (milliseconds since 1970)."""

    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """The stored body contains `value` (case folded)."""

    value: str


@dataclass(frozen=True, slots=True)
class OnList:
    """Is an item of the List with this id."""

    list_id: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Refers, under `symbol`, to a visible resource of a type that satisfies its condition.

    With `canonical` also by that resource's URL, whatever its version.
    """

    symbol: str
    targets: Mapping[str, Condition]
    canonical: bool = False


@dataclass(frozen=True, slots=True)
class Has:
    """Is referred to, under `symbol`, by a visible resource of `resource_type` that satisfies `condition`.

    With `canonical_of`, the type it has itself, also by its URL.
    """

    resource_type: str
    symbol: str
    condition: Condition
    canonical_of: str = ""


@dataclass(frozen=True, slots=True)
class Not:
    """Does not satisfy `condition`."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    """Satisfies every one (none: always true)."""

    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Satisfies at least one (none: never true)."""

    conditions: tuple[Condition, ...] = ()


Condition = (
    Posted
    | Text
    | Term
    | Between
    | Measured
    | Converted
    | Near
    | Present
    | Ids
    | Updated
    | Content
    | OnList
    | Chain
    | Has
    | Not
    | AllOf
    | AnyOf
)


def any_of(conditions: Iterable[Condition]) -> Condition:
    """At least one of `conditions`; a single one stands for itself."""
    alternatives = tuple(conditions)
    return alternatives[0] if len(alternatives) == 1 else AnyOf(alternatives)


def nothing() -> AnyOf:
    """The condition that no resource satisfies."""
    return AnyOf()
