"""Values between units: canonical form, conversion, product, quotient.

https://ucum.org/ucum#section-Semantics.  A unit is a rational factor and exponents of the
base units m, s, g, rad, K, C, cd; an arbitrary unit such as ``[iU]`` is a dimension of its
own.  Special units (``Cel``, ``[pH]``, ``B``) are functions of such a unit and take part in
conversion only.  Analysis is cached by unit text; factors are exact fractions and results
are decimals of up to 34 significant digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException, localcontext
from fractions import Fraction
from functools import cached_property, lru_cache

from fhir_bridge.errors import BridgeError
from fhir_bridge.ucum.grammar import Component, parse
from fhir_bridge.ucum.table import atoms, prefixes

__all__ = [
    "canonical",
    "canonical_unit",
    "comparable",
    "convert",
    "divide",
    "is_special",
    "is_valid",
    "multiply",
]

Quantity = tuple[Decimal, str]
_BASE = ("g", "m", "s", "K", "rad", "C", "cd")
_CONTEXT = Context(prec=34)
_WIDE = Context(prec=80)
_ONE = Decimal(1)


@dataclass(frozen=True)
class _Unit:
    """A unit in base units: `factor` × product of base units; `special` names a function."""

    factor: Fraction
    dimensions: tuple[tuple[str, int], ...]
    special: str = ""
    scale: Fraction = Fraction(1)

    @cached_property
    def decimal(self) -> Decimal:
        return _decimal(self.factor)

    @cached_property
    def text(self) -> str:
        """The canonical unit: base units in a fixed order, ``1`` without dimension."""
        parts = [f"{code}{'' if power == 1 else power}" for code, power in self.dimensions]
        return ".".join(parts) or "1"


def is_valid(unit: str) -> bool:
    """Whether `unit` is a UCUM unit (case sensitive).

    >>> is_valid("mg/dL"), is_valid("mg/12h")
    (True, False)
    """
    return _analyse(unit) is not None


def is_special(unit: str) -> bool:
    """Whether the unit has no ratio scale (``Cel``, ``B``), so that it cannot be multiplied."""
    found = _analyse(unit)
    return found is not None and bool(found.special)


def comparable(left: str, right: str) -> bool:
    """Whether values of the two units can be compared.

    >>> comparable("cm", "[in_i]"), comparable("cm", "s")
    (True, False)
    """
    one, other = _analyse(left), _analyse(right)
    return one is not None and other is not None and one.dimensions == other.dimensions


def canonical(value: Decimal, unit: str) -> Quantity | None:
    """`value` in base units, and the canonical unit; None when the unit is not UCUM.

    >>> canonical(Decimal("1.5"), "kg")
    (Decimal('1500'), 'g')
    """
    found = _analyse(unit)
    if found is None:
        return None
    if found.special:
        base = _to_base(value, found)
        return None if base is None else (_plain(base), found.text)
    return _plain(_scaled(value, found.factor)), found.text


def canonical_unit(unit: str) -> str | None:
    """The canonical unit alone."""
    found = _analyse(unit)
    return found.text if found else None


def convert(value: Decimal, source: str, target: str) -> Decimal | None:
    """`value` of `source` as a number of `target`; None when the units do not fit.

    >>> convert(Decimal("1"), "[in_i]", "cm")
    Decimal('2.54')
    """
    if source == target:
        return value if _analyse(source) else None
    one, other = _analyse(source), _analyse(target)
    if one is None or other is None or one.dimensions != other.dimensions:
        return None
    if one.special or other.special:
        base = _to_base(value, one)
        result = None if base is None else _from_base(base, other)
        return None if result is None else _plain(result)
    return _plain(_scaled(value, _ratio(source, target)))


def multiply(left: Quantity, right: Quantity) -> Quantity | None:
    """The product in canonical units; None for units that are not UCUM or have no ratio scale."""
    return _combined(left, right, 1)


def divide(left: Quantity, right: Quantity) -> Quantity | None:
    """The quotient in canonical units; None for a zero divisor or as :func:`multiply`."""
    return _combined(left, right, -1) if right[0] else None


def _combined(left: Quantity, right: Quantity, sign: int) -> Quantity | None:
    one, other = _analyse(left[1]), _analyse(right[1])
    if one is None or other is None or one.special or other.special:
        return None
    powers = dict(one.dimensions)
    for code, power in other.dimensions:
        powers[code] = powers.get(code, 0) + sign * power
    product = _Unit(Fraction(1), _ordered(powers))
    with localcontext(_CONTEXT):
        value = left[0] * right[0] if sign > 0 else left[0] / right[0]
        return _plain(value * _decimal(one.factor * other.factor**sign)), product.text


@lru_cache(4096)
def _ratio(source: str, target: str) -> Fraction:
    one, other = _analyse(source), _analyse(target)
    return one.factor / other.factor if one and other else Fraction(0)


def _scaled(value: Decimal, factor: Fraction) -> Decimal:
    """The product, rounded once at the end: 9.80665 m/s2 are exactly 1 [g]."""
    if factor.denominator == 1:
        return _CONTEXT.multiply(value, Decimal(factor.numerator))
    product = _WIDE.multiply(value, Decimal(factor.numerator))
    return _CONTEXT.divide(product, Decimal(factor.denominator))


@lru_cache(4096)
def _analyse(unit: str) -> _Unit | None:
    try:
        return _product(parse(unit))
    except BridgeError:
        return None


def _product(components: tuple[Component, ...]) -> _Unit:
    if len(components) == 1 and components[0].exponent == 1 and components[0].atom:
        return _component(components[0])
    factor, powers = Fraction(1), dict[str, int]()
    for component in components:
        unit = _component(component)
        if unit.special:
            raise BridgeError("FB-2020", unit="", reason="a special unit stands alone")
        factor *= unit.factor**component.exponent
        for code, power in unit.dimensions:
            powers[code] = powers.get(code, 0) + power * component.exponent
    return _Unit(factor, _ordered(powers))


def _component(component: Component) -> _Unit:
    """The component without its exponent."""
    if component.group is not None:
        return _product(component.group)
    if component.atom is None:
        if not component.factor:
            raise BridgeError("FB-2020", unit="0", reason="zero is no unit")
        return _Unit(Fraction(component.factor), ())
    scale = prefixes()[component.prefix][1] if component.prefix else Fraction(1)
    unit = _atom(component.atom.code)
    if unit.special:
        return _Unit(unit.factor, unit.dimensions, unit.special, scale)
    return _Unit(unit.factor * scale, unit.dimensions)


@lru_cache(1024)
def _atom(code: str) -> _Unit:
    atom = atoms()[code]
    if atom.base:
        return _Unit(Fraction(1), ((code, 1),))
    inner = _product(parse(atom.unit))
    if atom.arbitrary and not inner.dimensions and not atom.function and atom.value == 1:
        if atom.unit == "1":
            return _Unit(Fraction(1), ((code, 1),))
        return inner
    return _Unit(atom.value * inner.factor, inner.dimensions, atom.function)


def _ordered(powers: dict[str, int]) -> tuple[tuple[str, int], ...]:
    rank = {code: index for index, code in enumerate(_BASE)}
    used = [(code, power) for code, power in powers.items() if power]
    return tuple(sorted(used, key=lambda item: (rank.get(item[0], 99), item[0])))


def _decimal(factor: Fraction) -> Decimal:
    return _CONTEXT.divide(Decimal(factor.numerator), Decimal(factor.denominator))


def _plain(value: Decimal) -> Decimal:
    """Without a run of zeros behind the point and without an exponent where it is short."""
    value = _CONTEXT.normalize(value)
    if 1 <= value.adjusted() <= 40 and value == value.to_integral_value():
        return value.quantize(_ONE, context=_WIDE)
    return value


Function = tuple[Callable[[float], float], Callable[[float], float]]
_LINEAR = {"Cel": Fraction("273.15"), "degF": Fraction("459.67"), "degRe": Fraction("218.52")}
_FUNCTIONS: dict[str, Function] = {
    "tanTimes100": (lambda x: math.tan(x) * 100, lambda y: math.atan(y / 100)),
    "100tan": (lambda x: math.tan(x) * 100, lambda y: math.atan(y / 100)),
    "hpX": (lambda x: -math.log10(x), lambda y: 10**-y),
    "hpC": (lambda x: -math.log(x) / math.log(100), lambda y: 100**-y),
    "hpM": (lambda x: -math.log(x) / math.log(1000), lambda y: 1000**-y),
    "hpQ": (lambda x: -math.log(x) / math.log(50000), lambda y: 50000**-y),
    "pH": (lambda x: -math.log10(x), lambda y: 10**-y),
    "ln": (math.log, math.exp),
    "lg": (math.log10, lambda y: 10**y),
    "lgTimes2": (lambda x: 2 * math.log10(x), lambda y: 10 ** (y / 2)),
    "ld": (math.log2, lambda y: 2**y),
    "sqrt": (math.sqrt, lambda y: y * y),
}


def _to_base(value: Decimal, unit: _Unit) -> Decimal | None:
    """A value of a unit in base units; None outside the function's range."""
    with localcontext(_CONTEXT):
        scaled = value * _decimal(unit.scale)
        if not unit.special:
            return value * unit.decimal
        if unit.special in _LINEAR:
            return (scaled + _decimal(_LINEAR[unit.special])) * unit.decimal
        return _real(_FUNCTIONS[unit.special][1], scaled, unit.decimal, inverse=True)


def _from_base(base: Decimal, unit: _Unit) -> Decimal | None:
    with localcontext(_CONTEXT):
        if not unit.special:
            return base / unit.decimal
        if unit.special in _LINEAR:
            value = base / unit.decimal - _decimal(_LINEAR[unit.special])
        else:
            found = _real(_FUNCTIONS[unit.special][0], base, unit.decimal, inverse=False)
            if found is None:
                return None
            value = found
        return value / _decimal(unit.scale)


def _real(
    function: Callable[[float], float], value: Decimal, factor: Decimal, *, inverse: bool
) -> Decimal | None:
    try:
        if inverse:
            return Decimal(repr(function(float(value)))) * factor
        return Decimal(repr(function(float(value / factor))))
    except (ArithmeticError, ValueError, DecimalException):
        return None
