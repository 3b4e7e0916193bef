"""A value that is known when the rule runs, put into its place by generated Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_bridge.transform.generate.node import NotStatic, StaticNode
from fhir_bridge.transform.generate.object import write_clearing, write_value, write_way
from fhir_bridge.transform.generate.value import value_of
from fhir_bridge.transform.runtime.coerce import coercion_to
from fhir_bridge.transform.runtime.write import Writer

if TYPE_CHECKING:
    from fhir_bridge.fml import RuleTarget, Transform
    from fhir_bridge.transform.compile.unit import RuleView
    from fhir_bridge.transform.generate.writer import GroupWriter
    from fhir_bridge.transform.runtime.target import Place, TargetPlan

__all__ = ["write_put"]

_TEXT = coercion_to("string")


def write_put(  # noqa: PLR0917 - what is known of the write
    writer: GroupWriter,
    node: StaticNode,
    plans: list[TargetPlan],
    place: Place,
    target: RuleTarget,
    transform: Transform,
    view: RuleView,
) -> StaticNode | None:
    """Write the value of a transform; the object made, if it has a name."""
    shape = place.shape
    if shape.is_abstract or shape.is_resource or shape.is_open or shape.kind == "logical":
        raise NotStatic
    if target.variable and shape.is_primitive and (place.is_list or len(plans) > 1 or node.key):
        raise NotStatic
    made = writer.fresh("n") if target.variable else ""
    value = value_of(writer, transform, view)
    if made:
        writer.line(f"{made} = None")
    writer.line(f"v = {value}")
    with writer.block("if v is not None:"):
        node = write_way(writer, node, plans[:-1], view)
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
    is_primitive = place.shape.is_primitive
    if is_primitive:
        test = _primitive_test(writer, place)
        written = "t if type(t) is str else plain(t)" if place.coerce is _TEXT else "t"
    else:
        test = "type(v) is Item and type(t := v.value) is dict"
        written = "copied(t)"
    with writer.block(f"if {test}:"):
        write_clearing(writer, node, plan, place)
        if made:
            writer.line(f"{made} = {node.name if is_primitive else written}")
            written = written if is_primitive else made
        write_value(writer, node, place, written)
    with writer.block("else:"):
        general = writer.bind(Writer(plan.element, view.unit.shapes, view.location), "writer")
        here, _ = writer.values[view.here]
        slow = f"put_any(run, {general}, {node.as_target()}, v, {here})"
        if made:
            writer.line(f"t = {slow}")
            part = "holder" if is_primitive else "node"
            writer.line(f"{made} = t.{part} if t is not None else None")
        else:
            writer.line(slow)


def _primitive_test(writer: GroupWriter, place: Place) -> str:
    """Whether `v` is one plain scalar that fits; it is `t` then."""
    test = "type(v) is Item and v.companion is None and "
    if place.coerce is _TEXT:
        return f"{test}isinstance(t := v.value, str) and t"
    coerce = writer.bind(place.coerce, "coerce")
    return (
        f"{test}((isinstance(t := v.value, str) and t) or type(t) in NUMBERS)"
        f" and (t := {coerce}(t)) is not MISFIT"
    )
