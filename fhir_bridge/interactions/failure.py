"""Issues as the error that ends an interaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from fhir_bridge.errors import BridgeError, Issue

__all__ = ["Validation", "failure", "refuse_errors"]

Validation = Literal["full", "shape"]
"""What a write refuses: every error, or only what FHIR JSON cannot mean."""

_SHAPE = frozenset(
    ("FB-3001", "FB-3002", "FB-3004", "FB-3005", "FB-3006", "FB-3011", "FB-3022", "FB-3023")
)
"""Unknown type or property, wrong JSON shape, too many values: nothing could be read back."""


def failure(issues: Sequence[Issue]) -> BridgeError:
    """An error that carries exactly `issues`, of which there is at least one."""
    error = BridgeError(issues[0].code, issues[0].where)
    error.issues = tuple(issues)
    return error


def refuse_errors(issues: Sequence[Issue], validation: Validation) -> None:
    """Raise the errors among `issues` that `validation` refuses; the others pass."""
    if not issues:
        return
    errors = [
        issue
        for issue in issues
        if issue.severity in ("error", "fatal") and (validation == "full" or issue.code in _SHAPE)
    ]
    if errors:
        raise failure(errors)
