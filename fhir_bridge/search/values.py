"""The right side of a search: what a value means for a parameter of each type.

https://hl7.org/fhir/R4/search.html#ptypes.  Each function answers a condition or raises
BridgeError FB-4103 naming what was expected.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import SearchParameter
from fhir_bridge.search import composite, date, position, quantity, reference, text, token, uri
from fhir_bridge.search.conditions import (
    AllOf,
    AnyOf,
    Between,
    Condition,
    Converted,
    Posted,
    Present,
    Term,
    Text,
    any_of,
    nothing,
)
from fhir_bridge.search.criteria import split_escaped, unescape
from fhir_bridge.search.folding import fold, words

if TYPE_CHECKING:
    from fhir_bridge.search.registry import Registry

__all__ = ["PREFIXES", "condition", "narrative", "overlapping", "split_prefix", "updated"]

PREFIXES = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"})


def condition(
    registry: Registry, resource_type: str, parameter: SearchParameter, modifier: str, value: str
) -> Condition:
    """What one value (still escaped) asks; `modifier` is allowed for the type already."""
    if parameter.type == "composite":
        return _composite(registry, resource_type, parameter, value)
    found = [
        _condition(registry, parameter, symbol, modifier, value)
        for symbol in registry.indexes(resource_type, parameter.code)
    ]
    return any_of(each for each in found if each != nothing())


def _condition(
    registry: Registry, parameter: SearchParameter, symbol: str, modifier: str, value: str
) -> Condition:
    """The same asked of one index."""
    match parameter.type:
        case "token":
            return _token(registry, parameter, symbol, modifier, value)
        case "string":
            return _string(symbol, modifier, unescape(value))
        case "date":
            prefix, low, high = _interval(registry, parameter, value)
            return date.compare(symbol, prefix, low, high)
        case "reference":
            return _reference(registry, parameter, symbol, modifier, unescape(value))
        case "quantity":
            return _quantity(parameter, symbol, value)
        case "number":
            prefix, number, half = _number(parameter, value)
            return quantity.compare(symbol, prefix, number, half)
        case "uri":
            return _uri(symbol, modifier, unescape(value))
        case "special" if parameter.code == "near":
            return _near(parameter, symbol, value)
    raise BridgeError("FB-4106", parameter.code, parameter=parameter.code)


def split_prefix(value: str) -> tuple[str, str]:
    """The comparison prefix (default eq) and the rest."""
    return (value[:2], value[2:]) if value[:2] in PREFIXES else ("eq", value)


def narrative(symbol: str, value: str) -> Condition:
    """All words of `value` stand in the narrative."""
    return AllOf(tuple(Posted(symbol, (text.word(word),)) for word in words(value)))


def updated(registry: Registry, parameter: SearchParameter, value: str) -> Condition:
    """A bound on the time of the last change."""
    return date.updated(*_interval(registry, parameter, value))


def overlapping(
    registry: Registry, parameter: SearchParameter, symbol: str, value: str
) -> Condition:
    """A date that shares a moment with the date, or the period ``start/end``, in `value`."""
    start, _, end = unescape(value).partition("/")
    first = date.interval(start, registry.zone)
    last = date.interval(end, registry.zone) if end else first
    if first is None or last is None:
        raise _expected(parameter.code, "a date, or two joined by /")
    return Between(symbol, low_max=last[1], high_min=first[0])


def _token(
    registry: Registry, parameter: SearchParameter, symbol: str, modifier: str, value: str
) -> Condition:
    resource_type = symbol.partition(".")[0]
    parts = [unescape(part) for part in split_escaped(value, "|")]
    match modifier:
        case "text":
            return Term(symbol, fold(unescape(value)), "contains")
        case "of-type":
            if len(parts) != 3 or not all(parts[1:]):
                raise _expected(parameter.code, "system|code|value")
            return Posted(symbol, (token.of_type(*parts),))
        case "in":
            return _in_value_set(registry, parameter.code, symbol, unescape(value))
        case "above" | "below":
            return _in_hierarchy(registry, parameter, symbol, modifier, parts)
    if len(parts) > 2:
        raise _expected(parameter.code, "code, system|code, |code or system|")
    if len(parts) == 2 and registry.is_code(resource_type, parameter.code):
        # The system of a code is implied by the element, so that it is not compared.
        return (
            Posted(symbol, (token.any_system(parts[1]),)) if parts[1] else Present(symbol, "token")
        )
    kinds = registry.kinds(resource_type, parameter.code)
    if len(parts) == 1:
        return Posted(symbol, token.code_alone(parts[0], kinds))
    posted = Posted(symbol, ("|".join(parts),))
    if parts[1] or kinds <= token.WITH_SYSTEM:
        return posted
    return AnyOf((posted, Term(symbol, posted.values[0], "starts", coded=True)))


def _in_value_set(registry: Registry, code: str, symbol: str, url: str) -> Condition:
    codes = registry.value_set_codes(url) if registry.value_set_codes else None
    if codes is None:
        raise BridgeError("FB-4108", code, parameter=code)
    texts = {f"{system}|{each}" for system, each in codes}
    kinds = registry.kinds(symbol.partition(".")[0], code)
    texts |= {
        text_ for system, each in codes if not system for text_ in token.code_alone(each, kinds)
    }
    return Posted(symbol, tuple(sorted(texts)))


def _in_hierarchy(
    registry: Registry, parameter: SearchParameter, symbol: str, modifier: str, parts: list[str]
) -> Condition:
    """The codes below or above one, itself included; the system may be left out."""
    system, code = parts if len(parts) == 2 else ("", parts[0])
    if len(parts) > 2 or not code:
        raise _expected(parameter.code, "code or system|code")
    known = registry.hierarchies
    search = known.below if modifier == "below" else known.above
    plain = registry.is_code(symbol.partition(".")[0], parameter.code)
    codes = search(system or None, code)
    if codes is None:
        raise BridgeError(
            "FB-4107", parameter.code, parameter=parameter.code, systems=", ".join(known.systems)
        )
    texts = {token.any_system(each) if plain else f"{url}|{each}" for url, each in codes}
    return Posted(symbol, tuple(sorted(texts)))


def _near(parameter: SearchParameter, symbol: str, value: str) -> Condition:
    found = position.near(symbol, [unescape(part) for part in split_escaped(value, "|")])
    if found is None:
        raise _expected(parameter.code, position.EXPECTED)
    return found


def _string(symbol: str, modifier: str, value: str) -> Condition:
    if modifier == "exact":
        return Posted(symbol, (text.exact(value),))
    folded = text.bounded(fold(value))
    if modifier == "contains":
        return Text(symbol, folded, "contains")
    starts = Text(symbol, folded, "starts")
    if " " in folded:
        return AnyOf((starts, Text(symbol, folded.replace(" ", ""), "starts")))
    return starts


def _interval(registry: Registry, parameter: SearchParameter, value: str) -> tuple[str, int, int]:
    prefix, written = split_prefix(unescape(value))
    found = date.interval(written, registry.zone)
    if found is None:
        raise _expected(
            parameter.code, "a date such as 2026, 2026-01, 2026-01-31 or 2026-01-31T08:30:00Z"
        )
    return prefix, *found


def _number(parameter: SearchParameter, value: str) -> tuple[str, Decimal, Decimal]:
    prefix, written = split_prefix(unescape(value))
    found = quantity.precision(written)
    if found is None:
        raise _expected(parameter.code, "a number such as 5, 5.40 or 5.4e-3")
    return prefix, *found


def _quantity(parameter: SearchParameter, symbol: str, value: str, context: str = "") -> Condition:
    """``[prefix]number``, ``number|system``, ``number|system|code`` or ``number||code``."""
    parts = split_escaped(value, "|")
    if len(parts) > 3:
        raise _expected(parameter.code, "number|system|code")
    prefix, number, half = _number(parameter, parts[0])
    system = unescape(parts[1]) if len(parts) > 1 else ""
    code = unescape(parts[2]) if len(parts) > 2 else ""
    if system == quantity.UCUM and quantity.is_unit(code):
        return Converted(symbol, prefix, number, half, code, context)
    return quantity.compare(
        symbol, prefix, number, half, system=system or None, code=code or None, context=context
    )


def _reference(
    registry: Registry, parameter: SearchParameter, symbol: str, modifier: str, value: str
) -> Condition:
    if modifier == "identifier":
        return Posted(symbol, (reference.by_identifier(token.parse(value)),))
    name, is_local = reference.local(value, registry.own_bases)
    if is_local or "/" in name or ":" in name:
        if modifier and not name.startswith(f"{modifier}/"):
            raise _expected(parameter.code, f"a reference to {modifier}")
        return _held(registry, symbol, (name,))
    if modifier:
        return _held(registry, symbol, (f"{modifier}/{name}",))
    known = parameter.targets or tuple(sorted(registry.definitions.resource_types))
    return _held(registry, symbol, (*(f"{target}/{name}" for target in known), name))


def _held(registry: Registry, symbol: str, names: tuple[str, ...]) -> Condition:
    """One of the references that can stand in the index."""
    held = tuple(each for each in names if registry.holds(symbol, reference.target_type(each)))
    return Posted(symbol, held) if held else nothing()


def _uri(symbol: str, modifier: str, value: str) -> Condition:
    if modifier == "below":
        return Term(symbol, value, "below")
    return Posted(symbol, uri.above(value) if modifier == "above" else (value,))


def _composite(
    registry: Registry, resource_type: str, parameter: SearchParameter, value: str
) -> Condition:
    """``value1$value2``, by the way the composite is indexed."""
    found = registry.composite(resource_type, parameter.code)
    parameters = registry.parameters(resource_type)
    parts = split_escaped(value, "$")
    if found is None or len(parts) != len(found.kinds):
        raise _expected(parameter.code, f"{len(parameter.components)} values joined by $")
    if found.how == "either":
        return AnyOf(
            tuple(
                condition(registry, resource_type, parameters[code], "", value)
                for code in found.codes
            )
        )
    if found.how == "whole":
        return AllOf(
            tuple(
                condition(registry, resource_type, parameters[code], "", part)
                for code, part in zip(found.codes, parts, strict=True)
            )
        )
    return _in_context(registry, resource_type, parameter, found, parts)


def _in_context(
    registry: Registry,
    resource_type: str,
    parameter: SearchParameter,
    found: composite.Composite,
    parts: list[str],
) -> Condition:
    """Values of one element: exact ones name the context, the others are compared in it."""
    symbol = registry.symbol(resource_type, parameter.code)
    by_url = {each.url: each for each in registry.parameters(resource_type).values()}
    components = [
        by_url.get(url) or SearchParameter(url, parameter.code, kind, "", (), (), resource_type)
        for (url, _), kind in zip(parameter.components, found.kinds, strict=True)
    ]
    exact: list[tuple[str, ...]] = []
    others: list[tuple[SearchParameter, str]] = []
    for component, part in zip(components, parts, strict=True):
        if component.type in ("token", "reference", "uri"):
            asked = _condition(registry, component, symbol, "", part)
            if not isinstance(asked, Posted):
                raise _expected(parameter.code, "a code, not only a system")
            exact.append(token.unlisted(asked.values))
        else:
            others.append((component, part))
    contexts = [composite.joined(texts) for texts in _product(exact)]
    if not others:
        return Posted(symbol, tuple(contexts))
    asked_of_each = [
        AnyOf(
            tuple(
                _compared(registry, component, symbol, part, _context(context, place))
                for context in contexts
            )
        )
        for place, (component, part) in enumerate(others)
    ]
    return asked_of_each[0] if len(asked_of_each) == 1 else AllOf(tuple(asked_of_each))


def _context(context: str, place: int) -> str:
    return composite.joined((context, str(place))) if place else context


def _compared(
    registry: Registry, component: SearchParameter, symbol: str, part: str, context: str
) -> Condition:
    match component.type:
        case "quantity":
            return _quantity(component, symbol, part, context)
        case "number":
            return quantity.compare(symbol, *_number(component, part), context=context)
        case "date":
            return date.compare(symbol, *_interval(registry, component, part), context)
        case _:
            return Text(symbol, text.bounded(fold(unescape(part))), "starts", context)


def _product(choices: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [()]
    for choice in choices:
        found = [(*each, text_) for each in found for text_ in choice]
    return found


def _expected(code: str, expected: str) -> BridgeError:
    return BridgeError("FB-4103", code, parameter=code, expected=expected)
