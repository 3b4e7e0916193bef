"""The product's own feeds together: one visit, one disease, whichever interface speaks first."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import permutations
from pathlib import Path

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions
from fhir_bridge.identity import Linker, load_rules
from fhir_bridge.ingest import Intake, Pipeline, load_feeds
from fhir_bridge.search import Registry
from fhir_bridge.store import open_store
from fhir_bridge.transform import Library
from fhir_bridge.validation import Validator
from tests.ingest.conftest import Site

NUMBER = "429802196501150035"
HEADER = r"MSH|^~\&|HIS|JCCH|FB|C1|20260101120000||{type}|{control}|P|2.5" + "\r"
PERSON = "PID|1||P77^^^JCCH^PI||张^三||19650115|M\r"
VISIT = "PV1|1|I|内科^^^JCCH|||||||||||||||" + "|ZY1^^^JCCH^VN" + "|" * 25 + "20260102080000"
MESSAGES = {
    "admission": HEADER.format(type="ADT^A01", control="M1") + PERSON + VISIT + "\r",
    "discharge": HEADER.format(type="ADT^A03", control="M2") + PERSON + VISIT + "|20260105090000\r",
    "result": HEADER.format(type="ORU^R01", control="M3")
    + PERSON
    + VISIT
    + "\rOBR|1|O1^HIS|O1^LIS|58410-2^CBC^LN|||20260102090000\r"
    + "OBX|1|NM|718-7^Hb^LN||140|g/L|||||F\r",
}
DOCUMENT = """<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<typeId root="2.16.840.1.113883.1.3" extension="POCD_MT000040"/>
<id root="2.16.156.10011.1.1" extension="D1"/>
<code code="C0053" codeSystem="2.16.156.10011.2.4"/><title>出院小结</title>
<effectiveTime value="20260105090000"/>
<recordTarget><patientRole><id root="2.16.156.10011.1.12" extension="ZY1"/>
<id root="2.16.156.10011.1.13" extension="P77"/>
<patient><name>张三</name><administrativeGenderCode code="1" codeSystem="2.16.156.10011.2.3.3.4"/>
<birthTime value="19650115"/></patient></patientRole></recordTarget>
<custodian><assignedCustodian><representedCustodianOrganization>
<id root="2.16.156.10011.1.5" extension="124298024180000166"/><name>J市中心医院</name>
</representedCustodianOrganization></assignedCustodian></custodian>
<component><structuredBody/></component></ClinicalDocument>"""
FILE = f"档案编号,姓名,性别,出生日期,身份证号,既往疾病\nR1,张三,1,1965-01-15,{NUMBER},2@2015-03"
FOLLOW_UP = "随访编号,档案编号,姓名,性别,出生日期,随访日期,收缩压,舒张压\n{0},R1,张三,1,1965-01-15,{1},150,90"


@cache
def _library() -> Library:
    return Library.from_artifacts(Artifacts())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The product's feeds over an empty record."""
    feeds = dict(load_feeds(Artifacts()))
    store = open_store(f"sqlite:///{tmp_path / 'r.sqlite3'}", registry=Registry(definitions()))
    pipeline = Pipeline(
        store,
        feeds,
        library=_library(),
        validator=Validator(definitions(), Profiles.from_artifacts(Artifacts())),
        linker=Linker(load_rules(Artifacts()), {name: feed.source for name, feed in feeds.items()}),
    )
    yield Site(store, pipeline, Intake(store, pipeline.wake), feeds, _library())
    store.close()


@pytest.mark.parametrize(
    "order",
    [
        order
        for order in permutations(["admission", "discharge", "result", "document"])
        if order.index("admission") < order.index("discharge")
    ],
)
def test_a_discharged_visit_stays_discharged(site: Site, order: tuple[str, ...]) -> None:
    """Result and document come before, between or after: one person, one finished visit."""
    for name in order:
        if name == "document":
            site.send(DOCUMENT, feed="hospital-cda")
        else:
            site.send(MESSAGES[name], feed="hospital-his")

    assert [item.issues for item in site.store.quarantine.list()] == []
    (visit,), (_,) = site.resources("Encounter"), site.resources("Patient")
    assert visit["status"] == "finished"
    assert visit["period"]["end"] == "2026-01-05T09:00:00+08:00"
    assert visit["location"]
    assert visit["serviceProvider"]  # what only the document says


@pytest.mark.parametrize("order", list(permutations(["file", "first", "second"])))
def test_a_disease_is_one_condition(site: Site, order: tuple[str, ...]) -> None:
    """File and follow-ups meet in one Condition with the file's onset, confirmed."""
    for name in order:
        if name == "file":
            site.send(FILE, feed="public-health-files")
        else:
            day = "2026-01-02" if name == "first" else "2026-04-02"
            site.send(FOLLOW_UP.format(name, day), feed="public-health-hypertension")

    assert [item.issues for item in site.store.quarantine.list()] == []
    (disease,) = site.resources("Condition")
    assert disease["onsetDateTime"] == "2015-03"
    assert disease["verificationStatus"]["coding"][0]["code"] == "confirmed"
    visits = site.resources("Encounter")
    assert len(visits) == 2
    assert {visit["diagnosis"][0]["condition"]["reference"] for visit in visits} == {
        f"Condition/{disease['id']}"
    }


def test_an_unreadable_time_is_told_beside_the_message(site: Site) -> None:
    """The visit is stored without it; the journal names code and place."""
    site.send(MESSAGES["admission"].replace("20260102080000", "20261399"), feed="hospital-his")

    assert len(site.resources("Encounter")) == 1
    (message,) = site.store.journal.latest(limit=5)
    assert message.status == "done"
    assert "FB-2126 PV1-44" in message.detail


def test_a_blocked_time_is_open_again_when_its_event_says_so(site: Site) -> None:
    """SIU^S23 and S24 speak of no patient; the Slot is known by its doctor and its start."""
    times = "SCH|||||||||||^^^20260302080000+0800^20260302120000+0800\rRGS|1|A\rAIP|1|A|D1^张^三\r"

    def states() -> list[str]:
        return [each["status"] for each in site.resources("Slot")]

    site.send(HEADER.format(type="SIU^S23^SIU_S12", control="B1") + times, feed="hospital-his")
    assert states() == ["busy-unavailable"]
    site.send(
        HEADER.format(type="SIU^S24^SIU_S12", control="B2").replace("20260101120000", "20260101130000")
        + times,
        feed="hospital-his",
    )  # fmt: skip
    assert states() == ["free"]
    (schedule,) = site.resources("Schedule")
    assert schedule["actor"][0]["display"] == "张三"
    assert site.store.quarantine.list() == []
