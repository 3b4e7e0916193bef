"""The value of a transform as a Python expression of a generated function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_bridge.transform.compile.expression import CompiledExpression
from fhir_bridge.transform.compile.transform import Taken, called_function, compile_transform
from fhir_bridge.transform.compile.translate import plain_value, translator
from fhir_bridge.transform.generate.expressions.condition import write_value

if TYPE_CHECKING:
    from fhir_bridge.fml import Parameter, Transform
    from fhir_bridge.map_functions import MapFunction
    from fhir_bridge.transform.compile.unit import RuleView
    from fhir_bridge.transform.generate.writer import GroupWriter

__all__ = ["value_of"]


def value_of(writer: GroupWriter, transform: Transform, view: RuleView) -> str:
    """The value as a Python expression: an item, a target, a list or None."""
    parameters = transform.parameters
    if transform.name == "copy" and len(parameters) == 1:
        return writer.value(parameters[0], view)
    if transform.name == "evaluate" and len(parameters) == 1:
        text = str(parameters[0].value)
        writer.seen_by_closures(view.scope, text)
        expression = CompiledExpression(text, view.scope, view.unit, view.location)
        here, _ = writer.values[view.here]
        return f"evaluated({write_value(writer, expression)}, run, frame, {here})"
    if transform.name == "translate" and len(parameters) > 1 and _are_literals(parameters[1:]):
        names = [str(plain_value(one.value)) for one in parameters[1:]]
        given = ", ".join(map(repr, [*names, "code"][:2]))
        translate = writer.bind(translator(view), "translate")
        return f"{translate}(run, frame, {writer.value(parameters[0], view)}, {given})"
    function = called_function(transform)
    if function is not None:
        return _called(writer, function, parameters, view)
    for parameter in parameters:
        if parameter.kind in {"name", "expression"}:
            writer.seen_by_closures(view.scope, str(parameter.value))
    return f"{writer.bind(compile_transform(transform, view), 'compute')}(run, frame)"


def _are_literals(parameters: tuple[Parameter, ...]) -> bool:
    return len(parameters) < 3 and not any(
        parameter.kind in {"name", "expression"} for parameter in parameters
    )


def _called(
    writer: GroupWriter,
    function: MapFunction,
    parameters: tuple[Parameter, ...],
    view: RuleView,
) -> str:
    """The call of a plain function, as statements that leave its value in ``r``."""
    arguments: list[str] = []
    for parameter in parameters:
        if parameter.kind not in {"name", "expression"}:
            arguments.append(repr(plain_value(parameter.value)))
        else:
            arguments.append(f"plain_value({writer.value(parameter, view)})")
    here, _ = writer.values[view.here]
    taken = writer.bind(Taken(function, view), "taken")
    call = writer.bind(function.call, "call")
    shape = writer.bind(writer.space[taken].shape, "shape")
    writer.line(f"try: r = {call}({', '.join(arguments)})")
    writer.line(f"except EXPECTED as error: r = {taken}.failed(run, {here}, error)")
    return f"Item(r, {shape}) if type(r) is str else {taken}.value(run, {here}, r)"
