"""Takes a link back: what a source says of a person gets a Patient of its own again.

Three things make an undo sound.  The statement moves, with the keys that are its alone.  A
negative decision is kept, so that the next message of the same source, with the same wrong
number, stays apart; and so do the two Patients when a third source names both.  And what
the source's messages had made under the joined Patient follows, by Provenance; what another
source stated too is left and told.  All of it is one transaction, in the pipeline's turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fhir_bridge import clock
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.identity.decisions import Decision, log_detail, read_decision
from fhir_bridge.identity.fold import Statement, fold
from fhir_bridge.identity.keys import PersonKeys, replaced_key, separated_key
from fhir_bridge.identity.statements import Statements, apart, origin, write_statement
from fhir_bridge.search import Access, Registry, parse_search, plan
from fhir_bridge.store import Store, Transaction

__all__ = ["Unlinked", "unlink"]

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Unlinked:
    """What became of an undo.

    `moved` and `left` are references: resources that now speak of `new_patient_id`, and
    resources that other sources stated too and that still speak of `patient_id`.
    """

    patient_id: str
    new_patient_id: str
    moved: list[str]
    left: list[str]


@dataclass(slots=True)
class _Split:
    """Two Patients out of one: `patient_id` keeps `kept`, `new_id` gets `parted`."""

    patient_id: str
    new_id: str
    kept: list[Statement]
    parted: list[Statement]
    decided: Decision
    provenances: list[tuple[str, Resource]] = field(default_factory=list)
    """(feed, Provenance) of everything that was made under the joined Patient."""

    @property
    def feeds(self) -> set[str]:
        """The feeds whose statements go."""
        return {each.feed for each in self.parted if each.feed}


def unlink(store: Store, keys: PersonKeys, number: int) -> Unlinked:
    """Takes decision `number` of the link log back.

    Raises BridgeError FB-5106 when there is no such decision, when it joined nothing or is
    undone already, and FB-5107 when what the messages made cannot be told apart.
    """
    return store.run(lambda tx: _unlink(tx, store.registry, keys, number))


def _unlink(tx: Transaction, registry: Registry, keys: PersonKeys, number: int) -> Unlinked:
    # The pipeline looks up anew whom it knew when somebody else had the turn.
    tx.take_turn("pipeline", f"unlink {clock.fresh_id()}".encode())
    split = _split(tx, number)
    split.provenances = list(_provenances(tx, registry, split.patient_id))
    _require_separable(split)
    moved, left = _move_resources(tx, split)
    _move_statements(tx, keys, split)
    tx.put_many([fold(split.patient_id, split.kept)[0], fold(split.new_id, split.parted)[0]])
    for patient_id, other in (
        (split.patient_id, split.new_id),
        (split.new_id, split.patient_id),
    ):
        detail = log_detail(other=other, undoes=number)
        tx.log_link(patient_id, split.decided.feed, split.decided.key, "split", detail)
    return Unlinked(split.patient_id, split.new_id, moved, left)


def _split(tx: Transaction, number: int) -> _Split:
    """Which statements go where."""
    entry = tx.link_entry(number)
    decided = read_decision(entry) if entry else None
    if decided is None or not decided.can_be_undone:
        reason = "it joined nothing" if decided else "there is no such decision"
        raise BridgeError("FB-5106", number=number, reason=reason)
    statements = Statements(tx)
    patient_id = statements.living(decided.patient_id)
    present = statements.of(patient_id)
    if decided.rule == "merge":
        ids = _parts(tx, decided.other)
        parted = [s for s in present if origin(s) in ids and (s.feed or s.key != decided.other)]
        new_id = decided.other
    else:
        parted = [s for s in present if (s.feed, s.key) == (decided.feed, decided.key)]
        new_id = clock.fresh_id()
    kept = [s for s in present if s not in parted and (s.feed or s.key != new_id)]
    if not any(s.feed for s in parted):
        raise BridgeError("FB-5106", number=number, reason="it is undone already")
    if not any(s.feed for s in kept):
        reason = "nothing else is left in the Patient to part from"
        raise BridgeError("FB-5106", number=number, reason=reason)
    return _Split(patient_id, new_id, kept, parted, decided)


def _parts(tx: Transaction, patient_id: str) -> set[str]:
    """A Patient and those that had become part of it before it became part of another."""
    found, wanted = set[str](), [patient_id]
    while wanted:
        current = wanted.pop()
        found.add(current)
        logged = [read_decision(entry) for entry in tx.link_log(current)]
        wanted += [d.other for d in logged if d.rule == "merge" and d.other not in found]
    return found


def _provenances(
    tx: Transaction, registry: Registry, patient_id: str
) -> Iterator[tuple[str, Resource]]:
    """(feed, Provenance) of the messages that spoke of a Patient."""
    pairs = [("target", f"Patient/{patient_id}"), ("_count", str(_PAGE))]
    asked = plan(parse_search("Provenance", pairs, registry), registry)
    cursor = ""
    while True:
        page = tx.find(asked, Access.everything(), cursor)
        for match in page.matches:
            stated = parse_json(match.body)
            agents = stated.get("agent") or [{}]
            feed = agents[0].get("who", {}).get("identifier", {}).get("value", "")
            yield feed, stated
        cursor = page.next
        if not cursor:
            return


def _require_separable(split: _Split) -> None:
    """Raises BridgeError FB-5107 when a feed said two records of the Patient.

    Before a merge its messages named the Patient that each was of; since then all name one.
    """
    shared = split.feeds & {each.feed for each in split.kept}
    since = split.decided.at if split.decided.rule == "merge" else ""
    for feed, stated in split.provenances:
        if feed in shared and stated["meta"]["lastUpdated"] >= since:
            raise BridgeError("FB-5107", feed=feed, count=len(split.provenances))


def _move_resources(tx: Transaction, split: _Split) -> tuple[list[str], list[str]]:
    """Lets what the parted feeds made speak of the new Patient; (moved, left) references."""
    shared = {each.feed for each in split.kept}
    own = split.feeds - shared
    theirs = [stated for feed, stated in split.provenances if feed in own]
    others = {
        target for feed, stated in split.provenances if feed not in own
        for target in _targets(stated)
    }  # fmt: skip
    named = dict.fromkeys(target for stated in theirs for target in _targets(stated))
    old, new = f"Patient/{split.patient_id}", f"Patient/{split.new_id}"
    pairs = [tuple(each.split("/", 1)) for each in named if each.count("/") == 1]
    present = tx.read_many((kind, id_) for kind, id_ in pairs if kind != "Patient")
    changed, left = list[Resource](), list[str]()
    for (kind, id_), stored in present.items():
        resource = parse_json(stored.body)
        if not _repoint(resource, old, new):
            continue
        if f"{kind}/{id_}" in others:
            left.append(f"{kind}/{id_}")
        else:
            changed.append(resource)
    for stated in theirs:
        _repoint(stated, old, new)
    tx.put_many([*changed, *theirs])
    return [f"{each['resourceType']}/{each['id']}" for each in changed], left


def _move_statements(tx: Transaction, keys: PersonKeys, split: _Split) -> None:
    """Statements and the keys that are theirs alone go over; the decision against is kept."""
    new_id = split.new_id
    stay = {key for each in split.kept if each.feed for key in keys.all(each.patient)}
    going: dict[bytes, str] = {replaced_key(new_id): new_id}
    parted: list[Statement] = []
    for each in split.parted:
        tx.drop_identity_statement(each.feed, each.key)
        person = each.key.partition(".")[0]
        key = f"{person}.{new_id}" if each.feed else each.key
        parted.append(Statement(each.feed, key, each.rank, each.patient))
        if each.feed:
            going |= {k: new_id for k in keys.all(each.patient) if k not in stay}
            going[separated_key(each.feed, person)] = new_id
    tx.drop_identity_statement("", new_id)  # that it became part of the other
    split.parted = [*parted, apart(split.patient_id, new_id)]
    for each in split.parted:
        write_statement(tx, new_id, each)
    write_statement(tx, split.patient_id, apart(new_id, split.patient_id))
    tx.set_identity_keys(going)


def _targets(stated: Resource) -> list[str]:
    return [str(each.get("reference", "")) for each in stated.get("target", ())]


def _repoint(node: Any, old: str, new: str) -> bool:
    """Replaces references to `old` in place; whether there was one."""
    found = isinstance(node, dict) and node.get("reference") == old
    if found:
        node["reference"] = new
    for part in list(node.values() if isinstance(node, dict) else node):
        if isinstance(part, dict | list):
            found = _repoint(part, old, new) or found
    return found
