"""Names whose characters were lost: in messages, documents and tables alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.ingest import convert, load_feeds
from fhir_bridge.ingest.unreadable import unreadable_names
from fhir_bridge.transform import Library
from tests.ingest.conftest import Site, adt

CASES = Path(__file__).parent.parent / "cases" / "maps"
INPUTS = {
    "hospital-his": ("v2-adt-a01-admission/input.hl7", "|欧阳明^OUYANG MING|"),
    "standard-cda": ("cda-admission-record/input.xml", "<name>李四<"),
    "contract-agreements": ("table-agreement/input.csv", ",王小,"),
}


@pytest.fixture(scope="module")
def library() -> Library:
    """The shipped maps."""
    return Library.from_artifacts(Artifacts())


@pytest.mark.parametrize("feed", INPUTS)
@pytest.mark.parametrize("name", ["??", "???", "？？", "\ufffd\ufffd", "□□", "? ?"])
def test_a_patient_without_a_readable_name_is_refused(
    library: Library, feed: str, name: str
) -> None:
    """Whatever the format, with a hint at the sender's character set."""
    file, place = INPUTS[feed]
    text = (CASES / file).read_text(encoding="utf-8")
    assert place in text
    shown = place.strip("|<>,").removeprefix("name>")
    feeds = load_feeds(Artifacts())

    found = convert(
        text.replace(place, place.replace(shown, name)).encode(),
        feeds=feeds,
        library=library,
        feed=feeds[feed],
    )

    (issue,) = {issue.code: issue for issue in found.issues if issue.code == "FB-6007"}.values()
    assert issue.severity == "error"
    assert "Patient.name" in issue.where
    assert "character set" in issue.hint


@pytest.mark.parametrize("feed", INPUTS)
def test_a_readable_name_is_taken(library: Library, feed: str) -> None:
    """Nothing is said of what is right."""
    feeds = load_feeds(Artifacts())
    data = (CASES / INPUTS[feed][0]).read_bytes()

    found = convert(data, feeds=feeds, library=library, feed=feeds[feed])

    assert not {"FB-6007", "FB-6008"} & {issue.code for issue in found.issues}


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        ([{"text": "张?"}], ["FB-6008"]),
        ([{"text": "??"}, {"text": "Zhang San"}], ["FB-6008"]),
        ([{"family": "??", "given": ["?"]}], ["FB-6007"]),
        ([{"text": "\ufffd\ufffd三"}], ["FB-6008"]),
        ([{"text": "*"}], []),
        ([{"use": "old"}], []),
        ([], []),
    ],
)
def test_only_a_person_of_whom_no_name_can_be_read_is_nobody(
    names: list[dict[str, object]], codes: list[str]
) -> None:
    """A name that is partly lost is told and kept."""
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Patient", "name": names}}],
    }

    assert [issue.code for issue in unreadable_names(bundle)] == codes


def test_the_name_of_somebody_else_is_no_reason_to_refuse() -> None:
    """A doctor or a next of kin with a lost name is told."""
    doctor = {"resourceType": "Practitioner", "name": [{"text": "??"}]}
    patient = {
        "resourceType": "Patient",
        "name": [{"text": "a"}],
        "contact": [{"name": {"text": "??"}}],
    }
    bundle = {"resourceType": "Bundle", "entry": [{"resource": doctor}, {"resource": patient}]}

    found = [(issue.code, issue.where) for issue in unreadable_names(bundle)]

    assert found == [
        ("FB-6008", "entry[0] Practitioner.name[0]"),
        ("FB-6008", "entry[1] Patient.contact[0].name"),
    ]


def test_a_record_without_a_name_rests_in_quarantine_and_leaves_nothing(site: Site) -> None:
    """Two persons with lost names never meet in the record."""
    site.send(adt("P1", "??", control="M1"), adt("P2", "??", control="M2"))

    assert site.resources("Patient") == []
    items = site.store.quarantine.list("his")
    assert [item.issues[0].code for item in items] == ["FB-6007"] * 2
