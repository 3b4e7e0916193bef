"""What one run of a map holds: variables, findings, lineage, and what is still open.

A run belongs to one thread; compiled maps are shared by all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhir_bridge.budget import BudgetExceeded, is_installed, new_budget
from fhir_bridge.errors import BridgeError, Issue, Severity
from fhir_bridge.transform.runtime.source import Item
from fhir_bridge.transform.runtime.target import Target

if TYPE_CHECKING:
    from fhir_bridge.fhirpath import Environment

__all__ = ["LineageStep", "RuleLocation", "Run"]

_ISSUE = 1_000
"""Bytes of a finding, about."""
_MAX_NOTED = 100_000
MAX_CALLS = 90
"""Groups calling groups; below Python's own limit with the rules between them."""


@dataclass(frozen=True, slots=True)
class LineageStep:
    """One element written: where in the target, from where in the source, by which rule."""

    target_path: str
    source_where: str
    map_url: str
    rule: str
    line: int


@dataclass(frozen=True, slots=True)
class RuleLocation:
    """The place of a rule: map URL, rule name and line, as issues and lineage tell it."""

    map_url: str
    rule: str
    line: int

    @property
    def label(self) -> str:
        """For people: ``"name" (line 12 of http://…)``."""
        where = f"line {self.line} of {self.map_url}" if self.map_url else f"line {self.line}"
        return f'"{self.rule}" ({where})' if self.rule else where

    @property
    def place(self) -> str:
        """Where in the maps, for a finding that has no place in the source."""
        line = f", line {self.line}" if self.line else ""
        named = f', rule "{self.rule}"' if self.rule else ""
        return f"map {self.map_url}{line}{named}"

    def failure(self, code: str, item: Item | None = None, **details: object) -> BridgeError:
        """The error that this rule cannot go on at `item`, or cannot be compiled."""
        told = {name: str(value) for name, value in details.items()} | {"rule": self.label}
        return BridgeError(code, self.where(item), issues=(), **told)

    def exceeded(self, error: BudgetExceeded, item: Item | None = None) -> BudgetExceeded:
        """The end of the budget, with the place where it ended."""
        lead = error.issues[0]
        where = ", ".join(filter(None, (item.where if item else "", self.place, lead.where)))
        return BudgetExceeded(lead.code, where, **dict[str, Any](lead.details))

    def where(self, item: Item | None) -> str:
        """The place in the sender's terms, else the place of the rule."""
        return (item.where if item else "") or self.place


class Run:
    """The state of one transformation.

    `codings`: what was made with both a code and a system, and the companions of primitives.
    """

    __slots__ = (
        "budget",
        "codings",
        "constants",
        "copied",
        "depth",
        "environment",
        "issues",
        "lineage",
        "trailing",
        "variables",
    )

    def __init__(
        self,
        variables: Mapping[str, Any] | None = None,
        *,
        lineage: bool = False,
        environment: Environment | None = None,
    ) -> None:
        self.variables: dict[str, Any] = dict(variables or {})
        self.issues: list[Issue] = []
        self.codings: list[dict[str, Any]] = []
        self.lineage: list[LineageStep] | None = [] if lineage else None
        self.environment = environment
        self.trailing: dict[tuple[int, str], int] = {}
        self.constants: dict[str, Any] = {}
        self.copied: set[int] | None = None if is_installed() else set()
        self.depth = 0
        self.budget = new_budget()

    def copies(self, value: Any) -> None:
        """Count a part that is copied again; for the first time no more comes of it than it is."""
        copied = self.copied
        if copied is None:
            return
        if id(value) in copied or len(copied) >= _MAX_NOTED:
            self.budget.tree(value)
        else:
            copied.add(id(value))

    def report(
        self,
        code: str,
        location: RuleLocation,
        item: Item | None = None,
        severity: Severity = "error",
        /,
        **details: object,
    ) -> None:
        """Note a finding at a source item."""
        told = {name: str(value) for name, value in details.items()}
        self.budget.grow(_ISSUE)
        told |= {"rule": location.label, "map": location.map_url, "line": str(location.line)}
        self.issues.append(Issue(code, severity, location.where(item), told))

    def wrote(
        self, target: Target, key: str, index: int, item: Item | None, location: RuleLocation
    ) -> None:
        """Note where a value came from; called only when lineage is asked for."""
        if self.lineage is not None:
            place = f"[{index}]" if index >= 0 else ""
            self.lineage.append(
                LineageStep(
                    f"{target.path}.{key}{place}" if key else target.path,
                    item.where if item else "",
                    location.map_url,
                    location.rule,
                    location.line,
                )
            )
