"""Tables and platform messages that come again: what a newer copy drops, clears, contests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions
from fhir_bridge.identity import Linker, load_rules
from fhir_bridge.ingest import Feed, Intake, Pipeline, load_feeds
from fhir_bridge.search import Registry
from fhir_bridge.store import open_store
from fhir_bridge.transform import Library
from fhir_bridge.update import load_update_rules
from fhir_bridge.validation import Validator
from tests.ingest.conftest import Site

FILES = "public-health-files"
FILE_NAMES = "档案编号,姓名,性别,出生日期,联系电话,现住址,既往疾病,药物过敏史,更新时间\n"
AGREEMENT = (
    "协议编号,居民编号,姓名,性别,出生日期,签约对象类型,签约状态,签约日期,协议开始日期,协议结束日期,"
    "签约机构代码,签约机构名称,团队编号,医生工号,医生姓名,服务包编码,服务包名称,解约日期,解约原因\n"
)
SIGNED = "2026-01-02,2026-01-02,2026-12-31,990000051,某中心,T51,D51,甄医"
LIBRARY = Library.from_artifacts(Artifacts())


def site_of(path: Path, **changed: Feed) -> Site:
    """The product's feeds, some of them changed, over an empty record."""
    feeds = dict(load_feeds(Artifacts())) | changed
    store = open_store(f"sqlite:///{path / 'r.sqlite3'}", registry=Registry(definitions()))
    pipeline = Pipeline(
        store,
        feeds,
        library=LIBRARY,
        validator=Validator(definitions(), Profiles.from_artifacts(Artifacts())),
        linker=Linker(load_rules(Artifacts()), {name: feed.source for name, feed in feeds.items()}),
        update_rules=load_update_rules(Artifacts()),
    )
    return Site(store, pipeline, Intake(store, pipeline.wake), feeds, LIBRARY)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The product's feeds over an empty record."""
    made = site_of(tmp_path)
    yield made
    made.store.close()


def file_row(cells: str) -> str:
    """A health file of one row."""
    return f"{FILE_NAMES}11010100100180001,时一,1,1950-04-02,{cells}\n"


def standing(site: Site, kind: str) -> list[str]:
    """The words of what a source still states."""
    return sorted(each["code"]["text"] for each in site.resources(kind) if "clinicalStatus" in each)


def refused(site: Site) -> list[str]:
    """The leading codes in quarantine."""
    return sorted(item.issues[0].code for item in site.store.quarantine.list())


def test_a_newer_copy_of_a_file_takes_back_what_it_drops(site: Site) -> None:
    """Diabetes and the allergy are gone, hypertension and the address stay; they can return."""
    site.send(file_row("138,某街1号,2;3,2,"), feed=FILES)
    site.send(file_row("139,,2,1,"), feed=FILES)

    assert (standing(site, "Condition"), standing(site, "AllergyIntolerance")) == (["高血压"], [])
    (patient,) = site.resources("Patient")
    assert patient["telecom"][0]["value"] == "139"
    assert patient["address"][0]["text"] == "某街1号"

    site.send(file_row("139,,2.高血压 3.糖尿病,无,"), feed=FILES)
    assert standing(site, "Condition") == ["糖尿病", "高血压"]


def test_an_older_copy_that_arrives_late_takes_nothing_back(site: Site) -> None:
    """The column of the update orders copies of a row."""
    site.send(file_row("138,,2;3,1,2026-03-02"), feed=FILES)
    site.send(file_row("137,,2,2,2026-03-01 10:00"), feed=FILES)

    assert (standing(site, "Condition"), standing(site, "AllergyIntolerance")) == (
        ["糖尿病", "高血压"],
        [],
    )


def test_a_marker_of_the_feed_clears_and_an_empty_cell_keeps(tmp_path: Path) -> None:
    """The telephone is taken back, the address stays."""
    feed = load_feeds(Artifacts())[FILES]
    cleared = replace(feed, table=replace(feed.table, clear=("删除",)))
    site = site_of(tmp_path, **{FILES: cleared})
    site.send(file_row("138,某街1号,2,2,"), feed=FILES)
    site.send(file_row("删除, ,2,删除,"), feed=FILES)

    (patient,) = site.resources("Patient")
    assert "telecom" not in patient
    assert patient["address"][0]["text"] == "某街1号"
    assert standing(site, "AllergyIntolerance") == []
    assert refused(site) == []
    site.store.close()


