"""Transforms of a target to functions of (run, frame) that give a value.

https://hl7.org/fhir/R5/mapping-language.html#transforms

A value is an `Item`, a `Target` (a target variable that is copied), a list of items, or
None for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fhir_bridge import clock
from fhir_bridge.budget import BudgetExceeded
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fml import Parameter, Transform
from fhir_bridge.map_functions import MapFunction, functions_by_name
from fhir_bridge.transform.compile.expression import CompiledExpression
from fhir_bridge.transform.compile.standard_transforms import STANDARD, cast
from fhir_bridge.transform.compile.translate import as_item, compile_translate, plain_value
from fhir_bridge.transform.compile.unit import CompilationUnit, RuleView
from fhir_bridge.transform.runtime.children import fetcher
from fhir_bridge.transform.runtime.coerce import MISFIT
from fhir_bridge.transform.runtime.run import RuleLocation, Run
from fhir_bridge.transform.runtime.source import Item, scalar
from fhir_bridge.transform.runtime.target import Target

__all__ = [
    "EXPECTED",
    "Compute",
    "Taken",
    "called_function",
    "compile_argument",
    "compile_transform",
    "evaluated",
    "only",
]

Compute = Callable[[Run, list[Any]], Any]
_SHORT = 64
"""Characters of a text that are counted with the item it comes from."""
_OWN = ("create", "copy", "evaluate", "translate", "reference", "pointer", "cast")


def compile_transform(transform: Transform, view: RuleView) -> Compute:
    """The function that computes the transform.  Raises BridgeError FB-2106 to FB-2108."""
    name, parameters, location = transform.name, transform.parameters, view.location
    if name == "evaluate":
        return _evaluate(parameters, view)
    arguments = [compile_argument(parameter, view) for parameter in parameters]
    if name == "copy":
        _count(name, arguments, location, 1, 1)
        return arguments[0]
    if name == "cast":
        _count(name, arguments, location, 1, 2)
        return _cast(arguments, view)
    if name == "translate":
        _count(name, arguments, location, 2, 3)
        return compile_translate(arguments, view)
    if name in ("reference", "pointer"):
        _count(name, arguments, location, 1, 1)
        return _reference(arguments[0], view, is_pointer=name == "pointer")
    if name in STANDARD:
        call, result, least, most = STANDARD[name]
        _count(name, arguments, location, least, most)
        return _computed(MapFunction(name, call, result, ""), arguments, view)
    function = functions_by_name().get(name)
    if function is None:
        raise location.failure("FB-2106", name=name)
    return _computed(function, arguments, view)


def compile_argument(parameter: Parameter, view: RuleView, *, is_target: bool = False) -> Compute:
    """A parameter as a function: the variable's value, the literal, or the expression's.

    `is_target`: where the name is both, the target is meant.
    """
    scope, unit, location = view.scope, view.unit, view.location
    if parameter.kind == "expression":
        expression = CompiledExpression(str(parameter.value), scope, unit, location)
        return lambda run, frame: only(expression.items(run, frame, None))
    if parameter.kind != "name":
        types = {"date": "date", "string": "", "boolean": "boolean", "integer": "integer"}
        shape = unit.shapes.find(types.get(parameter.kind, parameter.kind) or "?")
        literal = Item(parameter.value, shape)
        return lambda _run, _frame: literal
    name, *path = str(parameter.value).split(".")
    slot = scope.target_first(name) if is_target else scope.source_first(name)
    if slot is None:
        return _external(name, unit, location)
    if not path:
        return lambda _run, frame: frame[slot]
    steps = [fetcher(part, unit.shapes) for part in path]
    first = steps[0]

    def follow_one(_run: Run, frame: list[Any]) -> Any:
        item = frame[slot]
        if item is None:
            return None
        return only(first(item if type(item) is Item else as_item(item)))

    def follow(_run: Run, frame: list[Any]) -> Any:
        items = [] if frame[slot] is None else [as_item(frame[slot])]
        for step in steps:
            items = [child for item in items for child in step(item)]
        return only(items)

    return follow_one if len(steps) == 1 else follow


def _external(name: str, unit: CompilationUnit, location: RuleLocation) -> Compute:
    """A constant of the map, or a variable given to the run."""

    def look(run: Run, _frame: list[Any]) -> Any:
        if name in run.constants:
            return Item(run.constants[name](run))
        if name in run.variables:
            value = run.variables[name]
            return value if isinstance(value, Item) else Item(value)
        raise location.failure("FB-2108", name=name)

    unit.external_names.add(name)
    return look


def _evaluate(parameters: Sequence[Parameter], view: RuleView) -> Compute:
    here = view.here
    expression = CompiledExpression(str(parameters[-1].value), view.scope, view.unit, view.location)
    context = (
        compile_argument(parameters[0], view)
        if len(parameters) > 1
        else (lambda _run, frame: frame[here])
    )

    return lambda run, frame: evaluated(expression.items, run, frame, context(run, frame))


def evaluated(items: Callable[..., list[Item]], run: Run, frame: list[Any], origin: Any) -> Any:
    """What an expression gives on a variable; one that cannot be evaluated is an issue."""
    try:
        return only(items(run, frame, as_item(origin)))
    except BudgetExceeded:
        raise
    except BridgeError as error:
        run.issues += error.issues[:1]
        return None


def _cast(arguments: list[Compute], view: RuleView) -> Compute:
    unit, location = view.unit, view.location
    value_of = arguments[0]

    def run_cast(run: Run, frame: list[Any]) -> Any:
        item = as_item(value_of(run, frame))
        if item is None:
            return None
        name = str(plain_value(arguments[1](run, frame))) if len(arguments) > 1 else "string"
        value = scalar(item.value)
        if value is None and type(item.value) is dict and name == "string":
            value = item.value.get("xmlText")
        found = cast(value, name)
        if found is MISFIT:
            raise location.failure("FB-2111", item, type=name)
        if found is None:
            return None
        return Item(found, unit.shapes.find(name), None, item.parent, item.name, item.index)

    return run_cast


def _reference(argument: Compute, view: RuleView, *, is_pointer: bool) -> Compute:
    unit, location = view.unit, view.location

    def refer(run: Run, frame: list[Any]) -> Any:
        value = argument(run, frame)
        node = value.value if isinstance(value, Item | Target) else None
        if type(node) is not dict or "resourceType" not in node:
            name = "pointer" if is_pointer else "reference"
            raise location.failure("FB-2115", name=name, reason="the parameter is not a resource")
        entry = value.holder_entry if isinstance(value, Target) else _entry_of(value)
        return Item(_reference_to(node, entry, is_pointer=is_pointer), unit.shapes.find("string"))

    return refer


def _reference_to(node: dict[str, Any], entry: Any, *, is_pointer: bool) -> str:
    """The fullUrl of the entry that holds the resource, else Type/id; made when absent."""
    if entry is not None:
        full_url = entry.get("fullUrl")
        if not full_url and (is_pointer or "id" not in node):
            full_url = entry["fullUrl"] = f"urn:uuid:{clock.fresh_id()}"
        if full_url:
            return str(full_url)
    identity = node.get("id")
    if identity is None:
        identity = node["id"] = clock.fresh_id()
    return f"{node['resourceType']}/{identity}"


def _entry_of(item: Any) -> Any:
    """The Bundle entry around a source resource, if any."""
    parent = item.parent if isinstance(item, Item) and item.name == "resource" else None
    return parent.value if parent is not None and type(parent.value) is dict else None


def _computed(function: MapFunction, arguments: list[Compute], view: RuleView) -> Compute:
    call, here = function.call, view.here
    taken = Taken(function, view)
    joins = function.name == "append"  # what others make is a few times their parameter

    def compute(run: Run, frame: list[Any]) -> Any:
        values = [plain_value(argument(run, frame)) for argument in arguments]
        origin = frame[here] if here >= 0 else None
        if joins:
            run.budget.text(sum([len(value) for value in values if type(value) is str]))
        try:
            found = call(*values)
        except EXPECTED as error:
            return taken.failed(run, origin, error)
        if type(found) is str and len(found) > _SHORT:
            run.budget.text(len(found))
        return taken.value(run, origin, found)

    return compute


EXPECTED = (BridgeError, TypeError, ValueError, ArithmeticError)
"""What a function of a map may raise."""


class Taken:
    """What becomes of the answer of a function: a value with its type, or an issue."""

    __slots__ = ("location", "name", "result", "shape")

    def __init__(self, function: MapFunction, view: RuleView) -> None:
        self.name = function.name
        self.result = function.result
        self.shape = view.unit.shapes.find(function.result) if function.result else None
        self.location = view.location

    def value(self, run: Run, origin: Any, found: Any) -> Any:
        """The answer as an item or a list of items; None when there is none."""
        if found is None:
            return None
        if found is MISFIT:
            kind = self.result or "its parameters"
            run.report("FB-2112", self.location, as_item(origin), element=self.name, type=kind)
            return None
        if isinstance(found, Issue):
            where = found.where or self.location.where(as_item(origin))
            run.issues.append(Issue(found.code, found.severity, where, found.details))
            return None
        if isinstance(found, list):
            return [Item(value, self.shape) for value in found]
        return Item(found, self.shape)

    def failed(self, run: Run, origin: Any, error: Exception) -> None:
        """A function that raised: its own issues are noted, anything else ends the run."""
        if isinstance(error, BudgetExceeded):
            raise error
        if isinstance(error, BridgeError):
            run.issues.extend(error.issues)
            return
        reason = f"{type(error).__name__}: {error}" if isinstance(error, TypeError) else "value"
        item = as_item(origin)
        raise self.location.failure("FB-2115", item, name=self.name, reason=reason) from None


def called_function(transform: Transform) -> MapFunction | None:
    """The plain function that a transform calls; None where it needs the run."""
    name = transform.name
    if name in _OWN:
        return None
    if name in STANDARD:
        call, result, least, most = STANDARD[name]
        if not least <= len(transform.parameters) <= most:
            return None
        return MapFunction(name, call, result, "")
    return functions_by_name().get(name)


def only(items: list[Item]) -> Any:
    """None, the one item, or the list."""
    if not items:
        return None
    return items[0] if len(items) == 1 else items


def _count(
    name: str, arguments: Sequence[object], location: RuleLocation, least: int, most: int
) -> None:
    if not least <= len(arguments) <= most:
        expected = f"{least}" if least == most else f"{least} to {most}"
        raise location.failure("FB-2107", name=name, expected=expected, found=len(arguments))
