"""Reads the tables of facts that lie beside this package (``*.csv``), once each."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from random import Random
from typing import TypeVar

__all__ = ["pick", "rows", "stream"]

Item = TypeVar("Item")


@cache
def rows(table: str) -> tuple[Mapping[str, str], ...]:
    """The rows of ``<table>.csv`` in file order."""
    text = files(__package__).joinpath(f"{table}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def stream(seed: int, topic: str, number: int = 0) -> Random:
    """An own sequence of random numbers for one topic of one person: order never matters."""
    return Random(f"{seed}:{topic}:{number}")


def pick(random: Random, items: Sequence[Item], cumulative: Sequence[float]) -> Item:
    """One of `items` by its cumulative weight."""
    return random.choices(items, cum_weights=cumulative)[0]
