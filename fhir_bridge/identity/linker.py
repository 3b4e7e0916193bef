"""Finds or makes the one Patient behind what a source says of a person.

Two statements are of one person when they share a verified identifier, or a number within
the authority that gave it out (unless the facts speak against it: `evidence`), or any
identifier together with the same full birth date and the same name.  What an operator took
apart stays apart; what contradicts is recorded apart and put on the list of contradictions.
Each decision is written to the store's link log with the rule behind it (`decisions`), and
can be taken back (`unlink`).  https://hl7.org/fhir/R4/patient.html (Patient.link)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fhir_bridge.fhir import Resource, render_json
from fhir_bridge.identity.choosing import Choice, choose, not_taken
from fhir_bridge.identity.deciding import Deciding, Link
from fhir_bridge.identity.former import Former, now_former
from fhir_bridge.identity.joining import join, merge_away
from fhir_bridge.identity.keys import (
    PersonKeys,
    also_key,
    number_key,
    separated_key,
    statement_name,
)
from fhir_bridge.identity.operations import operate
from fhir_bridge.identity.replaced import living
from fhir_bridge.identity.rules import IdentityRules
from fhir_bridge.identity.saying import Saying
from fhir_bridge.identity.stated_patient import StatedPatient, read_patient
from fhir_bridge.identity.statements import IdentityLedger, Statement, withdrawn_key
from fhir_bridge.store import PersonRow
from fhir_bridge.update import SourceStatement, UpdateRules, merge, statement_of

__all__ = ["Linker"]


class Linker:
    """Links statements by `rules`; `sources` gives the source kind of each feed."""

    def __init__(
        self, rules: IdentityRules, sources: Mapping[str, str], update: UpdateRules | None = None
    ) -> None:
        self._rules = rules
        self._update = update or UpdateRules(united=frozenset(["Patient"]))
        self.keys = PersonKeys(rules)
        self._ranks = {feed: rules.rank(kind) for feed, kind in sources.items()}

    def read_patient(self, patient: Resource) -> StatedPatient:
        """A mapped Patient with the keys that it is found by."""
        return read_patient(patient, self.keys)

    def lookup_keys(self, said: StatedPatient, saying: Saying) -> list[bytes]:
        """The keys that linking looks up."""
        person = statement_name(said.own, said.patient)
        return [*_separated(person, saying), *said.lookup_keys]

    def link(
        self,
        ledger: IdentityLedger,
        patient: Resource,
        saying: Saying,
        said: StatedPatient | None = None,
    ) -> Link:
        """The Patient that `patient`, as stated by `saying`, belongs to.

        `said` is what `read_patient` told of it, where it was asked before.
        """
        deciding = self._deciding(ledger, saying)
        survivor = _survivor(patient)
        said = said or read_patient(patient, self.keys)
        if survivor and said.records:
            survivor = deciding.statements.living(survivor)
            return merge_away(deciding, said.records, survivor)
        person = statement_name(said.own, patient)
        separated = _separated(person, saying)
        known = ledger.identity_keys([*separated, *said.lookup_keys])
        for each in separated:
            if each in known:
                return self._keep_separated(deciding, said, known[each], person)
        choice = choose(deciding, said, known)
        if choice.rule == "new" and _is_whole(said, saying):
            return self._first(deciding, said, choice.patient_id, person)
        for other in choice.others:
            join(deciding, choice.patient_id, other)
        choice, key, at = self._state(deciding, said, choice, person)
        _point_keys(deciding, said, choice, known)
        link = deciding.fold_and_write(choice.patient_id, choice.rule, said.own)
        return replace(
            link, statement=(saying.speaker, key), stated_at=at, is_taken=not choice.not_taken
        )

    def operate(
        self, ledger: IdentityLedger, url: str, parameters: Resource, saying: Saying
    ) -> Link | None:
        """Carries out an operation on persons (``Patient/$merge`` …); None when nothing changes.

        Raises BridgeError FB-5109 for an operation that is none of these, or lacks a number.
        """
        return operate(self._deciding(ledger, saying), url, parameters)

    def living(self, ledger: IdentityLedger, patient_id: str) -> str:
        """The Patient that this one is part of now: mostly itself."""
        return living(ledger, patient_id)

    def person(self, ledger: IdentityLedger, identifier: Resource) -> str:
        """The living Patient with a number that identifies; "" when nobody knows it."""
        record = (str(identifier.get("system", "")), str(identifier.get("value", "")).strip())
        known = ledger.identity_keys([number_key(record)])
        return living(ledger, next(iter(known.values()))) if known else ""

    def _deciding(self, ledger: IdentityLedger, saying: Saying) -> Deciding:
        rank = self._ranks.get(saying.feed, self._rules.rank(""))
        return Deciding(ledger, self._rules, self._update, self.keys, saying, rank)

    def _keep_separated(
        self, deciding: Deciding, said: StatedPatient, patient_id: str, person: str
    ) -> Link:
        """A record that an operator took out of a Patient stays where it was put."""
        choice = Choice(deciding.statements.living(patient_id), "separated")
        self._state(deciding, said, choice, person)
        pairs = [(key, choice.patient_id) for key in said.keys]
        deciding.ledger.add_identity_keys(pairs)
        return deciding.fold_and_write(choice.patient_id, "separated", said.own)

    def _first(self, deciding: Deciding, said: StatedPatient, patient_id: str, person: str) -> Link:
        """The first statement of a new person is the Patient as it stands."""
        saying, patient = deciding.saying, said.patient
        key = f"{person}.{patient_id}"
        body = render_json({"resourceType": "Patient"} | patient)
        deciding.ledger.put_identity_statement(
            PersonRow(saying.speaker, key, patient_id, deciding.rank, body, saying.at, 1, *said.own)
        )
        deciding.log(patient_id, "new", key, patient=patient)
        deciding.ledger.set_identity_keys(dict.fromkeys(said.keys, patient_id))
        if said.retired:
            pairs = [(number_key(record), patient_id) for record in said.retired]
            deciding.ledger.add_identity_keys(pairs)
        folded = {"resourceType": "Patient", "id": patient_id} | {
            name: value for name, value in patient.items() if name != "resourceType"
        }
        return Link(
            patient_id, folded, "new", record=said.own,
            statement=(saying.speaker, key), stated_at=saying.at, is_new=True,
        )  # fmt: skip

    def _state(
        self, deciding: Deciding, said: StatedPatient, choice: Choice, person: str
    ) -> tuple[Choice, str, int]:
        """Writes the statement and, when it is the first of its kind, the decision.

        Answers the choice, less what the message may not correct, the key of the statement and
        when the newest of it was said.
        """
        patient_id, saying = choice.patient_id, deciding.saying
        known = deciding.open(patient_id)
        earlier = _own(known, said, saying, person)
        if earlier is not None and not choice.not_taken:
            choice = replace(choice, not_taken=not_taken(deciding, said, earlier.patient))
        for each in [s for s in known if not s.feed and s.key == withdrawn_key(patient_id)]:
            deciding.drop(patient_id, each)
        left_out = choice.not_taken
        patient = {key: value for key, value in said.patient.items() if key not in left_out}
        new = statement_of(
            saying.speaker, saying.at, patient, self._update, has_marks=saying.has_marks
        )
        if saying.level and earlier is not None:
            slots = {k: v for k, v in new.slots.items() if k not in earlier.said.slots}
            new = replace(new, slots=slots, nulls=frozenset())
        # With the Patient in its key a statement never leaves its Patient by being said anew.
        key = earlier.key if earlier else f"{person}.{patient_id}"
        text = new if earlier is None else merge(replace(earlier.said, source=new.source), new)
        record = earlier.record if earlier and earlier.record[1] else said.own
        former = _former(earlier, new, text, self._rules)
        statement = Statement(saying.speaker, key, deciding.rank, text, record, former=former)
        if earlier is None or not _are_alike(earlier, statement):
            deciding.put(patient_id, statement, earlier)
        if earlier is None:
            deciding.log(patient_id, choice.rule, key, patient=said.patient)
        return choice, key, text.at


def _separated(person: str, saying: Saying) -> list[bytes]:
    """What an operator decided on a person of the source, or of the feed alone."""
    return [separated_key(each, person) for each in {saying.speaker, saying.feed}]


def _is_whole(said: StatedPatient, saying: Saying) -> bool:
    """Whether a first statement is the Patient: it describes, and carries no marks."""
    described = said.patient.get("name") or said.patient.get("birthDate")
    return bool(described) and not saying.has_marks and not saying.level


def _former(
    earlier: Statement | None, new: SourceStatement, text: SourceStatement, rules: IdentityRules
) -> Former:
    """What the source stated before, and states no more."""
    if earlier is None:
        return ()
    slots = earlier.said.slots, new.slots, text.slots
    return now_former(earlier.former, *slots, rules.corrections)


def _are_alike(one: Statement, two: Statement) -> bool:
    """Whether two statements of a record say the same."""
    return (one.said, one.feed, one.former) == (two.said, two.feed, two.former)


def _own(
    known: list[Statement], said: StatedPatient, saying: Saying, person: str
) -> Statement | None:
    """What this source's record of the person said before, by the number it goes by."""
    theirs = [each for each in known if each.feed and each.feed in {saying.speaker, saying.feed}]
    for each in theirs:
        if each.key.partition(".")[0] == person:
            return each
    return next((each for each in theirs if each.record in said.records), None)


