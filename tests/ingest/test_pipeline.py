"""Journal entries become linked, recorded resources; what fails rests in quarantine."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.identity import PersonKeys, decisions, load_rules, unlink
from fhir_bridge.ingest import Replay
from fhir_bridge.journal import Message
from tests.ingest.conftest import ADT_MAP, Site, adt, make_site


def _versions(site: Site, resource_type: str) -> list[str]:
    return sorted(each["meta"]["versionId"] for each in site.resources(resource_type))


def test_a_message_becomes_linked_resources_with_provenance(site: Site) -> None:
    """References lead from encounter to patient and institution, and from Provenance to all."""
    site.send(adt())

    (patient,), (encounter,) = site.resources("Patient"), site.resources("Encounter")
    (organization,), (provenance,) = site.resources("Organization"), site.resources("Provenance")
    assert encounter["subject"]["reference"] == f"Patient/{patient['id']}"
    assert encounter["serviceProvider"]["reference"] == f"Organization/{organization['id']}"
    assert {target["reference"] for target in provenance["target"]} == {
        f"Patient/{patient['id']}",
        f"Encounter/{encounter['id']}",
        f"Organization/{organization['id']}",
    }
    assert provenance["policy"] == ["urn:test:adt"]


def test_the_same_message_again_changes_nothing(site: Site) -> None:
    """A resend under its own or another control id, and a fresh process, write no version."""
    site.send(adt())
    site.send(adt())
    site.send(adt(control="M2"))
    site.pipeline._resolver.forget(everything=True)
    site.send(adt(control="M3"))

    assert _versions(site, "Patient") == ["1"]
    assert _versions(site, "Encounter") == ["1"]
    assert _versions(site, "Organization") == ["1"]


def test_a_later_message_replaces_the_encounter_and_updates_the_person(site: Site) -> None:
    """Same visit number, same Encounter; the person's sex is what that source said last."""
    site.send(adt(), adt(more="female", control="M2").replace("PV1|1|I", "PV1|1|E"))

    (patient,), (encounter,) = site.resources("Patient"), site.resources("Encounter")
    assert patient["gender"] == "female"
    assert (encounter["class"]["code"], encounter["meta"]["versionId"]) == ("E", "2")


def test_what_is_said_and_taken_back_in_one_batch_ends_as_said_last(site: Site) -> None:
    """First, second, first again: the third statement counts."""
    site.send(adt(more="male"), adt(more="female", control="M2"), adt(more="male", control="M3"))

    (patient,) = site.resources("Patient")
    assert patient["gender"] == "male"


def test_a_thinner_mention_of_an_institution_takes_nothing_away(site: Site) -> None:
    """An Organization without a name keeps the name that is known."""
    site.send(adt())
    site.send(adt(control="M2", visit="V2").replace("|内科|", "||"))

    assert [each["name"] for each in site.resources("Organization")] == ["内科"]
    assert len(site.resources("Encounter")) == 2


def test_one_bad_message_stops_no_other(site: Site) -> None:
    """Unreadable, unmapped, invalid and good ones in one batch: only the good are recorded."""
    site.send(
        b"rubbish",
        adt(number="P1"),
        adt(number="P2", control="M2", more="neither", visit="V2"),
        adt(number="P3", control="M3").replace("ADT^A01", "ORU^R01"),
        adt(number="P4", control="M4", visit="V4"),
    )

    items = site.store.quarantine.list()
    assert sorted(item.issues[0].code for item in items) == ["FB-1101", "FB-3008", "FB-6003"]
    assert items[-1].data == b"rubbish"
    assert len(site.resources("Patient")) == 2
    assert [(each.done, each.quarantined) for each in site.store.journal.counts_by_feed()] == [
        (2, 3)
    ]


def test_a_refused_message_leaves_no_trace_in_identities(site: Site) -> None:
    """A person known only from a refused message is not known."""
    site.send(adt(more="neither"))

    with site.store.reading() as session:
        assert session.one("SELECT count(*) FROM identity_statement") == (0,)


def test_a_message_type_that_is_ignored_is_done(site: Site) -> None:
    """Acknowledgements are kept and not mapped."""
    site.send("MSH|^~\\&|A|B|C|D|20260101||ACK|1|P|2.5\rMSA|AA|X\r")

    assert site.store.journal.latest(status="ignored")[0].feed == "his"
    assert site.store.quarantine.list() == []


def test_an_unknown_feed_is_a_coded_reason(site: Site) -> None:
    """An entry whose feed was removed rests in quarantine."""
    site.send(adt(), feed="gone")

    assert [item.issues[0].code for item in site.store.quarantine.list()] == ["FB-6302"]


