"""Which operations there are: every module of this package that defines ``OPERATIONS`` takes part.

https://hl7.org/fhir/R4/operations.html#implemented
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from fhir_bridge.operations.operation import Operation

__all__ = ["operations"]


@cache
def operations() -> Mapping[str, Operation]:
    """All operations by name."""
    by_name: dict[str, Operation] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        loaded = import_module(f"{__package__}.{module.name}")
        for operation in getattr(loaded, "OPERATIONS", ()):
            by_name[operation.name] = operation
    return dict(sorted(by_name.items()))
