"""The form: an expression as typed steps, each resolved against the definitions once.

http://hl7.org/fhirpath/N1/#path-selection, https://hl7.org/fhir/R4/json.html

A path is a chain: every step holds what comes after it, once for each type of item that it
gives, so that the type of the item at hand is known at every place.  ``value.unit`` of an
Observation is a `Child` whose branch for ``valueQuantity`` holds the `Child` ``unit``, which
holds the `Item` that ends the chain.  Operators and functions of a whole collection hold the
chains they work on.

Nothing is left out: what has no typed step is an :class:`Unsupported` in its place, and every
reader of the form decides what that means to it.  The readers are `printing`, the writer of
Python over FHIR JSON (`fhirpath.writing`) and that of maps (`transform.generate`), the predictor
(`fhirpath.prediction`) and the walker of search parameters (`search.paths`); the interpreter of whole expressions (`fhirpath.compiler`) reads
the tree, and is what the others must equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

__all__ = [
    "OPEN",
    "UNTYPED",
    "Call",
    "Check",
    "Child",
    "Constant",
    "Dynamic",
    "Field",
    "First",
    "Form",
    "From",
    "Index",
    "Item",
    "Merge",
    "NoType",
    "OfResource",
    "Operation",
    "RefersTo",
    "Unsupported",
    "UrlIs",
    "Variable",
    "Where",
    "item_types",
    "kind_of_literal",
]

UNTYPED = "*"
"""The type of a node of the tree protocol that is no dict: only ``get`` is known of it."""

OPEN = "?"
"""The type of what may be a scalar or any node: nothing is known of it."""


class Field(NamedTuple):
    """One JSON key of an element, the type of its values, and how they stand.

    `sibling` is the key of what stands beside a primitive, "" for none.
    """

    key: str
    type: str
    is_list: bool
    primitive: bool
    sibling: str
    choice: bool


@dataclass(frozen=True, slots=True)
class Form:
    """Any part of the form."""


@dataclass(frozen=True, slots=True)
class Unsupported(Form):
    """What cannot be lowered, and why.

    `empty_from_empty`: the steps that stand here give nothing where nothing leads to them.
    """

    reason: str
    empty_from_empty: bool = False


@dataclass(frozen=True, slots=True)
class Constant(Form):
    """A literal; None is the empty collection."""

    value: Any


@dataclass(frozen=True, slots=True)
class Item(Form):
    """The end of a chain: the item at hand, of this type."""

    type: str


@dataclass(frozen=True, slots=True)
class Check(Form):
    """The end of a chain that is asked for `test` of each of its items."""

    test: Form


@dataclass(frozen=True, slots=True)
class Dynamic(Form):
    """The end of a chain whose items only the JSON can type: reached, it needs the interpreter."""


@dataclass(frozen=True, slots=True)
class Child(Form):
    """A step to an element: for each JSON key that it may have, what comes after.

    Without branches nothing is ever there.
    """

    name: str
    branches: tuple[tuple[Field, Form], ...]


@dataclass(frozen=True, slots=True)
class UrlIs(Form):
    """Behind a step to ``extension``: those of this url only."""

    url: str
    then: Form


@dataclass(frozen=True, slots=True)
class Where(Form):
    """The items for which `test` is true."""

    test: Form
    then: Form


@dataclass(frozen=True, slots=True)
class NoType(Form):
    """A node of the tree protocol, which must not say a type: the next name could be it."""

    then: Form


@dataclass(frozen=True, slots=True)
class First(Form):
    """The first item of a chain."""

    chain: Form
    then: Form


@dataclass(frozen=True, slots=True)
class From(Form):
    """A chain that begins at the items of another form."""

    start: Form
    then: Form


@dataclass(frozen=True, slots=True)
class Variable(Form):
    """``%name``, which is given with the input."""

    name: str


@dataclass(frozen=True, slots=True)
class Index(Form):
    """``$index`` of the item at hand."""


@dataclass(frozen=True, slots=True)
class Merge(Form):
    """``|``: the different items of `parts`, and what comes after for each type of item."""

    parts: tuple[Form, ...]
    after: tuple[tuple[str, Form], ...]


@dataclass(frozen=True, slots=True)
class Operation(Form):
    """An operator with two sides."""

    operator: str
    left: Form
    right: Form


@dataclass(frozen=True, slots=True)
class Call(Form):
    """A function of the whole collection `focus`."""

    name: str
    focus: Form
    arguments: tuple[Form, ...] = ()


@dataclass(frozen=True, slots=True)
class RefersTo(Form):
    """``resolve() is T`` of the Reference at hand."""

    type: str


@dataclass(frozen=True, slots=True)
class OfResource(Form):
    """``%resource.name``."""

    name: str


def item_types(form: Form) -> list[str]:
    """The types of the items that a chain gives, in the order of its branches."""
    match form:
        case Item(type=name):
            return [name]
        case Child(branches=branches):
            return [name for _, then in branches for name in item_types(then)]
        case UrlIs() | Where() | NoType() | First() | From():
            return item_types(form.then)
        case Merge(after=after):
            return [name for _, then in after for name in item_types(then)]
    return []


def kind_of_literal(value: Any) -> str:
    """The FHIR type whose values compare with a literal; "" for one that has none."""
    kinds = {bool: "boolean", int: "integer", str: "string", Decimal: "decimal"}
    return kinds.get(type(value), "")
