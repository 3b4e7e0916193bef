"""Names to slots: where a group keeps its variables while it runs.

A frame is a list; each variable of a group has one slot.  A nested rule sees the names of
the rules around it (https://hl7.org/fhir/R5/mapping-language.html#variables).
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Scope", "Slots"]


@dataclass(slots=True)
class Slots:
    """The slots of one group, counted while it is compiled."""

    count: int = 0

    def fresh(self) -> int:
        """One more slot."""
        self.count += 1
        return self.count - 1


@dataclass(slots=True)
class Scope:
    """What a rule sees: variable -> slot, the parameters of the group, shared items.

    Sources and targets are named apart: ``patient`` may be both the source that is read
    and the target that is written.
    """

    slots: Slots
    sources: dict[str, int] = field(default_factory=dict)
    targets: dict[str, int] = field(default_factory=dict)
    parameters: frozenset[str] = frozenset()
    shared: dict[str, int] = field(default_factory=dict)

    def declare_source(self, name: str) -> int:
        """A slot for the source variable `name`, which hides an outer one."""
        slot = self.slots.fresh()
        if name:
            self.sources[name] = slot
        return slot

    def declare_target(self, name: str) -> int:
        """A slot for the target variable `name`, which hides an outer one; -1 without name."""
        if not name:
            return -1
        slot = self.targets[name] = self.slots.fresh()
        return slot

    def source_first(self, name: str) -> int | None:
        """The slot of a variable that is read: a source, else a target."""
        slot = self.sources.get(name)
        return slot if slot is not None else self.targets.get(name)

    def target_first(self, name: str) -> int | None:
        """The slot of a variable that is written: a target, else a source."""
        slot = self.targets.get(name)
        return slot if slot is not None else self.sources.get(name)

    def inner(self) -> Scope:
        """The scope of what is nested below."""
        return Scope(self.slots, dict(self.sources), dict(self.targets), self.parameters)

    def shared_slot(self, list_rule_id: str) -> int:
        """The slot of the item that rules of this scope share by a name."""
        if list_rule_id not in self.shared:
            self.shared[list_rule_id] = self.slots.fresh()
        return self.shared[list_rule_id]
