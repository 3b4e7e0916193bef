"""What is known of a person beside numbers: name, birth date, sex; and how two agree.

A fact counts when both sides state it: a year agrees with every date in it, a name that
stands for "nobody knows yet" agrees with every name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fhir_bridge.fhir import Resource
from fhir_bridge.fhir.marks import NULL, USUAL
from fhir_bridge.identity.rules import Corrections

__all__ = ["Compared", "Facts", "compare", "facts_of", "folded_name"]


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts that count; empty ones are not stated.  `verified` are (system, key) of numbers."""

    names: frozenset[str] = frozenset()
    born: str = ""
    sex: str = ""
    verified: frozenset[tuple[str, bytes]] = frozenset()

    @property
    def are_none(self) -> bool:
        """Whether nothing is stated."""
        return not (self.names or self.born or self.sex or self.verified)


@dataclass(frozen=True, slots=True)
class Compared:
    """Elements that both sides state, and those of them that differ."""

    stated: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def agree_fully(self) -> bool:
        """Whether name and birth date are both stated and nothing differs."""
        return not self.changed and {"name", "birthDate"} <= set(self.stated)


def facts_of(
    patient: Resource, rules: Corrections, verified: Iterable[tuple[str, bytes]] = ()
) -> Facts:
    """The facts that a Patient states."""
    names = {folded_name(name) for name in patient.get("name", ()) if name.get("use") != "old"}
    known = {name for name in names if name and not rules.placeholder_names.search(name)}
    born = _stated(patient.get("birthDate", ""))
    sex = str(patient.get("gender", ""))
    return Facts(
        frozenset(known),
        "" if born in rules.placeholder_births else born,
        sex if sex in {"male", "female"} else "",
        frozenset(verified),
    )


def compare(one: Facts, two: Facts) -> Compared:
    """Which facts both state, and which differ."""
    stated, changed = list[str](), list[str]()

    def note(name: str, *, same: bool) -> None:
        stated.append(name)
        if not same:
            changed.append(name)

    if one.names and two.names:
        note("name", same=not one.names.isdisjoint(two.names) or _spelt_alike(one, two))
    if one.born and two.born:
        note("birthDate", same=one.born.startswith(two.born) or two.born.startswith(one.born))
    if one.sex and two.sex:
        note("gender", same=one.sex == two.sex)
    if not one.verified.isdisjoint(two.verified):
        note("identifier", same=True)
    return Compared(tuple(stated), tuple(changed))


def folded_name(name: Resource) -> str:
    """A name without blanks and case; "" when it is taken back or only supposed."""
    text = name.get("text") or "".join([name.get("family", ""), *name.get("given", ())])
    return "".join(_stated(text).split()).casefold()


def _stated(text: object) -> str:
    """A text, unless it carries a mark: taken back or supposed, it is no fact."""
    plain = str(text)
    return "" if NULL in plain or USUAL in plain else plain


def _spelt_alike(one: Facts, two: Facts) -> bool:
    """Whether two names have the same letters: parts in another order are one name."""
    return any(
        len(name) > 3 and sorted(_letters(name)) == sorted(_letters(other))
        for name in one.names
        for other in two.names
    )


def _letters(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum())
