"""A grant: what may be done with which resources, of whose compartments, that satisfy which search.

Interactions are the letters of SMART (https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-fhir-resources):
``c`` creates; ``r`` reads a resource, its versions and its history; ``u`` updates and patches;
``d`` deletes; ``s`` searches, with everything that a search shows or looks at on its way, and
reads the history of types and of the record.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ALL", "READING", "Grant", "Limit", "Query", "Related"]

ALL = "cruds"
READING = "rs"

Query = tuple[tuple[str, str], ...]
"""A search, as decoded pairs: ``(("category", "laboratory"),)``."""


@dataclass(frozen=True, slots=True)
class Related:
    """Patients whom a resource names: there is one that satisfies `query` and names them by `by`.

    Where `of` is given, the resource itself is so named in its turn:
    ``Related("Group", "member", of=Related("Contract", "subject", …))`` are the members of a Group
    that a Contract is about.  Looked up at the present moment, for each patient that a row is of.
    """

    resource_type: str
    by: str
    query: Query = ()
    of: Related | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """Which resources of a type: all that satisfy every part.

    `patients` None: of anybody; else of the compartments of these (none: of nobody).  `related`
    None: likewise; else only of patients whom one of these names.  A resource satisfies every
    search of `only` and none of `never`.
    """

    patients: frozenset[str] | None = None
    related: tuple[Related, ...] | None = None
    only: tuple[Query, ...] = ()
    never: tuple[Query, ...] = ()

    @property
    def is_none(self) -> bool:
        """Whether nothing is left out."""
        return self == _UNLIMITED

    @property
    def is_of_patients(self) -> bool:
        """Whether a resource must be in somebody's compartment."""
        return self.patients is not None or self.related is not None

    def within(self, other: Limit) -> Limit:
        """What both leave."""
        patients, related = self.patients, self.related
        if other.patients is not None:
            patients = other.patients if patients is None else patients & other.patients
        if other.related is not None:
            if related is not None and related != other.related:
                raise ValueError("two sets of related patients have no common form")
            related = other.related
        only = tuple(dict.fromkeys((*self.only, *other.only)))
        return Limit(patients, related, only, tuple(dict.fromkeys((*self.never, *other.never))))


_UNLIMITED = Limit()


@dataclass(frozen=True, slots=True)
class Grant:
    """`interactions` (letters of ``cruds``) with resources of `types` (None: all) within `limit`."""

    interactions: str = ALL
    types: frozenset[str] | None = None
    limit: Limit = _UNLIMITED

    def allows(self, resource_type: str, interaction: str) -> bool:
        """Whether it is about resources of the type and this interaction (a letter)."""
        named = self.types is None or resource_type in self.types
        return named and interaction in self.interactions

    def within(self, other: Grant) -> Grant | None:
        """What both give; None when that is nothing."""
        letters = "".join(each for each in self.interactions if each in other.interactions)
        types = self.types
        if other.types is not None:
            types = other.types if types is None else types & other.types
        if not letters or (types is not None and not types):
            return None
        return Grant(letters, types, self.limit.within(other.limit))