def _point_keys(
    deciding: Deciding, said: StatedPatient, choice: Choice, known: Mapping[bytes, str]
) -> None:
    """The keys lead to the Patient; a number that is another person's leads there as before."""
    patient_id, ledger = choice.patient_id, deciding.ledger
    living = deciding.statements.living
    apart = [key for key in said.keys if key in known and living(known[key]) in choice.contradicted]
    if choice.not_taken:  # the number is that person's; name and birth date as spelt here are not
        apart += [*said.exact, *said.shared]
    pointed = [key for key in said.keys if key not in apart and known.get(key) != patient_id]
    ledger.set_identity_keys(dict.fromkeys(pointed, patient_id))
    also = {also_key(record): patient_id for record in said.records if number_key(record) in apart}
    if also:
        ledger.set_identity_keys(also)
    if said.retired:
        ledger.add_identity_keys([(number_key(record), patient_id) for record in said.retired])


def _survivor(patient: Resource) -> str:
    """Whom a statement says that it was replaced by: a map of a merge may put it so."""
    if patient.get("active") is not False:
        return ""
    for link in patient.get("link", ()):
        reference = str(link.get("other", {}).get("reference", ""))
        if link.get("type") == "replaced-by" and reference.startswith("Patient/"):
            return reference.removeprefix("Patient/")
    return ""
