"""Words of other servers and interfaces, and what R4 has in their place (``dialects.csv``).

A client that was written for one server brings its words along; a list of a hundred parameter
names does not tell which of them it meant.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from fhir_bridge.errors import BridgeError

__all__ = ["require_no_dialect", "words"]


@cache
def words() -> Mapping[str, tuple[str, str]]:
    """Product and the standard's word by word, in small letters."""
    text = files(__package__).joinpath("dialects.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["word"].lower(): (row["product"], row["instead"]) for row in rows}


def require_no_dialect(parameter: str) -> None:
    """Raises BridgeError FB-4117 for a word of a known dialect that is no parameter here."""
    dialect = words().get(parameter.lower())
    if dialect is not None:
        product, instead = dialect
        raise BridgeError(
            "FB-4117", parameter, parameter=parameter, product=product, instead=instead
        )
