"""The door: text to a compiled expression, and what an expression answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions
from fhir_bridge.fhirpath import (  # noqa: F401 - importing enters the functions
    conversion,
    existence,
    factory,
    fhir_functions,
    filtering,
    instants,
    intervals,
    mathematics,
    navigation,
    strings,
    terminologies,
)
from fhir_bridge.fhirpath.compiler import compile_closure
from fhir_bridge.fhirpath.evaluation import Context, Environment
from fhir_bridge.fhirpath.model import Model, model_of
from fhir_bridge.fhirpath.node import plain_of, wrap
from fhir_bridge.fhirpath.parser import parse
from fhir_bridge.fhirpath.plain import DETOURS, NotPlain, Plain, write_plain
from fhir_bridge.fhirpath.types import fhir_name

__all__ = ["Expression", "compile"]

_NOTHING = Environment()
_NO_VARIABLES: Mapping[str, Any] = {}


class Expression:
    """A compiled expression; calls share nothing, so it may be used by many threads."""

    __slots__ = ("_calls", "_closure", "_model", "_pairs", "_tree", "_values", "root_type", "text")

    def __init__(self, text: str, model: Model, root_type: str) -> None:
        self.text = text
        self.root_type = root_type
        self._model = model
        self._tree = parse(text)
        self._closure = compile_closure(self._tree, text, model)
        self._values: dict[Any, Plain | Literal[False]] = {}
        self._pairs: dict[Any, Plain | Literal[False]] = {}
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
        try:
            key = (self.root_type or node.get("resourceType")) if type(node) is dict else "*"
            fast = self._values.get(key)
            if fast:
                return fast(node)
            if fast is None:
                self._generate(node, key)
        except DETOURS:
            pass
        items = self.items(node, context=context, variables=variables, environment=environment)
        return [plain for item in items if (plain := plain_of(item)) is not None]

    def typed(
        self,
        node: Any,
        *,
        context: Any = None,
        variables: Mapping[str, Any] | None = None,
        environment: Environment | None = None,
    ) -> list[tuple[str, Any]]:
        """The result as pairs of FHIR type name ("" unknown) and plain value."""
        try:
            key = (self.root_type or node.get("resourceType")) if type(node) is dict else "*"
            fast = self._pairs.get(key)
            if fast:
                return fast(node)
            if fast is None:
                self._generate(node, key)
        except DETOURS:
            pass
        items = self.items(node, context=context, variables=variables, environment=environment)
        return [(fhir_name(item), plain) for item in items if (plain := plain_of(item)) is not None]

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

    def _generate(self, node: Any, key: Any) -> None:
        """Write the fast functions for nodes of this type, if the expression allows them.

        On the third call: an expression that is used once stays with its closures.
        """
        self._calls += 1
        if self._calls < _GENERATE_AT or type(key) is not str or len(self._values) > _MOST_KEPT:
            return
        known = self._model.definitions is not None and key in self._model.type_names
        if key == "*" and not hasattr(node, "get"):
            return
        if not known and (key != "*" or self.root_type):
            self._values[key] = self._pairs[key] = False
            return
        for kept, typed in ((self._values, False), (self._pairs, True)):
            try:
                kept[key] = write_plain(self._tree, self._model, key, typed=typed)
            except NotPlain:
                kept[key] = False


_GENERATE_AT = 3
_MOST_KEPT = 1000


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
