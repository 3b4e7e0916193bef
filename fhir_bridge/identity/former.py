"""What a source once stated of a person and states no more: whom a late message may still mean.

A name is corrected, then a birth date; a message from before both arrives after them.  From what
is stated now most of its facts differ, as if the number had been given to somebody else; from
what was stated in between only one does.  So a statement keeps the facts that it grew out of.
"""

from __future__ import annotations

from collections.abc import Iterator

from fhir_bridge.fhir import read_back, render_json
from fhir_bridge.identity.facts import Facts, facts_of
from fhir_bridge.identity.rules import Corrections
from fhir_bridge.update import Slots, resource_of

__all__ = ["Former", "joined_former", "now_former", "read_former", "with_former"]

Former = tuple[Facts, ...]
"""Names, birth dates and sexes as they were stated together, the newest last."""

MAX_FORMS, MAX_CHARACTERS = 32, 1_000
"""What is kept of one statement: the newest forms, and none whose names are no names."""

_FACTS = ("name", "birthDate", "gender")
_PROPERTY = "former"


def now_former(
    former: Former, earlier: Slots, new: Slots, now: Slots, rules: Corrections
) -> Former:
    """What is stated no more once `new`, said after `earlier`, has made it `now`.

    That is what stood until then, and of a message that came late what it says itself.
    """
    said = dict(_facts_in(new))
    if said.items() <= earlier.items() and said.items() <= now.items():
        return former
    forms = [facts_of(resource_of("Patient", "", each), rules) for each in (earlier, new, now)]
    return joined_former(former, tuple(each for each in forms[:2] if each != forms[2]))


def joined_former(one: Former, two: Former) -> Former:
    """What either states no more, `two` as the newer."""
    kept = (each for each in dict.fromkeys((*one, *two)) if not each.are_none)
    short = (each for each in kept if sum(map(len, each.names)) <= MAX_CHARACTERS)
    return tuple(short)[-MAX_FORMS:]


def with_former(times: bytes | None, former: Former) -> bytes | None:
    """What stands beside a kept statement (`SourceStatement.written_times`) with its former facts."""
    if not former:
        return times
    kept = [[sorted(each.names), each.born, each.sex] for each in former]
    return render_json((read_back(times) if times else {}) | {_PROPERTY: kept})


def read_former(times: bytes | None) -> Former:
    """The former facts of a kept statement."""
    if times is None or _PROPERTY.encode() not in times:
        return ()
    kept = read_back(times).get(_PROPERTY, ())
    return tuple(Facts(frozenset(names), born, sex) for names, born, sex in kept)


def _facts_in(slots: Slots) -> Iterator[tuple[str, object]]:
    for slot, value in slots.items():
        if slot.startswith(_FACTS):
            yield slot, value
