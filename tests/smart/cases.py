"""Public checks as exchanges with a running site: one function a check, named by its id."""

from __future__ import annotations

from collections.abc import Callable

from tests.smart.site import Site

__all__ = ["CASES", "Case", "case"]

Case = Callable[[Site], None]
CASES: dict[str, Case] = {}


def case(*ids: str) -> Callable[[Case], Case]:
    """Registers a function as the case of checks."""

    def register(function: Case) -> Case:
        for each in ids:
            assert each not in CASES, each
            CASES[each] = function
        return function

    return register