def test_an_empty_cell_clears_where_the_feed_says_so(tmp_path: Path) -> None:
    """Columns that the table has are cleared; one that it lacks says nothing."""
    feed = load_feeds(Artifacts())[FILES]
    clearing = replace(feed, table=replace(feed.table, empty="clear"))
    site = site_of(tmp_path, **{FILES: clearing})
    site.send(file_row("138,某街1号,2,1,"), feed=FILES)
    site.send(
        "档案编号,姓名,性别,出生日期,联系电话\n11010100100180001,时一,1,1950-04-02, \n", feed=FILES
    )

    (patient,) = site.resources("Patient")
    assert "telecom" not in patient
    assert patient["address"][0]["text"] == "某街1号"
    assert refused(site) == []
    site.store.close()


def test_two_numbers_that_a_spreadsheet_rounded_never_become_one(site: Site) -> None:
    """Both rows rest in quarantine with their cell; nobody is recorded under the lost number."""
    rows = "1.10101E+16,时一,1,1950-04-02,,,2,1,\n1.10101E+16,时二,2,1951-05-03,,,3,1,\n"
    site.send(FILE_NAMES + rows, feed=FILES)

    assert refused(site) == ["FB-1308", "FB-1308"]
    assert site.resources("Patient") == []
    places = {item.issues[0].where for item in site.store.quarantine.list()}
    assert places == {"row 2, column 档案编号", "row 3, column 档案编号"}


def test_one_agreement_number_of_two_residents_loses_nobody(site: Site) -> None:
    """Two residents, two agreements, each with its own packages, wherever its lines stand."""
    rows = (
        f"XB1,JB1,时一,1,1950-04-02,1,2,{SIGNED},B1,基础包,,\n"
        f"XB1,JB2,时二,2,1951-05-03,1,4,{SIGNED},B3,老年包,2026-02-01,因死亡解约\n"
        f"XB1,JB1,时一,1,1950-04-02,1,2,{SIGNED},B2,高血压包,,\n"
    )
    site.send(AGREEMENT + rows, feed="contract-agreements")

    assert refused(site) == []
    persons = {f"Patient/{each['id']}": each for each in site.resources("Patient")}
    found: dict[str, list[str]] = {
        persons[each["subject"][0]["reference"]]["name"][0]["text"]: [
            term["offer"]["text"] for term in each["term"]
        ]
        for each in site.resources("Contract")
    }
    assert found == {"时一": ["基础包", "高血压包"], "时二": ["老年包"]}
    assert [each.get("deceasedBoolean") for each in persons.values()].count(True) == 1


V3 = '<{0} xmlns="urn:hl7-org:v3"><id root="1.2" extension="{1}"/><creationTime value="{1}"/>{2}</{0}>'
WHO = (
    '<subject><patient><id><item root="2.16.156.10011.2.5.1.4" extension="P95"/></id><patientPerson>'
    '<name><item><part value="时三"/></item></name></patientPerson></patient></subject>'
)


def visit(kind: str, created: str, numbers: str, more: str = "") -> str:
    """A message about a visit of P95; `numbers` are kind and value, for example ``9:S1``."""
    roots = {
        "9": "2.16.156.10011.2.5.1.9",
        "8": "2.16.156.10011.2.5.1.8",
        "Z": "2.16.156.10011.1.12",
    }
    items = "".join(
        f'<item root="{roots[name]}" extension="{value}"/>'
        for name, value in (number.split(":") for number in numbers.split())
    )
    event = f"<encounterEvent><id>{items}</id><code code='3'/>{more}{WHO}</encounterEvent>"
    act = f"<interactionId extension='{kind}'/><controlActProcess><subject>{event}</subject></controlActProcess>"
    return V3.format(kind, created, act)


