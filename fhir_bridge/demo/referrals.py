"""Two-way referral as HL7 v2.5 REF^I12 (chapter 11).

Up: the health centre's doctor refers a resident to the hospital before a stay there.
Down: the hospital refers the resident back for rehabilitation when the stay ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from fhir_bridge.demo.community import Institution, Staff, institution, teams
from fhir_bridge.demo.hospital_messages import HIS, patient_segment, visit_segment
from fhir_bridge.demo.outgoing import Outgoing, System, escape, header, render, timestamp
from fhir_bridge.demo.population import residents
from fhir_bridge.demo.visits import Visit, department_name, visits

__all__ = ["CENTRE", "referrals"]

CENTRE = System("CHIS", "HCHC", "gb18030", "GB 18030-2000")


def referrals(count: int, seed: int) -> Iterator[Outgoing]:
    """The letters up and down of all residents, in order of the residents."""
    centre, hospital = institution("centre"), institution("hospital")
    for resident in residents(count, seed):
        for visit in visits(resident, seed):
            if not visit.referred:
                continue
            doctor = teams(seed)[resident.household % 3].members[0]
            before = visit.start - timedelta(days=2)
            up = (doctor, centre), (visit.doctor, hospital)
            yield _letter(CENTRE, visit, "U", up, before)
            if resident.number % 2:
                down = (visit.doctor, hospital), (doctor, centre)
                yield _letter(HIS, visit, "D", down, visit.end)


def _letter(
    system: System,
    visit: Visit,
    direction: str,
    parties: tuple[tuple[Staff, Institution], tuple[Staff, Institution]],
    when: datetime,
) -> Outgoing:
    number = f"ZZ{direction}{visit.number[2:]}"
    why = (
        f"拟诊{visit.diagnosis}，建议上级医院{department_name(visit.department)}住院诊治"
        if direction == "U"
        else f"{visit.diagnosis}，病情稳定，转回社区康复随访"
    )
    segments = [
        header(system, "REF_I12", "REF_I12", number, when),
        (
            f"RF1|A^Accepted^HL70283|R^Routine^HL70280|MED^Medical^HL70281||"
            f"{'I^Inpatient' if direction == 'U' else 'A^Ambulatory'}^HL70284|{number}^{system.facility}|"
            f"{timestamp(when)}|{when + timedelta(days=30):%Y%m%d}||{escape(why)}"
        ),
        _provider("RP^Referring Provider^HL70286", *parties[0]),
        _provider("RT^Referred to Provider^HL70286", *parties[1]),
        patient_segment(visit.resident, with_national_id=True, split_name=True),
        f"DG1|1||{visit.icd10}^{visit.diagnosis}^I10||{when:%Y%m%d}|W",
        # A letter up comes before any visit; a letter down names the stay that it ends.
        *([visit_segment(visit, discharged=True)] if direction == "D" else []),
        f"NTE|1|P|{escape(why)}",
    ]
    return Outgoing(number, render(system, segments))


def _provider(role: str, staff: Staff, place: Institution) -> str:
    """PRD: role, name, location, number of the person and of the institution (PRD-7)."""
    contact = f"^WPN^PH^^^^{staff.phone}"
    return (
        f"PRD|{role}|{staff.surname}^{staff.given}||{place.name}|{contact}||"
        f"{staff.code}^EN~{place.code}^XX"
    )
