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
    """What a rule sees: variable -> slot, the parameters of the group, shared items."""

    slots: Slots
    names: dict[str, int] = field(default_factory=dict)
    parameters: frozenset[str] = frozenset()
    shared: dict[str, int] = field(default_factory=dict)

    def declare(self, name: str) -> int:
        """A slot for `name`, which hides an outer variable of the same name."""
        slot = self.slots.fresh()
        if name:
            self.names[name] = slot
        return slot

    def inner(self) -> Scope:
        """The scope of what is nested below."""
        return Scope(self.slots, dict(self.names), self.parameters)

    def shared_slot(self, list_rule_id: str) -> int:
        """The slot of the item that rules of this scope share by a name."""
        if list_rule_id not in self.shared:
            self.shared[list_rule_id] = self.slots.fresh()
        return self.shared[list_rule_id]
