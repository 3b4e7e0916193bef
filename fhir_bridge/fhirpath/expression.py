"""The door: text to a compiled expression, and what an expression answers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypedDict, Unpack

from fhir_bridge.budget import Budget
from fhir_bridge.codegen import FALLBACKS
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions
from fhir_bridge.fhirpath.compiler import compile_closure
from fhir_bridge.fhirpath.evaluation import Context, Environment
from fhir_bridge.fhirpath.form import Form, lower
from fhir_bridge.fhirpath.functions import (  # noqa: F401 - importing enters the functions
    conversion,
    existence,
    factory,
    fhir_functions,
    filtering,
    instants,
    intervals,
    mathematics,
    navigation,
    references,
    strings,
    terminologies,
)
from fhir_bridge.fhirpath.language import syntax
from fhir_bridge.fhirpath.language.parser import parse
from fhir_bridge.fhirpath.prediction import Look, predict
from fhir_bridge.fhirpath.writing import Plain, Written, write
from fhir_bridge.fhirpath_values import Model, fhir_name, model_of, plain_of, wrap

__all__ = ["Expression", "compile"]

_NOTHING = Environment()
_NO_VARIABLES: Mapping[str, Any] = {}


class Situation(TypedDict, total=False):
    """What an evaluation may be given beside the node."""

    context: Any
    variables: Mapping[str, Any] | None
    environment: Environment | None
    budget: Budget | None


class Expression:
    """A compiled expression; calls share nothing, so it may be used by many threads.

    Every call takes a node and, by name, `context`: what ``%context`` and ``%resource``
    stand for when it is not the node; `variables`: further ``%names``; `environment`: what
    the world outside the tree answers; `budget`: what is left of a larger evaluation.
    """

    __slots__ = ("_closure", "_model", "_pairs", "_values", "root_type", "text", "tree")

    def __init__(self, text: str, model: Model, root_type: str) -> None:
        self.text = text
        self.root_type = root_type
        self._model = model
        self.tree = tree = parse(text)
        self._closure = compile_closure(tree, text, model)
        self._values = _Generated(tree, model, root_type, typed=False)
        self._pairs = _Generated(tree, model, root_type, typed=True)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __call__(self, node: Any, **situation: Unpack[Situation]) -> list[Any]:
        """The result on `node` as plain JSON values.  Raises BridgeError FB-2005 to FB-2013."""
        try:
            key = _key_of(node, self.root_type)
            if fast := self._values[key]:
                return fast(node)
        except FALLBACKS:
            pass
        items = self.items(node, **situation)
        return [plain for item in items if (plain := plain_of(item)) is not None]

    def typed(self, node: Any, **situation: Unpack[Situation]) -> list[tuple[str, Any]]:
        """The result as pairs of FHIR type name ("" unknown) and plain value."""
        try:
            key = _key_of(node, self.root_type)
            if fast := self._pairs[key]:
                return fast(node)
        except FALLBACKS:
            pass
        items = self.items(node, **situation)
        return [(fhir_name(item), plain) for item in items if (plain := plain_of(item)) is not None]

    def form(self, type_name: str) -> Form:
        """The typed form of the expression on items of a type, "*" or "?" (`form.lower`)."""
        return lower(self.tree, self._model, type_name)

    def prediction(self, type_name: str, environment: Environment | None = None) -> Look | None:
        """What tells the answer on sound items of a type by look-ups (`fhirpath.prediction`).

        None where the expression answers no boolean, or says more than look-ups tell.
        """
        shape = self._model.definitions.types.get(type_name) if self._model.definitions else None
        if shape is None or shape.kind == "primitive" or shape.abstract:
            return None
        return predict(self.form(type_name), self._model, environment or _NOTHING)

    def items(self, node: Any, **situation: Unpack[Situation]) -> list[Any]:
        """The result as items: nodes with their types, and System values."""
        focus = wrap(node, self.root_type) if node is not None else []
        context = situation.get("context")
        variables = situation.get("variables") or _NO_VARIABLES
        state = Context(
            focus if context is None else wrap(context),
            self._model,
            situation.get("environment") or _NOTHING,
            variables,
            situation.get("budget"),
        )
        if "resource" in variables:
            state.resource = wrap(variables["resource"])
        if "rootResource" in variables:
            state.root_resource = wrap(variables["rootResource"])
        state.this = focus
        try:
            return self._closure(focus, state)
        except RecursionError:
            raise BridgeError("FB-2013", limit=_MAX_DEPTH) from None
        except ArithmeticError:
            raise BridgeError("FB-2005", reason="a number is out of range") from None


def _key_of(node: Any, root_type: str) -> Any:
    """What the fast function of a node is kept by; None where there is no node."""
    if type(node) is dict:
        return root_type or node.get("resourceType")
    return None if node is None else "*"


class _Generated(dict[Any, Plain | None]):
    """The fast function of each type of node; None where the interpreter must answer.

    Written at the third call: an expression that is used once stays with the interpreter.
    """

    __slots__ = ("calls", "model", "root_type", "tree", "typed")

    def __init__(self, tree: syntax.Expr, model: Model, root_type: str, *, typed: bool) -> None:
        self.tree = tree
        self.model = model
        self.root_type = root_type
        self.typed = typed
        self.calls = 0

    def __missing__(self, key: Any) -> Plain | None:
        self.calls += 1
        if self.calls < _GENERATE_AT or type(key) is not str or len(self) > _MAX_CACHED:
            return None
        known = self.model.definitions is not None and key in self.model.type_names
        made: Plain | None = None
        if known or (key == "*" and not self.root_type):
            written = write(lower(self.tree, self.model, key), typed=self.typed)
            made = written.call if isinstance(written, Written) else None
        self[key] = made
        return made


_MAX_DEPTH = sys.getrecursionlimit()
_GENERATE_AT = 3
_MAX_CACHED = 1000


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
