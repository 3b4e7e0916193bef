"""Names of units for people: ``4 * (newton) / (ampère ^ 2)``."""

from __future__ import annotations

from fhir_bridge.ucum.grammar import Component, parse
from fhir_bridge.ucum.table import prefixes

__all__ = ["display"]


def display(unit: str) -> str:
    """`unit` in words; the empty unit is ``(unity)``.  BridgeError FB-2020 when it is none.

    >>> display("mg/dL")
    '(milligram) / (deciliter)'
    """
    if not unit:
        return "(unity)"
    return _term(parse(unit))


def _term(components: tuple[Component, ...]) -> str:
    text = ""
    for index, component in enumerate(components):
        if index:
            text += " / " if component.divided else " * "
        elif component.divided:
            text += "/ "
        text += _component_name(component)
    return text


def _component_name(component: Component) -> str:
    exponent = -component.exponent if component.divided else component.exponent
    power = "" if exponent == 1 else f" ^ {exponent}"
    if component.group is not None:
        return f"({_term(component.group)}){power}"
    if component.atom is None:
        return component.annotation or str(component.factor)
    prefix = prefixes()[component.prefix][0] if component.prefix else ""
    return f"({prefix}{component.atom.name.lower()}{power})"
