"""Takes a link back: what a source says of a person gets a Patient of its own again.

Three things make an undo sound.  The statement moves, with the keys that are its alone.  A
negative decision is kept, so that the next message of the same source, with the same wrong
number, stays apart; and so do the two Patients when a third source names both.  And what
the source's messages had made under the joined Patient follows, by Provenance, which names
the source's own record of the person; what another record's messages stated too is left and
told.  All of it is one transaction, in the pipeline's turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from fhir_bridge import clock
from fhir_bridge.access import Access
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.identity.decisions import Decision, log_detail, read_decision
from fhir_bridge.identity.fold import fold
from fhir_bridge.identity.keys import PersonKeys, Record, number_key, replaced_key, separated_key
from fhir_bridge.identity.repoint import speak_of
from fhir_bridge.identity.statements import (
    Statement,
    Statements,
    apart,
    in_use_again,
    origin,
    written,
)
from fhir_bridge.search import Registry, parse_search, plan
from fhir_bridge.store import Store, Transaction
from fhir_bridge.update import REST, UpdateRules

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
    feeds: frozenset[str]
    """The feeds by which the parted statements came, as far as the log tells."""
    kept_feeds: frozenset[str]
    provenances: list[Resource] = field(default_factory=list)
    """What tells of everything that was made under the joined Patient."""

    def records(self) -> tuple[set[Record], set[Record]]:
        """The sources' own records that go, and those that stay."""
        gone = {each.record for each in self.parted if each.record[1]}
        left = {each.record for each in self.kept if each.record[1]}
        return gone - left, left

    def is_theirs(self, stated: Resource) -> bool | None:
        """Whether a message was of what goes; None when that cannot be told."""
        named = _persons(stated)
        gone, left = self.records()
        if named & gone or named & left:
            return None if named & gone and named & left else bool(named & gone)
        feed = _feed(stated)
        if feed not in self.feeds:
            return False
        return None if feed in self.kept_feeds else True


def unlink(
    store: Store, keys: PersonKeys, number: int, update: UpdateRules | None = None
) -> Unlinked:
    """Takes decision `number` of the link log back.

    Raises BridgeError FB-5106 when there is no such decision, when it joined nothing or is
    undone already, and FB-5107 when what the messages made cannot be told apart.
    """
    rules = update or UpdateRules(united=frozenset(["Patient"]))
    return store.run(lambda tx: _unlink(tx, store.registry, keys, number, rules))


def _unlink(
    tx: Transaction, registry: Registry, keys: PersonKeys, number: int, rules: UpdateRules
) -> Unlinked:
    # The pipeline looks up anew whom it knew when somebody else had the turn.
    tx.take_turn("pipeline", f"unlink {clock.fresh_id()}".encode())
    split = _split(tx, number, rules)
    split.provenances = list(_provenances(tx, registry, split.patient_id))
    _require_separable(split)
    moved, left = _move_resources(tx, split)
    _move_statements(tx, keys, split, rules)
    for patient_id, statements in (
        (split.patient_id, split.kept),
        (split.new_id, split.parted),
    ):
        version = tx.put(fold(patient_id, statements, rules)[0]).version
        for each in statements:
            tx.put_identity_statement(written(each, patient_id, version))
    for patient_id, other in (
        (split.patient_id, split.new_id),
        (split.new_id, split.patient_id),
    ):
        detail = log_detail(other=other, undoes=number, source=split.decided.source)
        tx.log_link(patient_id, split.decided.feed, split.decided.key, "split", detail)
    return Unlinked(split.patient_id, split.new_id, moved, left)


def _split(tx: Transaction, number: int, rules: UpdateRules) -> _Split:
    """Which statements go where."""
    entry = tx.link_entry(number)
    decided = read_decision(entry) if entry else None
    if decided is None or not decided.can_be_undone:
        reason = "it joined nothing" if decided else "there is no such decision"
        raise BridgeError("FB-5106", number=number, reason=reason)
    statements = Statements(tx, rules)
    patient_id = statements.living(decided.patient_id)
    present = statements.of(patient_id)
    if decided.rule == "merge":
        ids = _parts(tx, decided.other)
        parted = [s for s in present if origin(s) in ids and (s.feed or s.key != decided.other)]
        new_id = decided.other
    else:
        theirs = {decided.source, decided.feed}
        parted = [s for s in present if s.key == decided.key and s.feed in theirs]
        new_id = clock.fresh_id()
    parted = [s for s in parted if s.feed != REST]
    kept = [s for s in present if s not in parted and (s.feed or s.key != new_id)]
    if not any(s.feed for s in parted):
        raise BridgeError("FB-5106", number=number, reason="it is undone already")
    if not any(s.feed and s.feed != REST for s in kept):
        reason = "nothing else is left in the Patient to part from"
        raise BridgeError("FB-5106", number=number, reason=reason)
    logged = [read_decision(each) for id_ in _parts(tx, patient_id) for each in tx.link_log(id_)]

    def feeds(of: list[Statement]) -> frozenset[str]:
        keys = {each.key for each in of if each.feed}
        return frozenset(each.feed for each in logged if each.key in keys)

    return _Split(patient_id, new_id, kept, parted, decided, feeds(parted), feeds(kept))


