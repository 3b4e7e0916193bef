"""The target side of a rule as generated Python: plain writes into JSON objects.

Part of `generate`.  A target is written out where its JSON key is known from the types
alone; every other one is called as its closure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhir_bridge.transform.compile_target import compile_target
from fhir_bridge.transform.compile_transform import (
    Taken,
    called_function,
    compile_argument,
    compile_transform,
)
from fhir_bridge.transform.compile_translate import OID_TO_URI, plain_value
from fhir_bridge.transform.fit import MISFIT, fit_for
from fhir_bridge.transform.functions import NamedFunction, named_functions
from fhir_bridge.transform.scope import Scope
from fhir_bridge.transform.shapes import Shape
from fhir_bridge.transform.source import Item
from fhir_bridge.transform.standard_transforms import STANDARD
from fhir_bridge.transform.structure_map import Parameter, RuleTarget, Transform
from fhir_bridge.transform.target import Place, TargetPlan, plan_for
from fhir_bridge.transform.unit import RuleView
from fhir_bridge.transform.write import Writer

if TYPE_CHECKING:
    from fhir_bridge.transform.generate import GroupWriter

__all__ = ["NotStatic", "StaticNode", "write_target"]

_TEXT = fit_for("string")
_TRANSLATED = {
    "Coding": "Coding",
    "coding": "Coding",
    "CodeableConcept": "CodeableConcept",
    "code": "code",
    "uri": "uri",
    "system": "uri",
}


class NotStatic(Exception):  # noqa: N818 - not an error: the closure takes over
    """Where the value goes is known only when it is there."""


@dataclass(slots=True, eq=False)
class StaticNode:
    """A target object in a Python variable: its type is known, `holder` is its entry.

    A primitive has a `key`: its value stands under that key of the object in `name`.
    """

    name: str
    shape: Shape
    shape_name: str
    holder: str = ""
    may_be_none: bool = False
    key: str = ""

    def as_target(self) -> str:
        """The Python expression of what closures see."""
        made = f"Target({self.shape_name}, {self.name})"
        if self.key:
            made = f"Target({self.shape_name}, None, None, {self.key!r}, -1, {self.name})"
        elif self.holder:
            made = f"held({self.shape_name}, {self.name}, {self.holder})"
        return f"({made} if {self.name} is not None else None)" if self.may_be_none else made


def write_target(writer: GroupWriter, target: RuleTarget, view: RuleView, outer: Scope) -> None:
    """Write one target of a rule."""
    mark = writer.mark()
    try:
        if not target.context:
            _without_context(writer, target, view)
        else:
            _in_context(writer, target, view)
    except NotStatic:
        writer.take_back(mark)
        writer.seen_by_closures(view.scope)
        closure = compile_target(target, view, outer)
        if target.variable:
            slot = view.scope.targets[target.variable]
            writer.nodes.pop(slot, None)
            writer.values.pop(slot, None)
        writer.line(f"{writer.bind(closure, 'target')}(run, frame)")


def _without_context(writer: GroupWriter, target: RuleTarget, view: RuleView) -> None:
    transform = target.transform
    if transform is None or transform.name == "create":
        raise NotStatic
    value = _value(writer, transform, view)
    slot = view.scope.declare_target(target.variable)
    if slot < 0:
        writer.line(value)
        return
    writer.values[slot] = (f"v{slot}", False)
    writer.line(f"v{slot} = frame[{slot}] = {value}")


def _in_context(writer: GroupWriter, target: RuleTarget, view: RuleView) -> None:
    context = view.scope.target_first(target.context)
    node = writer.nodes.get(context) if context is not None else None
    if node is None or target.list_modes:
        raise NotStatic
    if not target.element:
        if target.transform is not None:
            raise NotStatic
        slot = view.scope.declare_target(target.variable)  # another name for the same object
        if slot >= 0:
            writer.nodes[slot] = node
        return
    _element(writer, node, target, view)


def _element(writer: GroupWriter, node: StaticNode, target: RuleTarget, view: RuleView) -> None:
    """Write a target ``context.element``."""
    shape = view.unit.shapes.named("Element") if node.key else node.shape
    if node.key and target.element == "value":
        raise NotStatic
    plans = _plans(shape, target.element.split("."), view)
    transform = target.transform
    place: Place | None
    literal: Any = None
    if transform is None:
        place = plans[-1].only
    elif transform.name == "create":
        place = _created(plans[-1], transform, view)
    else:
        place, literal = _put_place(plans[-1], transform, view)
    if place is None:
        raise NotStatic
    if transform is None or transform.name == "create":
        _only_plain_objects(place)
    made: StaticNode | None
    if transform is not None and transform.name != "create" and literal is None:
        made = _put(writer, node, plans, place, target, transform, view)
    else:
        node = _arrive(writer, node, plans[:-1], view)
        if literal is None:
            made = _make(writer, node, plans[-1], place)
        else:
            _clear(writer, node, plans[-1], place)
            _constant(writer, node, place, literal)
            made = None
    slot = view.scope.declare_target(target.variable)
    if slot >= 0:
        if made is None:
            raise NotStatic
        writer.nodes[slot] = made


def _arrive(
    writer: GroupWriter, node: StaticNode, plans: list[TargetPlan], view: RuleView
) -> StaticNode:
    """Write the way from the context of a target to the object that takes the value."""
    if node.may_be_none:
        site = writer.bind(view.site, "site")
        writer.line(f"if {node.name} is None: no_target({site})")
    if node.key:
        name, beside = writer.fresh("n"), f"_{node.key}"
        shape = view.unit.shapes.named("Element")
        writer.line(f"{name} = {node.name}.setdefault({beside!r}, {{}})")
        node = StaticNode(name, shape, writer.bind(shape, "shape"))
    for plan in plans:
        if plan.only is not None:
            node = _make(writer, node, plan, plan.only)
    return node


def _plans(shape: Shape, names: list[str], view: RuleView) -> list[TargetPlan]:
    """How each element on the way is filled; all but the last are plain objects."""
    found: list[TargetPlan] = []
    for name in names:
        if shape.kind not in {"complex", "resource"} or shape.is_open:
            raise NotStatic
        plan = plan_for(shape, name, view.unit.shapes)
        if plan is None:
            raise NotStatic
        found.append(plan)
        if len(found) < len(names):
            if plan.only is None:
                raise NotStatic
            _only_plain_objects(plan.only)
            shape = plan.only.shape
    return found


def _only_plain_objects(place: Place) -> None:
    shape = place.shape
    if shape.is_primitive or shape.is_open or shape.kind == "logical" or place.says_type:
        raise NotStatic
    if shape.is_abstract:
        raise NotStatic


def _created(plan: TargetPlan, transform: Transform, view: RuleView) -> Place:
    parameters = transform.parameters
    if not parameters or parameters[0].kind != "string":
        raise NotStatic
    unit = view.unit
    shape = unit.shapes.named(unit.type_url(str(parameters[0].value)))
    place = plan.place_for_type(shape.name)
    if place is None or shape.is_primitive or shape.is_open or shape.is_abstract:
        raise NotStatic
    if shape is place.shape:
        return place
    if shape.kind == "resource" and place.shape.is_resource and place.shape.is_abstract:
        return Place(place.key, shape, is_list=place.is_list)
    raise NotStatic


def _make(writer: GroupWriter, node: StaticNode, plan: TargetPlan, place: Place) -> StaticNode:
    """A new object in a list, else the object that is there or a new one."""
    _clear(writer, node, plan, place)
    name, shape, key = writer.fresh("n"), place.shape, place.key
    fresh = f"{{'resourceType': {shape.name!r}}}" if shape.is_resource else "{}"
    if place.is_list:
        writer.line(f"{name} = {fresh}")
        _append(writer, node, key, name)
    else:
        other = f" or {name}.get('resourceType') != {shape.name!r}" if shape.is_resource else ""
        writer.line(f"{name} = {node.name}.get({key!r})")
        writer.line(f"if type({name}) is not dict{other}: {name} = {node.name}[{key!r}] = {fresh}")
    made = StaticNode(name, shape, writer.bind(shape, "shape"))
    if shape.is_resource and key == "resource":
        made.holder = node.name
    return made


def _append(writer: GroupWriter, node: StaticNode, key: str, value: str) -> None:
    items = writer.fresh("l")
    writer.line(f"{items} = {node.name}.get({key!r})")
    writer.line(f"if {items} is None: {node.name}[{key!r}] = [{value}]")
    writer.line(f"else: {items}.append({value})")


def _clear(writer: GroupWriter, node: StaticNode, plan: TargetPlan, place: Place) -> None:
    """A choice has one value: what stands under another of its keys goes."""
    if not plan.is_choice:
        return
    others = [key for key in plan.keys if key != place.key]
    names = writer.bind(frozenset([*others, *(f"_{key}" for key in others)]), "others")
    writer.line(f"if not {node.name}.keys().isdisjoint({names}):")
    writer.line(f"    for other in {names}: {node.name}.pop(other, None)")


def _put_place(plan: TargetPlan, transform: Transform, view: RuleView) -> tuple[Place | None, Any]:
    """The place of a value, and the value itself when it is a literal that fits."""
    unit = view.unit
    parameters = transform.parameters
    if transform.name == "copy" and len(parameters) == 1:
        kind = parameters[0].kind
        if kind not in {"name", "expression"}:
            literal = compile_argument(parameters[0], view)(None, [])  # type: ignore[arg-type]
            place = plan.place_for(literal)
            if place is None or not place.shape.is_primitive or literal.value == "":
                raise NotStatic
            fitted = place.fit(literal.value)
            if fitted is MISFIT or type(fitted) not in {str, bool, int}:
                raise NotStatic
            return place, Item(fitted)
    if plan.only is not None:
        return plan.only, None
    result = _result_type(transform)
    shape = unit.shapes.find(result) if result else None
    if shape is None:
        raise NotStatic
    return plan.place_for_type(shape.name), None


def _result_type(transform: Transform) -> str:
    """The type that a transform always gives; empty when only the value tells."""
    name, parameters = transform.name, transform.parameters
    if name == "translate":
        if parameters[1].value == OID_TO_URI:
            return "uri"
        if len(parameters) < 3:
            return "code"
        if parameters[2].kind != "string":
            return ""
        return _TRANSLATED.get(str(parameters[2].value), "string")
    if name in STANDARD:
        return STANDARD[name][1]
    function = named_functions().get(name)
    return function.result if function is not None else ""


def _constant(writer: GroupWriter, node: StaticNode, place: Place, item: Item) -> None:
    if place.is_list:
        _append(writer, node, place.key, repr(item.value))
    else:
        writer.line(f"{node.name}[{place.key!r}] = {item.value!r}")


def _put(  # noqa: PLR0917 - what is known of the write
    writer: GroupWriter,
    node: StaticNode,
    plans: list[TargetPlan],
    place: Place,
    target: RuleTarget,
    transform: Transform,
    view: RuleView,
) -> StaticNode | None:
    """Write a value that is known when the rule runs; the object made, if it has a name."""
    shape = place.shape
    if shape.is_abstract or shape.is_resource or shape.is_open or shape.kind == "logical":
        raise NotStatic
    if target.variable and shape.is_primitive and (place.is_list or len(plans) > 1 or node.key):
        raise NotStatic
    made = writer.fresh("n") if target.variable else ""
    value = _value(writer, transform, view)
    if made:
        writer.line(f"{made} = None")
    writer.line(f"v = {value}")
    with writer.block("if v is not None:"):
        node = _arrive(writer, node, plans[:-1], view)
        _put_value(writer, node, plans[-1], place, view, made)
    if not made:
        return None
    key = place.key if shape.is_primitive else ""
    return StaticNode(made, shape, writer.bind(shape, "shape"), may_be_none=True, key=key)


def _put_value(  # noqa: PLR0917 - as above
    writer: GroupWriter,
    node: StaticNode,
    plan: TargetPlan,
    place: Place,
    view: RuleView,
    made: str,
) -> None:
    if place.shape.is_primitive:
        test = _primitive_test(writer, place)
        written = "t if type(t) is str else plain(t)" if place.fit is _TEXT else "t"
    else:
        test = "type(v) is Item and type(t := v.value) is dict"
        written = "copied(t)"
    with writer.block(f"if {test}:"):
        _clear(writer, node, plan, place)
        if made:
            writer.line(f"{made} = {node.name if place.shape.is_primitive else written}")
            written = written if place.shape.is_primitive else made
        if place.is_list:
            _append(writer, node, place.key, written)
        else:
            writer.line(f"{node.name}[{place.key!r}] = {written}")
    general = writer.bind(Writer(plan.element, view.unit.shapes, view.site), "writer")
    here, _ = writer.values[view.here]
    slow = f"put_any(run, {general}, {node.as_target()}, v, {here})"
    with writer.block("else:"):
        if made:
            writer.line(f"t = {slow}")
            part = "holder" if place.shape.is_primitive else "node"
            writer.line(f"{made} = t.{part} if t is not None else None")
        else:
            writer.line(slow)


def _primitive_test(writer: GroupWriter, place: Place) -> str:
    """Whether `v` is one plain scalar that fits; it is `t` then."""
    test = "type(v) is Item and v.companion is None and "
    if place.fit is _TEXT:
        return f"{test}isinstance(t := v.value, str) and t"
    fit = writer.bind(place.fit, "fit")
    return (
        f"{test}((isinstance(t := v.value, str) and t) or type(t) in NUMBERS)"
        f" and (t := {fit}(t)) is not MISFIT"
    )


def _value(writer: GroupWriter, transform: Transform, view: RuleView) -> str:
    """The value as a Python expression: an item, a target, a list or None."""
    parameters = transform.parameters
    if transform.name == "copy" and len(parameters) == 1:
        return writer.value(parameters[0], view)
    function = called_function(transform)
    if function is not None:
        return _called(writer, function, parameters, view)
    for parameter in parameters:
        if parameter.kind in {"name", "expression"}:
            writer.seen_by_closures(view.scope, str(parameter.value))
    return f"{writer.bind(compile_transform(transform, view), 'compute')}(run, frame)"


def _called(
    writer: GroupWriter,
    function: NamedFunction,
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
