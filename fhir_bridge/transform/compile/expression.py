"""FHIRPath inside maps: conditions, checks, logs, defaults and evaluate.

https://hl7.org/fhir/R5/mapping-language.html#fhirpath

Variables of the map are FHIRPath variables (``%item``).  Older maps name them without the
sign (``item.answer.valueString``), so a name that stands alone at the start of a path and
is a variable in scope is read as that variable; see docs/clarifications/mapping-language.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.budget import BudgetExceeded
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath.form import OPEN, Form
from fhir_bridge.fml import Text, Token, unquote
from fhir_bridge.transform.compile.scope import Scope
from fhir_bridge.transform.compile.unit import CompilationUnit
from fhir_bridge.transform.runtime.run import RuleLocation, Run
from fhir_bridge.transform.runtime.source import Item, carry
from fhir_bridge.transform.runtime.target import Target

__all__ = ["CompiledExpression", "as_variable"]

Frame = list[Any]
_NAME = re.compile(r"\w+")
_VALUE_OF = "select(iif(hasValue(), $this, value))"
"""Maps say ``linkId.value`` as they say ``quantity.value``; FHIRPath has no such child."""


class CompiledExpression:
    """An expression with the variables that it uses, compiled for each root type once."""

    def __init__(
        self, text: str, scope: Scope, unit: CompilationUnit, location: RuleLocation
    ) -> None:
        self.text = text
        self.location = location
        self._shapes = unit.shapes
        self._is_typed = unit.sources_are_r4
        self._source, used = _with_variables(text, scope)
        found = {name: scope.source_first(name) for name in used}
        self._slots = [(name, slot) for name, slot in found.items() if slot is not None]
        self._others = [name for name, slot in found.items() if slot is None]
        self._names = frozenset(_NAME.findall(self._source))
        self._by_type: dict[str, Any] = {}
        try:
            self._compiled("")
        except BridgeError as error:
            issue = error.issues[0]
            where = f"{location.place}, {issue.where} of the expression"
            details = dict(issue.details)
            raise BridgeError(issue.code, where, issues=(), **details) from None

    @property
    def source(self) -> str:
        """The FHIRPath that is evaluated: bare variables marked, ``.value`` made plain."""
        return self._source

    @property
    def form(self) -> Form:
        """The same as typed steps, on an item of which nothing is known."""
        form: Form = self._compiled("").form(OPEN)
        return form

    @property
    def variable_slots(self) -> dict[str, int]:
        """The variables of the map that the expression reads."""
        return dict(self._slots)

    @property
    def other_names(self) -> list[str]:
        """The variables that are none of the map: constants, and what the run is given."""
        return self._others

    def _compiled(self, root_type: str) -> Any:
        found = self._by_type.get(root_type)
        if found is None:
            found = fhirpath.compile(
                self._source,
                definitions=self._shapes.definitions,
                root_type=root_type or None,
            )
            self._by_type[root_type] = found
        return found

    def items(self, run: Run, frame: Frame, item: Item | None) -> list[Item]:
        """What the expression gives on `item`, with types where FHIRPath knows them.

        What it asked of the source counts as put into the target.
        """
        shapes = self._shapes
        found = [
            Item(value, shapes.find(_fhir_name(type_name)) if type_name else None)
            for type_name, value in self._run("typed", run, frame, item)
        ]
        self._carry(frame, item)
        return found

    def given(self, answer: Any, frame: Frame, item: Item | None) -> list[Item]:
        """As `items` what a written expression answered: None, a bare value, or a list of them."""
        shapes = self._shapes
        found = [
            Item(value, shapes.find(_fhir_name(type_name)) if type_name else None)
            for value in (answer if type(answer) is list else (answer,))
            if value is not None
            for type_name in (_type_of_bare(value),)
        ]
        self._carry(frame, item)
        return found

    def _carry(self, frame: Frame, item: Item | None) -> None:
        if item is not None:
            carry(item.value, self._names)
        for _, slot in self._slots:
            value = frame[slot]
            if type(value) is Item:
                carry(value.value, self._names)

    def values(self, run: Run, frame: Frame, item: Item | None) -> list[Any]:
        """What the expression gives on `item`, as plain values."""
        found: list[Any] = self._run("__call__", run, frame, item)
        return found

    def is_true(self, run: Run, frame: Frame, item: Item | None) -> bool:
        """Whether the expression holds: true, or something that is not a boolean.

        One that cannot be evaluated does not hold, and is reported (FB-2115).
        """
        try:
            found = self.values(run, frame, item)
        except BudgetExceeded:
            raise
        except BridgeError as error:
            run.issues += error.issues[:1]
            return False
        return bool(found) and not (len(found) == 1 and found[0] is False)

    def _run(self, method: str, run: Run, frame: Frame, item: Item | None) -> list[Any]:
        node = None if item is None else item.value
        root_type = _root_type(item) if item is not None and self._is_typed else ""
        variables: dict[str, Any] = {name: as_variable(frame[slot]) for name, slot in self._slots}
        for name in self._others:
            if name in run.constants:
                variables[name] = run.constants[name](run)
            elif name in run.variables:
                variables[name] = run.variables[name]
        compiled = self._compiled(root_type)
        call: Callable[..., list[Any]] = getattr(compiled, method)
        try:
            return call(node, variables=variables, environment=run.environment, budget=run.budget)
        except BudgetExceeded as error:
            raise self.location.exceeded(error, item) from None
        except BridgeError as error:
            raise self.location.failure(
                "FB-2115", item, name=f"({self.text})", reason=str(error.issues[0].sentence)
            ) from error


def as_variable(value: Any) -> Any:
    """What FHIRPath sees of a variable of the map: the node or scalar itself."""
    if type(value) is Item:
        shape = value.shape
        if shape is not None and shape.is_primitive:
            return fhirpath.Node(value.value, shape.name, value.companion)
        return value.value
    if type(value) is list:
        return [as_variable(one) for one in value]
    return value.value if type(value) is Target else value


def _root_type(item: Item) -> str:
    shape = item.shape
    return shape.name if shape is not None and not shape.is_open else ""


_BARE_TYPES = {str: "string", bool: "boolean", int: "integer", Decimal: "decimal"}


def _type_of_bare(value: Any) -> str:
    """The type of a node or scalar, as FHIRPath names it; empty when nothing says it."""
    known = _BARE_TYPES.get(type(value))
    if known is not None:
        return known
    if type(value) is dict:
        return str(value.get("resourceType") or "")
    own = getattr(value, "type_name", None)
    return str(own) if own else "string" if isinstance(value, str) else ""


def _fhir_name(type_name: str) -> str:
    """A System type as the FHIR primitive that holds it."""
    short = type_name.rsplit(".", 1)[-1]
    if type_name.startswith("System.") or short in ("Boolean", "Integer", "String", "Decimal"):
        return {"DateTime": "dateTime"}.get(short, short[0].lower() + short[1:])
    return short if type_name.startswith("FHIR.") else type_name


def _with_variables(text: str, scope: Scope) -> tuple[str, list[str]]:
    """`text` with bare variables marked, and the names of all variables that it uses."""
    pieces: list[str] = []
    used: dict[str, None] = {}
    tokens = _tokens(text)
    end = 0
    depth: list[bool] = []
    for index, token in enumerate(tokens[:-1]):
        pieces.append(text[end : token.start])
        end = token.end
        if token.text == "(":
            depth.append(index > 0 and tokens[index - 1].kind == "name")
        elif token.text == ")" and depth:
            depth.pop()
        if token.kind == "external" and token.text[0] == "%":
            name = token.text[1:]
            used[name if name[0] not in "`'" else unquote(name)] = None
        elif _is_bare_variable(tokens, index, scope, nested=any(depth)):
            used[unquote(token.text) if token.kind == "delimited" else token.text] = None
            pieces.append("%")
        if _is_primitive_value(tokens, index):
            pieces.append(_VALUE_OF)
        else:
            pieces.append(token.text)
    return "".join(pieces) + text[end:], list(used)


@lru_cache(4096)
def _tokens(text: str) -> tuple[Token, ...]:
    """The tokens of an expression, which stands in many groups and is compiled for each."""
    return tuple(Text(text).tokens)


def _is_primitive_value(tokens: Sequence[Token], index: int) -> bool:
    """Whether this is ``.value`` of something, which may be a primitive's own value."""
    token = tokens[index]
    return (
        token.text == "value"
        and index > 1
        and tokens[index - 1].text == "."
        and tokens[index + 1].text != "("
    )


def _is_bare_variable(tokens: Sequence[Token], index: int, scope: Scope, *, nested: bool) -> bool:
    token = tokens[index]
    if token.kind != "name" or scope.source_first(token.text) is None:
        return False
    before = tokens[index - 1].text if index else ""
    after = tokens[index + 1].text
    if before == "." or after == "(" or before in ("is", "as"):
        return False
    return not nested or after == "." or token.text in scope.parameters