def _parts(tx: Transaction, patient_id: str) -> set[str]:
    """A Patient and those that had become part of it before it became part of another."""
    found, wanted = set[str](), [patient_id]
    while wanted:
        current = wanted.pop()
        found.add(current)
        logged = [read_decision(entry) for entry in tx.link_log(current)]
        wanted += [d.other for d in logged if d.rule == "merge" and d.other not in found]
    return found


def _provenances(tx: Transaction, registry: Registry, patient_id: str) -> Iterator[Resource]:
    """The Provenances of the messages that spoke of a Patient."""
    pairs = [("target", f"Patient/{patient_id}"), ("_count", str(_PAGE))]
    search = plan(parse_search("Provenance", pairs, registry), registry)
    cursor = ""
    while True:
        page = tx.find(search, Access.everything(), cursor)
        for match in page.matches:
            yield parse_json(match.body)
        cursor = page.next
        if not cursor:
            return


def _persons(stated: Resource) -> set[Record]:
    """The sources' own records of persons that a Provenance names (`fhir_bridge.audit`)."""
    return {
        (str(what["identifier"].get("system", "")), str(what["identifier"]["value"]))
        for entity in stated.get("entity", ())
        if (what := entity.get("what", {})).get("type") == "Patient"
        and what.get("identifier", {}).get("value")
    }


def _feed(stated: Resource) -> str:
    agents = stated.get("agent") or [{}]
    return str(agents[0].get("who", {}).get("identifier", {}).get("value", ""))


def _require_separable(split: _Split) -> None:
    """Raises BridgeError FB-5107 when a feed said two records of the Patient, unnamed.

    Messages recorded by this release name the source's own record; before, they named the
    Patient alone, which before a merge was the one that each was of.
    """
    since = split.decided.at if split.decided.rule == "merge" else ""
    for stated in split.provenances:
        if _persons(stated) or stated["meta"]["lastUpdated"] < since:
            continue
        if split.is_theirs(stated) is None:
            count = len(split.provenances)
            raise BridgeError("FB-5107", feed=_feed(stated), count=count)


def _move_resources(tx: Transaction, split: _Split) -> tuple[list[str], list[str]]:
    """Lets what the parted records made speak of the new Patient; (moved, left) references."""
    theirs = [stated for stated in split.provenances if split.is_theirs(stated)]
    others = {
        target for stated in split.provenances if not split.is_theirs(stated)
        for target in _targets(stated)
    }  # fmt: skip
    named = dict.fromkeys(target for stated in theirs for target in _targets(stated))
    old, new = f"Patient/{split.patient_id}", f"Patient/{split.new_id}"
    pairs = [tuple(each.split("/", 1)) for each in named if each.count("/") == 1]
    present = tx.read_many((kind, id_) for kind, id_ in pairs if kind != "Patient")
    going, left = list[Resource](), list[str]()
    for (kind, id_), stored in present.items():
        resource = parse_json(stored.body)
        if f"{kind}/{id_}" not in others:
            going.append(resource)
        elif old.encode() in stored.body:
            left.append(f"{kind}/{id_}")
    changed = speak_of(tx, going, old, new)
    speak_of(tx, theirs, old, new)
    return [f"{each['resourceType']}/{each['id']}" for each in changed], left


def _move_statements(tx: Transaction, keys: PersonKeys, split: _Split, rules: UpdateRules) -> None:
    """Statements and the keys that are theirs alone go over; the decision against is kept."""
    new_id = split.new_id
    stay = {key for each in split.kept if each.feed for key in _keys(keys, each)}
    going: dict[bytes, str] = {replaced_key(new_id): new_id}
    parted: list[Statement] = []
    for each in split.parted:
        tx.drop_identity_statement(each.feed, each.key)
        person = each.key.partition(".")[0]
        parted.append(replace(each, key=f"{person}.{new_id}" if each.feed else each.key))
        if each.feed:
            going |= {k: new_id for k in _keys(keys, each) if k not in stay}
            going[separated_key(each.feed, person)] = new_id
    tx.drop_identity_statement("", new_id)  # that it became part of the other
    for each, left in list(in_use_again(split.kept, split.records()[0], rules)):
        tx.drop_identity_statement(each.feed, each.key)
        split.kept = [s for s in split.kept if s is not each] + ([left] if left else [])
    split.parted = [*parted, apart(split.patient_id, new_id, rules)]
    split.kept = [*split.kept, apart(new_id, split.patient_id, rules)]
    tx.set_identity_keys(going)


def _keys(keys: PersonKeys, statement: Statement) -> list[bytes]:
    own = [number_key(statement.record)] if statement.record[1] else []
    return [*keys.all(statement.patient), *own]


def _targets(stated: Resource) -> list[str]:
    return [str(each.get("reference", "")) for each in stated.get("target", ())]