def periods(site: Site) -> list[dict[str, Any]]:
    """Status and period of each visit, the earliest first."""
    found = [
        {"status": each["status"], **each.get("period", {})} for each in site.resources("Encounter")
    ]
    return sorted(found, key=lambda each: str(each.get("start")))


ADMISSION = '<effectiveTime><low value="20260301083000"/></effectiveTime>'
DISCHARGE = '<effectiveTime><high value="20260305100000"/></effectiveTime>'


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("9:S1 Z:ZY9", "Z:ZY9"),
        ("9:S1 Z:ZY9", "9:S1"),
        ("Z:ZY9 8:1", "Z:ZY9"),
        ("9:S1 8:1 Z:ZY9", "Z:ZY9 8:1"),
    ],
)
def test_a_discharge_under_any_of_its_numbers_keeps_the_start(
    site: Site, first: str, second: str
) -> None:
    """A visit is known by each of its numbers; its end leaves its start."""
    site.send(visit("PRPA_IN400001UV", "20260301083000", first, ADMISSION), feed="standard-cda")
    site.send(visit("PRPA_IN400003UV", "20260305100000", second, DISCHARGE), feed="standard-cda")

    assert periods(site) == [
        {
            "status": "finished",
            "start": "2026-03-01T08:30:00+08:00",
            "end": "2026-03-05T10:00:00+08:00",
        }
    ]


@pytest.mark.parametrize(
    ("first", "second"), [("9:S1 Z:ZY9", "9:S2 Z:ZY9"), ("Z:ZY9 8:1", "Z:ZY9 8:2")]
)
def test_two_stays_under_one_inpatient_number_stay_two(site: Site, first: str, second: str) -> None:
    """Another serial, or another count, is another stay."""
    site.send(visit("PRPA_IN400001UV", "20260301083000", first, ADMISSION), feed="standard-cda")
    again = ADMISSION.replace("20260301", "20260401")
    site.send(visit("PRPA_IN400001UV", "20260401083000", second, again), feed="standard-cda")

    assert [each["start"][:10] for each in periods(site)] == ["2026-03-01", "2026-04-01"]


def test_platform_messages_come_through_the_feed_of_documents(site: Site) -> None:
    """A visit is described, not only mentioned; what holds no record is refused by its name."""
    site.send(visit("PRPA_IN400001UV", "20260301083000", "9:S1", ADMISSION), feed="hospital-cda")
    site.send(V3.format("PRPA_IN900300UV", "20260301083000", ""), feed="hospital-cda")

    assert [each["status"] for each in periods(site)] == ["in-progress"]
    assert refused(site) == ["FB-6003"]


TEAM = (
    "团队编号,团队名称,团队状态,机构代码,机构名称,成员工号,成员姓名,成员工作类型,成员角色,成员机构代码,"
    "成员机构名称\n"
)


def test_who_is_no_longer_in_the_roster_has_no_role_in_the_team(site: Site) -> None:
    """The role is out of use while the team does not name the person, and the person stays."""
    doctor, nurse, public = (
        f"T1,甲队,1,12429802418000235G,某中心,{number},{name},{kind},{role},,\n"
        for number, name, kind, role in (
            ("D1", "陈一", 3, 0), ("N1", "周一", 6, 1), ("P1", "吴一", 5, 1),
        )
    )  # fmt: skip
    other = public.replace("T1", "T2") + (doctor + nurse).replace("T1", "T2")
    site.send(TEAM + doctor + nurse + public + other, feed="contract-teams")
    site.send(TEAM + doctor + nurse, feed="contract-teams")

    def active() -> dict[str, bool]:
        return {
            each["identifier"][0]["value"]: each["active"]
            for each in site.resources("PractitionerRole")
        }

    everyone = {f"{team}/{who}": True for team in ("T1", "T2") for who in ("D1", "N1", "P1")}
    assert refused(site) == []
    assert active() == everyone | {"T1/P1": False}
    assert len(site.resources("Practitioner")) == 3

    site.send(TEAM + doctor + nurse + public, feed="contract-teams")
    assert active() == everyone
