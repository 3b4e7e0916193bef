"""What the index was made with: a digest for each type, kept in the database.

The index rows of a type follow from its search parameters (a site's own ones included), the
zone and the way of extraction, which has a number here.  (The addresses of the server count
too, but only for the rare absolute reference to itself: another port is no reason to make
the index anew.)  When a database was indexed otherwise than this process would, its searches may miss resources:
issue FB-5012, until ``fhir-bridge reindex`` has been through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b

import msgspec

from fhir_bridge.errors import Issue
from fhir_bridge.search import Registry
from fhir_bridge.store.store import Store

__all__ = ["EXTRACTION", "index_issues", "keep_revision", "outdated_types", "revision"]

EXTRACTION = 5
"""Raised whenever `fhir_bridge.search` makes other index rows of the same resource."""

_SETTING = "index revision"


@lru_cache(maxsize=4)
def revision(registry: Registry) -> Mapping[str, str]:
    """The digest of what the index rows of each type follow from."""
    about_all = (EXTRACTION, str(registry.zone))
    return {
        resource_type: blake2b(
            repr((about_all, _facts(registry, resource_type))).encode(), digest_size=8
        ).hexdigest()
        for resource_type in sorted(registry.definitions.resource_types)
    }


def _facts(registry: Registry, resource_type: str) -> list[object]:
    """What is known of the parameters of a type."""
    parameters = registry.parameters(resource_type)
    facts: list[object] = [
        (code, each.type, each.expression, each.targets, each.components)
        for code, each in parameters.items()
    ]
    kept = sorted(each for each in registry.kept_by_row if each.startswith(f"{resource_type}."))
    facts += [registry.main_date(resource_type), registry.compartment(resource_type)]
    return [*facts, kept] if kept else facts


def outdated_types(store: Store) -> frozenset[str]:
    """The types with resources whose index was made otherwise.

    Types without resources are noted as up to date.
    """
    written = store.settings.read(_SETTING)
    kept: dict[str, str] = msgspec.json.decode(written) if written else {}
    present = revision(store.registry)
    differing = [each for each, digest in present.items() if kept.get(each) != digest]
    if not differing:
        return frozenset()
    with store.reading() as session:
        outdated = frozenset(
            each
            for each in differing
            if session.one("SELECT 1 FROM resource WHERE type = ? LIMIT 1", (store.numbers[each],))
        )
    if len(outdated) < len(differing):
        _write(store, kept, (each for each in differing if each not in outdated))
    return outdated


def index_issues(store: Store) -> list[Issue]:
    """FB-5012 when the index of some types was made by other rules."""
    types = sorted(outdated_types(store))
    details = {"types": ", ".join(types)}
    return [Issue("FB-5012", "warning", details=details)] if types else []


def keep_revision(store: Store, types: Iterable[str]) -> None:
    """Notes that the index of `types` is made as this process makes it."""
    written = store.settings.read(_SETTING)
    _write(store, msgspec.json.decode(written) if written else {}, types)


def _write(store: Store, kept: dict[str, str], types: Iterable[str]) -> None:
    present = revision(store.registry)
    kept = {**kept, **{each: present[each] for each in types}}
    store.settings.write(_SETTING, msgspec.json.encode(kept))
