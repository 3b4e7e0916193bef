"""Who may see and do what, as one frozen value that is applied inside every query.

An access is the union of its grants.  It fails closed: what no grant covers is not seen, and
absent and forbidden look alike; a type that no grant names is refused before anything is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from fhir_bridge.access.compartment import shared_types
from fhir_bridge.access.grant import READING, Grant, Limit
from fhir_bridge.errors import BridgeError

__all__ = ["Access"]


@dataclass(frozen=True, slots=True)
class Access:
    """The grants of one caller for one request.

    `predicates` holds what a store makes of the grants, where the access is good for one state of the
    record only (`fhir_bridge.entitlement`); None where it may outlive changes.
    """

    grants: tuple[Grant, ...] = ()
    predicates: dict[Any, Any] | None = field(default=None, repr=False, compare=False)
    _limits: dict[tuple[str, str], tuple[Limit, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _fingerprint: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def everything(cls) -> Access:
        """No limit: the operator, the pipeline."""
        return _EVERYTHING

    @classmethod
    def nothing(cls) -> Access:
        """Sees nothing at all."""
        return _NOTHING

    @classmethod
    def patients(cls, ids: Iterable[str], *, shared: frozenset[str] | None = None) -> Access:
        """Reads the compartments of these patients, and the `shared` types (those of nobody)."""
        own = Grant(READING, None, Limit(frozenset(ids)))
        return cls((own, Grant(READING, shared_types() if shared is None else shared)))

    def only_types(self, types: Iterable[str]) -> Access:
        """The same, further limited to `types`."""
        return self.within(Access((Grant(types=frozenset(types)),)))

    def within(self, other: Access) -> Access:
        """What both give."""
        pairs = (mine.within(each) for mine in self.grants for each in other.grants)
        return Access(tuple(dict.fromkeys(each for each in pairs if each is not None)))

    @property
    def is_everything(self) -> bool:
        """Whether no query needs a limit."""
        return self.fingerprint == ""

    @property
    def fingerprint(self) -> str:
        """The same for the same rights: what a page link is good for; "" for everything."""
        if not self._fingerprint:
            self._fingerprint.append("" if Grant() in self.grants else _fingerprint(self.grants))
        return self._fingerprint[0]

    def allows(self, resource_type: str, interaction: str) -> bool:
        """Whether some resource of the type could be within reach of the interaction (a letter)."""
        return bool(self.limits(resource_type, interaction))

    def limits(self, resource_type: str, interaction: str) -> tuple[Limit, ...]:
        """The alternatives that bring a resource within reach; none: nothing does."""
        key = (resource_type, interaction)
        found = self._limits.get(key)
        if found is None:
            given = (g.limit for g in self.grants if g.allows(resource_type, interaction))
            found = tuple(dict.fromkeys(given))
            if any(each.is_none for each in found):
                found = (Limit(),)
            self._limits[key] = found
        return found

    def is_limited(self, resource_type: str, interaction: str) -> bool:
        """Whether some resource of the type is out of reach."""
        found = self.limits(resource_type, interaction)
        return not (found and found[0].is_none)

    def require(self, resource_type: str, interactions: str) -> None:
        """Refuse what no grant covers, whether there is anything or not (FB-4204)."""
        for each in interactions:
            if not self.allows(resource_type, each):
                raise BridgeError("FB-4204", interaction=_WORDS[each], resource_type=resource_type)


_WORDS = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}
_EVERYTHING = Access((Grant(),))
_NOTHING = Access()


def _fingerprint(grants: Iterable[Grant]) -> str:
    rights = repr(sorted(map(_described, grants)))
    return blake2b(rights.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _described(grant: Grant) -> str:
    limit = grant.limit
    types = None if grant.types is None else sorted(grant.types)
    patients = None if limit.patients is None else sorted(limit.patients)
    others = (limit.related, limit.only, limit.never)
    return repr((grant.interactions, types, patients, others))
