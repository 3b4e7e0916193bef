"""A record with a linker, as ingest uses it: every message is decided on a draft, then written."""

from __future__ import annotations

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.audit import provenance
from fhir_bridge.fhir import parse_json
from fhir_bridge.identity import Linker, Saying, decisions, load_rules, unlink
from fhir_bridge.ingest.draft import Draft
from fhir_bridge.store import StatementRow, resource_key
from fhir_bridge.update import load_update_rules, stamp

NATIONAL = "urn:oid:2.16.156.10011.1.3"
SOURCES = {"his": "hospital", "lab": "hospital", "files": "public-health", "contracts": "contract"}
OWN = (NATIONAL, "11010519491231002X")
OTHER = (NATIONAL, "110105194912310046")
HIS = "urn:his"


def numbers(*identifiers):
    """Identifiers of (system, value), or (system, value, type code)."""
    return [
        {"system": system, "value": value}
        | ({"type": {"coding": [{"code": kind[0]}]}} if kind else {})
        for system, value, *kind in identifiers
    ]


def woman(*identifiers, name="李梅", born="1949-12-31", **more):
    """What a source says of the person behind the published specimen number."""
    return {
        "resourceType": "Patient",
        "identifier": numbers(*identifiers),
        "name": [{"text": name}],
        "birthDate": born,
        "gender": "female",
    } | more


class World:
    """A record; messages make a Patient, an Observation and a Provenance."""

    def __init__(self, store):
        self.store = store
        self.update = load_update_rules(Artifacts())
        self.linker = Linker(load_rules(Artifacts()), SOURCES, self.update)
        self.count = 0
        self.last = None

    def say(self, feed, *identifiers, observation="", event="ADT^A08", at=0, **patient):
        """One message of a feed; the Patient's id."""
        stated = woman(*identifiers, **patient)
        return self.message(feed, stated, observation=observation, event=event, at=at)

    def number_only(self, feed, *identifiers, observation="", event="ORU^R01", at=0):
        """A message that names the person by number alone."""
        stated = {"resourceType": "Patient", "identifier": numbers(*identifiers)}
        return self.message(feed, stated, observation=observation, event=event, at=at)

    def message(self, feed, patient, *, observation="", event="ADT^A08", at=0, source=""):
        """One message with `patient`; the Patient's id."""
        digest, at = self._next(at)
        with self.store.transaction() as tx:
            draft = Draft(tx)
            saying = Saying(feed, source or feed, at, lambda: digest, event)
            link = self.linker.link(draft, patient, saying)
            self._write(draft, link)
            targets = [f"Patient/{link.patient_id}"]
            if observation:
                targets.append(f"Observation/{observation}")
                self._observe(draft, observation, link, feed, at)
            self._prove(draft, digest, feed, targets, [link.record])
            self._apply(draft, link)
        self.last = link
        return link.patient_id

    def order(self, feed, operation, at=0, **given):
        """An operation on persons; its result."""
        digest, at = self._next(at)
        parameters = {
            "resourceType": "Parameters",
            "parameter": [
                {"name": name, "valueIdentifier": numbers(identifier)[0]}
                for name, identifier in given.items()
            ],
        }
        with self.store.transaction() as tx:
            draft = Draft(tx)
            saying = Saying(feed, feed, at, lambda: digest, "ADT^A40")
            link = self.linker.operate(draft, f"Patient/${operation}", parameters, saying)
            if link is not None:
                self._write(draft, link)
                self._apply(draft, link)
        self.last = link
        return link

    def merge(self, old, new, feed="his", at=0):
        """Number `old` of a feed was merged into `new`."""
        given = {"source-patient-identifier": (HIS, old), "target-patient-identifier": (HIS, new)}
        return self.order(feed, "merge", at, **given)

    def undo(self, patient_id, rule="", feed=""):
        """Take back the last decision on a Patient, of a rule and feed."""
        found = [
            each
            for each in decisions(self.store, patient_id)
            if each.can_be_undone and each.rule.startswith(rule) and feed in each.feed
        ]
        return unlink(self.store, self.linker.keys, found[-1].number, self.update)

    def read(self, reference):
        """The current body of a resource."""
        return parse_json(self.store.read(*reference.split("/")).body)

    def patient(self, patient_id):
        """The stored Patient."""
        return self.read(f"Patient/{patient_id}")

    def numbers_of(self, patient_id):
        """Value -> use of the numbers that a stored Patient shows."""
        return {
            each["value"]: each.get("use", "") for each in self.patient(patient_id)["identifier"]
        }

    def subject(self, observation):
        """Of whom an Observation is."""
        return self.read(f"Observation/{observation}")["subject"]["reference"].split("/")[1]

    def _next(self, at):
        """A digest, and the stamp of an event at `at` (ms) or of the next second."""
        self.count += 1
        return f"digest-{self.count}", stamp(at or self.count * 1000, self.count)

    def _write(self, draft, link):
        for resource in [*link.replaced, link.patient]:
            version = draft.last_version("Patient", resource["id"]) + 1
            present = draft.present("Patient", resource["id"])
            if present is None or _bare(present.resource) != resource:
                draft.put(resource, version)

    def _observe(self, draft, id_, link, feed, at):
        resource = _observation(id_, link.patient_id)
        draft.put_row(
            StatementRow(
                resource_key("Observation", id_), feed, 0, self.count, at, 1, person=link.person
            )
        )
        draft.put(resource, draft.last_version("Observation", id_) + 1)

    def _prove(self, draft, digest, feed, targets, persons):
        stated = provenance(
            feed=feed, title=feed, message=digest, targets=targets,
            recorded="2026-01-01T00:00:00Z", persons=[each for each in persons if each[1]],
        )  # fmt: skip
        stated["id"] = digest
        draft.put(stated, 1)

    def _apply(self, draft, link):
        draft.move(link.moves)
        draft.apply()


def _bare(resource):
    meta = {k: v for k, v in resource.get("meta", {}).items() if k in {"tag", "profile"}}
    bare = {key: value for key, value in resource.items() if key != "meta"}
    return bare | ({"meta": meta} if meta else {})


def _observation(id_, patient_id):
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient_id}"},
    }
