"""One decision on persons at hand: statements are changed here and written at its end.

`Deciding` reads statements through the ledger, keeps what changes, and `fold_and_write` folds
every Patient that was touched and writes its statements with the version that it will have.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource
from fhir_bridge.identity.decisions import log_detail, masked
from fhir_bridge.identity.fold import fold
from fhir_bridge.identity.keys import PersonKeys, Record, person_key
from fhir_bridge.identity.repoint import Move
from fhir_bridge.identity.rules import IdentityRules
from fhir_bridge.identity.saying import Saying
from fhir_bridge.identity.statements import (
    IdentityLedger,
    Statement,
    Statements,
    link_to,
    made,
    withdrawn_key,
    written,
)
from fhir_bridge.store import ReviewRow
from fhir_bridge.update import LAST, REST, UpdateRules, client_statement, slots_of, stamp

__all__ = ["Deciding", "Link"]


@dataclass(frozen=True, slots=True)
class Link:
    """What was decided.

    `patient` is the folded Patient to write; `replaced` are other Patients to write: those
    that turned out to be the same person and now point to it, those that lost or won a
    number.  References must follow the `moves`.  `record` is the source's own record of the
    person and `person` its key (0 for none); `statement` is (feed, key) of what was said, and
    `stated_at` when the newest of it was; some of it was left out when not `is_taken`.
    With `is_new` there never was a Patient of this id.
    """

    patient_id: str
    patient: Resource
    rule: str
    issues: list[Issue] = field(default_factory=list)
    replaced: list[Resource] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    record: Record = ("", "")
    statement: tuple[str, str] | None = None
    stated_at: int = 0
    is_taken: bool = True
    is_new: bool = False

    @property
    def person(self) -> int:
        """The key of the source's own record of the person."""
        return person_key(self.record)


@dataclass(slots=True)
class Deciding:
    """The ledger, the rules, and what one message says; `rank` is its source's order of trust."""

    ledger: IdentityLedger
    rules: IdentityRules
    update: UpdateRules
    keys: PersonKeys
    saying: Saying
    rank: int = 0
    issues: list[Issue] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    statements: Statements = field(init=False)
    _touched: dict[str, list[Statement]] = field(default_factory=dict)
    _replaced: dict[str, Resource] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.statements = Statements(self.ledger, self.update)

    # --- statements ---------------------------------------------------------------------

    def open(self, patient_id: str) -> list[Statement]:
        """The statements of a Patient that is going to change, REST clients' words included."""
        known = self.statements.of(patient_id)
        if patient_id not in self._touched:
            self._touched[patient_id] = []
            self._take_rest_changes(patient_id, known)
        return known

    def put(self, patient_id: str, statement: Statement, instead: Statement | None = None) -> None:
        """Adds a statement to a Patient, in the place of another where one is given."""
        known = self.open(patient_id)
        if instead is not None:
            known.remove(instead)
            if (instead.feed, instead.key) != (statement.feed, statement.key):
                self.ledger.drop_identity_statement(instead.feed, instead.key)
        known[:] = [s for s in known if (s.feed, s.key) != (statement.feed, statement.key)]
        known.append(statement)
        self._touched[patient_id].append(statement)

    def drop(self, patient_id: str, statement: Statement) -> None:
        """Takes a statement away."""
        self.open(patient_id).remove(statement)
        self.ledger.drop_identity_statement(statement.feed, statement.key)

    def move(self, old_id: str, new_id: str, statement: Statement) -> None:
        """Gives a statement to another Patient."""
        self.open(old_id).remove(statement)
        self.put(new_id, statement)

    def replaced_by(self, patient_id: str, survivor: str) -> None:
        """What is left of a Patient whose statements moved to `survivor`."""
        self._touched.pop(patient_id, None)
        self._replaced[patient_id] = {
            "resourceType": "Patient",
            "id": patient_id,
            "active": False,
            "link": [link_to(survivor, "replaced-by")],
        }
        self.moves.append(Move(patient_id, survivor))

    def withdraw(self, patient_id: str, identifiers: list[Resource]) -> None:
        """That nobody speaks of a Patient any more."""
        stated = {"active": False, "identifier": identifiers}
        self.put(patient_id, made(withdrawn_key(patient_id), stated, self.update, self.saying.at))

    # --- what is told -------------------------------------------------------------------

    def warn(self, code: str, **details: str) -> None:
        """An issue at the identifiers."""
        self.issues.append(Issue(code, "warning", "Patient.identifier", details))

    def hold(self, kind: str, patient_id: str, other: str, **told: object) -> None:
        """Puts a contradiction on the list."""
        self.ledger.hold(
            ReviewRow(
                kind, patient_id, other, self.saying.feed, self.saying.message(),
                json.dumps({k: v for k, v in told.items() if v}, ensure_ascii=False),
            )
        )  # fmt: skip

    def log(self, patient_id: str, rule: str, key: str = "", **details: object) -> None:
        """Adds a decision to the log."""
        detail = log_detail(message=self.saying.message(), source=self.saying.speaker, **details)  # type: ignore[arg-type]
        self.ledger.log_link(patient_id, self.saying.feed, key, rule, detail)

    # --- the end ------------------------------------------------------------------------

    def fold_and_write(self, patient_id: str, rule: str, record: Record = ("", "")) -> Link:
        """Folds and writes what was touched; `patient_id` is whom the message is of."""
        folded = {each: self._fold(each) for each in self._touched}
        if patient_id not in folded:
            folded[patient_id] = fold(patient_id, self.statements.of(patient_id), self.update)[0]
        patient = folded.pop(patient_id)
        replaced = [*self._replaced.values(), *folded.values()]
        return Link(patient_id, patient, rule, self.issues, replaced, self.moves, record)

    def _fold(self, patient_id: str) -> Resource:
        known = self.statements.of(patient_id)
        folded, differences = fold(patient_id, known, self.update)
        self.issues += differences
        present = self.ledger.present("Patient", patient_id)
        version = 1 if present is None else present.version
        if present is not None and _bare(present.resource) != folded:
            version += 1
        changed = {(each.feed, each.key): each for each in self._touched[patient_id]}
        changed = {place: s for place, s in changed.items() if s in known}
        for each in changed.values() or known[:1]:
            self.ledger.put_identity_statement(written(each, patient_id, version))
        return folded

    def _take_rest_changes(self, patient_id: str, known: list[Statement]) -> None:
        """What a client of the REST interface changed of a Patient since it was folded."""
        last = max((each.version for each in known), default=0)
        present = self.ledger.present("Patient", patient_id) if last else None
        if present is None or present.version <= last:
            return
        shown = slots_of(fold(patient_id, known, self.update)[0], self.update)
        earlier = next((each for each in known if each.feed == REST), None)
        said = client_statement(
            shown,
            present.resource,
            stamp(present.at, LAST),
            self.update,
            earlier.said if earlier else None,
        )
        if said is not None:
            self.put(patient_id, Statement(REST, f"{REST}.{patient_id}", 0, said), earlier)


def _bare(resource: Resource) -> Resource:
    """A stored resource without what the store adds."""
    meta = {k: v for k, v in resource.get("meta", {}).items() if k not in _OF_STORE}
    bare = {key: value for key, value in resource.items() if key != "meta"}
    return bare | {"meta": meta} if meta else bare


_OF_STORE = frozenset({"versionId", "lastUpdated"})


def shown_numbers(records: Iterable[Record]) -> list[list[str]]:
    """Numbers as they may be told: the values masked."""
    return [[system, masked(value)] for system, value in records]