def test_rows_of_a_table_are_records_of_their_own(site: Site) -> None:
    """A bad row rests as JSON with its place; the others are recorded."""
    rows = ["number,name,born", *(f"R{n},王{n},1980-01-{n:02}" for n in range(1, 29))]
    rows[20] = "R20,王,not a date"
    site.send("\n".join(rows), feed="register")

    (item,) = site.store.quarantine.list()
    assert len(site.resources("Patient")) == 27
    assert (item.source, item.content_type) == ("row 21", "application/json")
    assert b'"R20"' in item.data
    assert site.store.journal.latest()[0].detail == "1 of 28 in quarantine"


def test_an_entry_worked_on_again_puts_nothing_twice_into_quarantine(site: Site) -> None:
    """After a crash in the middle of a file its refused rows are known."""
    site.send("number,name,born\nR1,王,not a date\nR2,李,1980-01-01", feed="register")
    site.store.journal.reopen(1)
    site.pipeline._recorder._set_aside._at_rest = (0, frozenset())
    site.pipeline.drain()

    assert len(site.store.quarantine.list()) == 1
    assert _versions(site, "Provenance") == ["1"]


def test_a_person_from_two_sources_is_one_patient_with_two_provenances(site: Site) -> None:
    """The verified national number joins them."""
    number = "11010519491231002X"
    site.send(adt(number="P1").replace("|19700101|", "|19491231||" + "|" * 10 + number))
    site.send(f"number,name,born,id\nR1,张三,1949-12-31,{number}", feed="register")

    (patient,) = site.resources("Patient")
    assert {each["value"] for each in patient["identifier"]} == {"P1", "R1", number}
    assert len(site.resources("Provenance")) == 2


@pytest.mark.parametrize("step", ["read", "resolve"])
def test_a_fault_of_ours_quarantines_one_message(site: Site, monkeypatch, step: str) -> None:
    """An unexpected exception in any step divides the batch and isolates the cause."""
    real = getattr(site.pipeline._resolver, step)

    def faulty(given, *others):
        if "bad" in str(getattr(given, "entries", given)):
            raise RuntimeError
        return real(given, *others)

    monkeypatch.setattr(site.pipeline._resolver, step, faulty)
    site.send(
        adt("P1"), adt("P2", "bad", "V2", control="M2"), adt("P3", "王五", "V3", control="M3")
    )

    assert len(site.resources("Patient")) == 2
    assert [item.issues[0].code for item in site.store.quarantine.list()] == ["FB-9001"]
    assert site.store.journal.pending() == []


def _outpatient() -> bytes:
    """A later message of the same visit."""
    return adt(control="M2").replace("PV1|1|I|", "PV1|1|O|").encode()


class _Asleep:
    """The pipeline of a process that answers pages: it never works."""

    def wake(self) -> None:
        """Nobody hears."""


@dataclass
class _Draining:
    """A pipeline that works when it is woken."""

    site: Site

    def wake(self) -> None:
        """Work until nothing is pending."""
        self.site.pipeline.drain()


def test_replay_records_what_a_mended_map_can_read(site: Site) -> None:
    """The item leaves quarantine and its message is done; until then it rests there again."""
    site.send(adt(more="M"))
    replay = Replay(site.store, _Draining(site))
    failed = replay.messages([1])
    site.library.add(ADT_MAP.replace("patient.gender = sex", "patient.gender = 'male'"))
    (replayed,) = replay.items([site.store.quarantine.list()[0].item_id])

    assert [issue.code for issue in failed[0].issues] == ["FB-3008"]
    assert replayed.recorded
    assert site.resources("Patient")[0]["gender"] == "male"
    assert site.store.quarantine.list() == []
    assert site.store.journal.latest()[0].status == "done"


def test_a_row_is_replayed_alone_and_keeps_its_place(site: Site) -> None:
    """The other rows of its file are not said again; it still tells where it stood."""
    site.send("number,name,born\nR1,张三,1970\nR2,李四,19x0", feed="register")
    (item,) = site.store.quarantine.list()
    (failed,) = Replay(site.store, _Draining(site)).items([item.item_id])
    (again,) = site.store.quarantine.list()

    assert not failed.recorded
    assert (again.source, again.data) == (item.source, item.data)
    assert site.pipeline.timings.records == 3


def test_a_replay_waits_for_the_pipeline_of_the_record(site: Site) -> None:
    """Before what came later of the same visit: the old state never follows the new one."""
    site.send(adt(more="M"))
    site.library.add(ADT_MAP.replace("patient.gender = sex", "patient.gender = 'male'"))
    site.journal.append([Message("his", _outpatient(), "M2")])
    item = site.store.quarantine.list()[0].item_id
    (replayed,) = Replay(site.store, _Asleep(), wait=0).items([item])

    assert replayed.waiting
    assert site.resources("Patient") == []
    site.pipeline.drain()
    (encounter,) = site.resources("Encounter")
    assert (encounter["class"]["code"], encounter["meta"]["versionId"]) == ("O", "2")


