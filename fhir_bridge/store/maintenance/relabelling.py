"""Security labels anew, after their rules changed."""

from __future__ import annotations

from collections import Counter

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.security_labels import Labeller
from fhir_bridge.store.store import Store
from fhir_bridge.store.transaction import Transaction

__all__ = ["relabel"]

_BATCH = 100


def relabel(
    store: Store, resource_type: str, labeller: Labeller, *, keep: bool = False
) -> Counter[str]:
    """Labels the resources of a type anew, a few in each transaction; `keep`: only counts.

    Counts ``looked``, ``changed``, and for each label ``+CODE`` where it came and ``-CODE`` where it
    went.  A resource that somebody else writes meanwhile is read again.
    """
    counts: Counter[str] = Counter()
    waiting: list[str] = []
    birth_dates = _BirthDates(store)
    for body in store.bodies(resource_type):
        resource = parse_json(body)
        counts["looked"] += 1
        labelled = labeller.label(resource, birth_dates.of)
        if labelled is not resource:
            counts["changed"] += 1
            _count(counts, resource, labelled)
            waiting.append(str(resource["id"]))
    for start in range(0, 0 if keep else len(waiting), _BATCH):
        _write(store, resource_type, waiting[start : start + _BATCH], labeller, birth_dates)
    return counts


class _BirthDates:
    """Birth dates of patients, read when a rule asks for one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, patient_id: str) -> str:
        """The birth date of a Patient; "" when it is not known."""
        stored = self._store.read("Patient", patient_id) if patient_id else None
        if stored is None or stored.deleted:
            return ""
        return str(parse_json(stored.body).get("birthDate", ""))


def _write(
    store: Store, resource_type: str, ids: list[str], labeller: Labeller, births: _BirthDates
) -> None:
    def work(opened: Transaction) -> None:
        for id_ in ids:
            stored = opened.read(resource_type, id_)
            if stored is None or stored.deleted:
                continue
            labelled = labeller.label(parse_json(stored.body), births.of)
            try:
                opened.put(labelled, if_match=stored.version)
            except BridgeError as error:
                # Somebody else was first: a collision, after which the work is tried again.
                raise BridgeError("FB-5003") if error.code == "FB-5001" else error from None

    store.run(work)


def _count(counts: Counter[str], before: Resource, after: Resource) -> None:
    old, new = _codes(before), _codes(after)
    counts.update(f"+{code}" for code in new - old)
    counts.update(f"-{code}" for code in old - new)


def _codes(resource: Resource) -> set[str]:
    return {str(each.get("code")) for each in resource.get("meta", {}).get("security", ())}
