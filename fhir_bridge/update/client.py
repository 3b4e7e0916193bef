"""What a client of the REST interface said, told from what it changed.

A client that reads a resource, changes an element and puts it back states that element, not
all the others.  So its statement is the difference between what the sources showed and what
is stored now; what it removed stays hidden until a source says something newer.
https://hl7.org/fhir/R4/http.html#update
"""

from __future__ import annotations

from fhir_bridge.fhir import Resource

from .rules import UpdateRules
from .slots import Slots, slots_of
from .statement import REST, SourceStatement, differences, merge

__all__ = ["client_statement"]

_NOT_SAID = frozenset({"meta/source", "text"})


def client_statement(
    shown: Slots,
    present: Resource,
    at: int,
    rules: UpdateRules,
    known: SourceStatement | None = None,
) -> SourceStatement | None:
    """The statement of REST clients after they made `present` of what sources had `shown`.

    `at` is the stamp of the write; `known` is what clients had said before.  None when they
    said nothing.
    """
    now = slots_of(present, rules)
    changed = [slot for slot in differences(shown, now) if slot not in _NOT_SAID]
    if not changed:
        return known
    slots = {slot: now[slot] for slot in changed if slot in now}
    hidden = {slot: at for slot in changed if slot not in now}
    said = SourceStatement(REST, at, slots, nulls=frozenset(hidden), hidden=hidden)
    return said if known is None else merge(known, said)
