"""The door: text to a compiled expression, and what an expression answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions
from fhir_bridge.fhirpath import (  # noqa: F401 - importing enters the functions
    conversion,
    existence,
    factory,
    fhir_functions,
    filtering,
    instants,
    mathematics,
    navigation,
    strings,
)
from fhir_bridge.fhirpath.compiler import compile_closure
from fhir_bridge.fhirpath.evaluation import Context, Environment
from fhir_bridge.fhirpath.model import Model, model_of
from fhir_bridge.fhirpath.node import UCUM, Node, wrap
from fhir_bridge.fhirpath.parser import parse
from fhir_bridge.fhirpath.plain import DETOURS, NotPlain, Plain, write_plain
from fhir_bridge.fhirpath.quantity import Quantity
from fhir_bridge.fhirpath.temporal import Temporal
from fhir_bridge.fhirpath.types import fhir_name

__all__ = ["Expression", "compile"]

_NOTHING = Environment()
_NO_VARIABLES: Mapping[str, Any] = {}


class Expression:
    """A compiled expression; calls share nothing, so it may be used by many threads."""

    __slots__ = ("_calls", "_closure", "_model", "_plain", "_tree", "root_type", "text")

    def __init__(self, text: str, model: Model, root_type: str) -> None:
        self.text = text
        self.root_type = root_type
        self._model = model
        self._tree = parse(text)
        self._closure = compile_closure(self._tree, text, model)
        self._plain: dict[tuple[str, bool], Plain | None] = {}
        self._calls = 0

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __call__(
        self,
        node: Any,
        *,
        context: Any = None,
        variables: Mapping[str, Any] | None = None,
        environment: Environment | None = None,
    ) -> list[Any]:
        """The result on `node` as plain JSON values.

        `context` is what ``%context`` and ``%resource`` stand for when it is not `node`;
        `variables` are further ``%names``.  Raises BridgeError FB-2005 to FB-2009.
        """
        fast = self._fast(node, typed=False)
        if fast is not None:
            try:
                return fast(node)
            except DETOURS:
                pass
        items = self.items(node, context=context, variables=variables, environment=environment)
        return [plain for item in items if (plain := _plain(item)) is not None]

    def typed(
        self,
        node: Any,
        *,
        context: Any = None,
        variables: Mapping[str, Any] | None = None,
        environment: Environment | None = None,
    ) -> list[tuple[str, Any]]:
        """The result as pairs of FHIR type name ("" unknown) and plain value."""
        fast = self._fast(node, typed=True)
        if fast is not None:
            try:
                return fast(node)
            except DETOURS:
                pass
        items = self.items(node, context=context, variables=variables, environment=environment)
        return [
            (fhir_name(item), plain) for item in items if (plain := _plain(item)) is not None
        ]

    def items(
        self,
        node: Any,
        *,
        context: Any = None,
        variables: Mapping[str, Any] | None = None,
        environment: Environment | None = None,
    ) -> list[Any]:
        """The result as items: nodes with their types, and System values."""
        focus = wrap(node, self.root_type) if node is not None else []
        state = Context(
            focus if context is None else wrap(context),
            self._model,
            environment or _NOTHING,
            variables or _NO_VARIABLES,
        )
        if variables:
            if "resource" in variables:
                state.resource = wrap(variables["resource"])
            if "rootResource" in variables:
                state.root_resource = wrap(variables["rootResource"])
        state.this = focus
        try:
            return self._closure(focus, state)
        except RecursionError:
            raise BridgeError("FB-2008", limit="nesting of the tree") from None
        except ArithmeticError:
            raise BridgeError("FB-2005", reason="a number is out of range") from None

    def _fast(self, node: Any, *, typed: bool) -> Plain | None:
        """The generated function for the type of `node`, if the expression allows one."""
        if type(node) is dict:
            root_type = self.root_type or node.get("resourceType")
        else:
            root_type = "*"
        try:
            return self._plain[root_type, typed]
        except (KeyError, TypeError):
            return self._generate(node, root_type, typed=typed)

    def _generate(self, node: Any, root_type: Any, *, typed: bool) -> Plain | None:
        """Generate on the third call: an expression that is used once stays with closures."""
        self._calls += 1
        if self._calls < _GENERATE_AT or type(root_type) is not str:
            return None
        known = self._model.definitions is not None and root_type in self._model.type_names
        fast: Plain | None = None
        if known or (root_type == "*" and hasattr(node, "get") and not self.root_type):
            try:
                fast = write_plain(self._tree, self._model, root_type, typed=typed)
            except NotPlain:
                fast = None
        if len(self._plain) < _MOST_KEPT:
            self._plain[root_type, typed] = fast
        return fast


_GENERATE_AT = 3
_MOST_KEPT = 1000


def _plain(item: Any) -> Any:
    if type(item) is Node:
        return item.value
    if isinstance(item, Temporal):
        return item.text
    if isinstance(item, Quantity):
        if item.calendar:
            return {"value": item.value, "unit": item.unit}
        return {"value": item.value, "unit": item.unit, "system": UCUM, "code": item.unit}
    return item


def compile(  # noqa: A001 - the word of the field, used through the package
    expression: str, *, definitions: Definitions | None = None, root_type: str | None = None
) -> Expression:
    """The compiled `expression`, kept for the next call with the same arguments.

    `definitions` type the tree (without them types come from the shape of the JSON);
    `root_type` names the type of the node when the node does not say it.  Raises
    BridgeError FB-2001 to FB-2003 with line and column.
    """
    return _compiled(expression, model_of(definitions), root_type or "")


@lru_cache(4096)
def _compiled(expression: str, model: Model, root_type: str) -> Expression:
    return Expression(expression, model, root_type)
