"""Issues as the error that ends an interaction."""

from __future__ import annotations

from collections.abc import Sequence

from fhir_bridge.errors import BridgeError, Issue

__all__ = ["failure", "refuse_errors"]


def failure(issues: Sequence[Issue]) -> BridgeError:
    """An error that carries exactly `issues`, of which there is at least one."""
    error = BridgeError(issues[0].code, issues[0].where)
    error.issues = tuple(issues)
    return error


def refuse_errors(issues: Sequence[Issue]) -> None:
    """Raise the errors among `issues`; warnings pass."""
    errors = [issue for issue in issues if issue.severity in ("error", "fatal")]
    if errors:
        raise failure(errors)
