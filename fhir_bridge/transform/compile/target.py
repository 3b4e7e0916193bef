"""The target side of a rule to functions that write.

https://hl7.org/fhir/R5/mapping-language.html#targets
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_bridge.fml import RuleTarget, Transform
from fhir_bridge.shapes import Shape
from fhir_bridge.transform.compile.scope import Scope
from fhir_bridge.transform.compile.transform import compile_argument, compile_transform
from fhir_bridge.transform.compile.unit import RuleView
from fhir_bridge.transform.runtime.run import RuleLocation, Run
from fhir_bridge.transform.runtime.source import Item
from fhir_bridge.transform.runtime.target import Target
from fhir_bridge.transform.runtime.write import Writer, copied

__all__ = ["compile_target"]

Frame = list[Any]
Write = Callable[[Run, Frame], None]


def compile_target(target: RuleTarget, view: RuleView, shared: Scope) -> Write:
    """The function that writes the target and puts what it made into its variable's slot.

    `shared` is the scope around the rule, where shared items live.
    """
    scope, unit, location = view.scope, view.unit, view.location
    if not target.context:
        return _without_context(target, view)
    context = scope.target_first(target.context)
    if context is None:
        raise location.failure("FB-2108", name=target.context)
    *path, name = target.element.split(".") if target.element else [""]
    steps = [Writer(part, unit.shapes, location) for part in path]
    find = _finder(context, steps, location)
    if not name:
        return _whole(target, context, view)
    writer = Writer(name, unit.shapes, location, target.list_modes)
    transform = target.transform
    if transform is None:
        make = _making(find, writer)
        if "share" in target.list_modes:
            make = _sharing(make, shared.shared_slot(target.list_rule_id))
        return _bound(make, scope.declare_target(target.variable))
    if transform.name == "create":
        made = _creating(transform, find, writer, view)
        return _bound(made, scope.declare_target(target.variable))
    value_of = compile_transform(transform, view)
    return _putting(find, writer, value_of, scope.declare_target(target.variable), view.here)


def _finder(
    context: int, steps: list[Writer], location: RuleLocation
) -> Callable[[Run, Frame], Target]:
    def find(run: Run, frame: Frame) -> Target:
        target = frame[context]
        if type(target) is not Target:
            raise location.failure("FB-2115", name="->", reason="the target was not made")
        for step in steps:
            target = step.make(run, target)
        return target

    return find


def _making(
    find: Callable[[Run, Frame], Target], writer: Writer
) -> Callable[[Run, Frame], Target | None]:
    return lambda run, frame: writer.make(run, find(run, frame))


def _sharing(
    make: Callable[[Run, Frame], Target | None], slot: int
) -> Callable[[Run, Frame], Target | None]:
    def share(run: Run, frame: Frame) -> Target | None:
        found = frame[slot]
        if found is None:
            found = frame[slot] = make(run, frame)
        return found  # type: ignore[no-any-return]

    return share


def _bound(make: Callable[[Run, Frame], Target | None], slot: int) -> Write:
    if slot < 0:

        def write_only(run: Run, frame: Frame) -> None:
            make(run, frame)

        return write_only

    def write(run: Run, frame: Frame) -> None:
        frame[slot] = make(run, frame)

    return write


def _creating(
    transform: Transform,
    find: Callable[[Run, Frame], Target],
    writer: Writer,
    view: RuleView,
) -> Callable[[Run, Frame], Target | None]:
    """``create('Type')``; without a parameter, the type that the source item dispatches to."""
    parameters, unit, here = transform.parameters, view.unit, view.here
    if not parameters:
        return lambda run, frame: dispatch_target(run, find(run, frame), writer, frame[here])
    if parameters[0].kind == "string":
        shape = unit.shapes.resolve(unit.type_url(str(parameters[0].value)))
        return lambda run, frame: writer.create(run, find(run, frame), shape)
    name_of = compile_argument(parameters[0], view)

    def create(run: Run, frame: Frame) -> Target | None:
        named = name_of(run, frame)
        text = str(named.value if isinstance(named, Item | Target) else named)
        return writer.create(run, find(run, frame), unit.shapes.resolve(unit.type_url(text)))

    return create


def dispatch_target(run: Run, target: Target, writer: Writer, item: Item) -> Target | None:
    """A target made for a source item: of the one type it can have, or of the item's own."""
    if target.node is None:
        return writer.make(run, target)
    plan = writer.plan(target.shape)
    if plan.only is not None and not plan.only.shape.is_abstract:
        return writer.make(run, target)
    shape = item.shape
    wanted: Shape | None = None
    if shape is not None and plan.place_for_type(shape.name) is not None:
        wanted = shape
    else:
        place = plan.place_for(item)
        wanted = place.shape if place is not None else None
    return writer.create(run, target, wanted) if wanted is not None else None


def _putting(
    find: Callable[[Run, Frame], Target],
    writer: Writer,
    value_of: Callable[[Run, Frame], Any],
    slot: int,
    here: int,
) -> Write:
    def write(run: Run, frame: Frame) -> None:
        value = value_of(run, frame)
        made: Any = None
        if value is not None:
            target = find(run, frame)
            origin = frame[here]
            if type(value) is Item:
                made = writer.put(run, target, value, origin)
            elif type(value) is Target:
                made = writer.put(run, target, Item(value.value, value.shape), origin)
            else:
                for one in value:
                    made = writer.put(run, target, one, origin)
        if slot >= 0:
            frame[slot] = made

    return write


def _whole(target: RuleTarget, context: int, view: RuleView) -> Write:
    """``tgt as x`` (another name) or ``tgt = value`` (the target itself takes the value)."""
    scope, location, here = view.scope, view.location, view.here
    if target.transform is None:
        slot = scope.declare_target(target.variable)

        def alias(_run: Run, frame: Frame) -> None:
            frame[slot] = frame[context]

        return alias
    value_of = compile_transform(target.transform, view)
    writer = Writer("value", view.unit.shapes, location)
    slot = scope.declare_target(target.variable)

    def assign(run: Run, frame: Frame) -> None:
        found, whole = value_of(run, frame), frame[context]
        values = found if isinstance(found, list) else [found]
        for value in values:
            if value is None:
                continue
            item = value if isinstance(value, Item) else Item(value.value, value.shape)
            if whole.node is None:
                writer.put(run, whole, item, frame[here])
            elif type(item.value) is dict:
                run.copies(item.value)
                whole.node.update(copied(item.value))
            else:
                run.report("FB-2112", location, frame[here], element="", type=whole.shape.name)
        if slot >= 0:
            frame[slot] = whole

    return assign


def _without_context(target: RuleTarget, view: RuleView) -> Write:
    """``(FHIRPath) as x``: a variable; ``create('Type') as x``: an object not yet placed."""
    transform, scope, unit = target.transform, view.scope, view.unit
    if transform is None:
        raise view.location.failure("FB-2107", name="->", expected="a transform", found="none")
    if transform.name == "create" and transform.parameters:
        shape = unit.shapes.resolve(unit.type_url(str(transform.parameters[0].value)))
        slot = scope.declare_target(target.variable)

        def create(_run: Run, frame: Frame) -> None:
            node = {"resourceType": shape.name} if shape.is_resource else {}
            frame[slot] = Target(shape, node)

        return create
    value_of = compile_transform(transform, view)
    slot = scope.declare_target(target.variable)

    def bind(run: Run, frame: Frame) -> None:
        frame[slot] = value_of(run, frame)

    return bind
