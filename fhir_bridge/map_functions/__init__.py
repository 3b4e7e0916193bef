"""Functions for maps: one file each, found by name, used in maps like any transform.

A file ``name.py`` holds a function ``name``.  It takes the plain values of its parameters
(a source node stays a node) and gives a scalar, an object, a list of them, None for
"nothing", or an `Issue`, which is reported at the source position.  A constant ``RESULT``
may name the FHIR type of the result, which picks the key of a choice element.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

__all__ = ["MapFunction", "functions_by_name"]


@dataclass(frozen=True, slots=True)
class MapFunction:
    """A function with the FHIR type of what it gives (empty: told by the value)."""

    name: str
    call: Callable[..., Any]
    result: str
    summary: str


@cache
def functions_by_name() -> Mapping[str, MapFunction]:
    """All functions of this folder by name."""
    found: dict[str, MapFunction] = {}
    for module_info in pkgutil.iter_modules(__path__):
        if module_info.ispkg:  # what several of them read with
            continue
        module = import_module(f"{__name__}.{module_info.name}")
        call = getattr(module, module_info.name)
        summary = (call.__doc__ or "").strip().split("\n")[0]
        found[module_info.name] = MapFunction(
            module_info.name, call, getattr(module, "RESULT", ""), summary
        )
    return found