def test_a_file_counts_what_is_refused_also_when_a_batch_is_divided(
    site: Site, monkeypatch
) -> None:
    """A row that cannot be read and one that meets a fault of ours, in different commits."""
    real = site.pipeline._resolver.read

    def read(bundle, *others):
        if "name 55" in str(bundle):
            raise RuntimeError
        return real(bundle, *others)

    monkeypatch.setattr(site.pipeline._resolver, "read", read)
    rows = "\n".join(f"R{n},name {n},{'never' if n == 3 else '1980-01-01'}" for n in range(60))
    site.send(f"number,name,born\n{rows}\n", feed="register")

    (message,) = site.store.journal.latest()
    assert (message.status, message.detail) == ("done", "2 of 60 in quarantine")
    assert len(site.resources("Patient")) == 58


def test_two_pipelines_never_record_a_message_twice(site: Site, monkeypatch) -> None:
    """What another process finished since a batch was read is left out: order stays."""
    other = make_site(site.store.storage.database.path)
    real = site.pipeline._mapped

    def works(entries):
        read = list(real(entries))
        other.send(_outpatient())
        return iter(read)

    monkeypatch.setattr(site.pipeline, "_mapped", works)
    site.journal.append([Message("his", adt().encode(), "M1")])
    site.pipeline.drain(once=True)
    other.store.close()

    (encounter,) = site.resources("Encounter")
    assert (encounter["class"]["code"], encounter["meta"]["versionId"]) == ("O", "2")


def test_what_another_process_said_is_not_taken_for_known(site: Site) -> None:
    """A ward's name set by another process is set back by the feed's next message."""
    other = make_site(site.store.storage.database.path)
    site.send(adt())
    other.send(adt(control="M2").replace("内科", "外科"))
    site.send(adt(control="M3"))
    other.store.close()

    assert site.resources("Organization")[0]["name"] == "内科"


def test_an_undone_link_is_not_remembered(site: Site) -> None:
    """What an operator took apart beside the running pipeline stays apart with the next message."""
    number = "11010519491231002X"
    said = adt(number="P1").replace("|19700101|", "|19491231||" + "|" * 10 + number)
    site.send(f"number,name,born,id\nR1,张三,1949-12-31,{number}", feed="register")
    site.send(said)
    (patient,) = site.resources("Patient")
    joined = next(each for each in decisions(site.store, patient["id"]) if each.can_be_undone)
    undone = unlink(site.store, PersonKeys(load_rules(Artifacts())), joined.number)

    assert [each.split("/")[0] for each in undone.moved] == ["Encounter"]
    site.send(said.replace("||M1|", "||M7|").replace("|V1", "|V2"))
    subjects = {each["subject"]["reference"] for each in site.resources("Encounter")}
    assert subjects == {f"Patient/{undone.new_patient_id}"}
    assert len(site.resources("Patient")) == 2


def test_the_thread_works_when_it_is_woken(site: Site) -> None:
    """start, append, stop: what was appended is recorded."""
    done = threading.Event()
    real = site.pipeline._recorder.record

    def record(works):
        real(works)
        done.set()

    site.pipeline._recorder.record = record  # type: ignore[method-assign]
    site.pipeline.start()
    site.journal.append([Message("his", adt().encode(), "M1")])

    assert done.wait(10)
    site.pipeline.stop()
    assert len(site.resources("Encounter")) == 1


def test_lineage_names_the_place_of_each_element(site: Site) -> None:
    """A feed that asks for it gets source place and rule on the Provenance."""
    site.feeds["his"] = replace(site.feeds["his"], lineage=True)
    site.send(adt())

    (patient,), (provenance,) = site.resources("Patient"), site.resources("Provenance")
    steps = {
        each["extension"][0]["valueString"]: each["extension"][1]["valueString"]
        for each in provenance["extension"]
    }
    assert steps[f"Patient/{patient['id']}#name[0].text"] == "PID-5"
    assert steps[f"Patient/{patient['id']}#birthDate"] == "PID-7"


def test_stages_are_timed(site: Site) -> None:
    """Every stage has spent time, and counts say on what."""
    site.send(adt())

    timings = site.pipeline.timings
    assert all(timings.nanoseconds.values())
    assert (timings.entries, timings.records, timings.resources, timings.commits) == (1, 1, 4, 1)
