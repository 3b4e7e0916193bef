"""The UCUM units as data (https://ucum.org/ucum, tables 1 to 24).

``units.csv`` is made by ``definitions/generate_ucum.py``.  It includes a portion of the UCUM
table, which is copyright 1999-2024 Regenstrief Institute, Inc., used under its licence
(https://ucum.org/license).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files

__all__ = ["Atom", "atoms", "prefixes"]


@dataclass(frozen=True, slots=True)
class Atom:
    """One unit atom: `value` times `unit`; a special unit has a `function` of that."""

    code: str
    name: str
    base: bool
    metric: bool
    arbitrary: bool
    function: str
    value: Fraction
    unit: str


@cache
def _rows() -> tuple[dict[str, str], ...]:
    text = files(__package__).joinpath("units.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def prefixes() -> Mapping[str, tuple[str, Fraction]]:
    """Name and factor by prefix code."""
    return {
        row["code"]: (row["name"], Fraction(row["value"]))
        for row in _rows()
        if row["kind"] == "prefix"
    }


@cache
def atoms() -> Mapping[str, Atom]:
    """Unit atoms by case-sensitive code."""
    return {
        row["code"]: Atom(
            row["code"],
            row["name"],
            row["kind"] == "base",
            bool(row["metric"]),
            bool(row["arbitrary"]),
            row["function"],
            Fraction(row["value"] or 1),
            row["unit"],
        )
        for row in _rows()
        if row["kind"] != "prefix"
    }
