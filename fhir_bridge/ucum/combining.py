"""The unit of a product or quotient in the words of its operands: ``cm`` × ``cm`` is ``cm2``.

https://ucum.org/ucum#section-Semantics.  `conversion` multiplies in base units, which is
exact but turns milligrams into grams.  People expect the units they wrote; those can be kept
as long as no two of them measure the same thing (``cm`` × ``m`` has no such form).
"""

from __future__ import annotations

from functools import lru_cache

from fhir_bridge.errors import BridgeError
from fhir_bridge.ucum.conversion import canonical_unit
from fhir_bridge.ucum.grammar import Component, parse

__all__ = ["combined_unit"]

Powers = dict[str, int]


@lru_cache(1024)
def combined_unit(left: str, right: str, sign: int) -> str | None:
    """The unit of a product (`sign` 1) or quotient (-1); None when only base units will do.

    >>> combined_unit("m/s", "s", 1), combined_unit("cm", "m", 1)
    ('m', None)
    """
    one, other = _powers(left), _powers(right)
    if one is None or other is None or _overlap(one, other):
        return None
    for symbol, power in other.items():
        one[symbol] = one.get(symbol, 0) + sign * power
    return _written(one)


def _powers(unit: str) -> Powers | None:
    """The simple units of a term with their exponents; None for numbers and annotations."""
    try:
        return _collected(parse(unit), 1, {})
    except BridgeError:
        return None


def _collected(components: tuple[Component, ...], scale: int, into: Powers) -> Powers | None:
    for component in components:
        power = component.exponent * scale
        if component.annotation or component.factor not in (None, 1):
            return None
        if component.group is not None:
            if _collected(component.group, power, into) is None:
                return None
        elif component.atom is not None:
            symbol = component.prefix + component.atom.code
            into[symbol] = into.get(symbol, 0) + power
    return into


def _overlap(one: Powers, other: Powers) -> bool:
    """Whether two different units of the sides have a dimension in common."""
    mine = {name for symbol in one if symbol not in other for name in _dimensions(symbol)}
    theirs = {name for symbol in other if symbol not in one for name in _dimensions(symbol)}
    return bool(mine & theirs)


def _dimensions(symbol: str) -> frozenset[str]:
    """The base units behind a simple unit."""
    components = parse(canonical_unit(symbol) or "1")
    return frozenset(part.atom.code for part in components if part.atom is not None)


def _written(powers: Powers) -> str:
    above = [_factor(symbol, power) for symbol, power in powers.items() if power > 0]
    below = [_factor(symbol, -power) for symbol, power in powers.items() if power < 0]
    if not above and not below:
        return "1"
    return ".".join(above) + "".join(f"/{part}" for part in below)


def _factor(symbol: str, power: int) -> str:
    return symbol if power == 1 else f"{symbol}{power}"
