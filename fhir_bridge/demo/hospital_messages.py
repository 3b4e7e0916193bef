"""What the hospital's systems send: ADT from its HIS, ORU from its laboratory system.

HL7 v2.5 chapters 3 (ADT) and 7 (ORU).  The HIS writes UTF-8 and says so; the laboratory
system writes GB18030 and says nothing, as many do.  Most registrations carry the national
identity number, some do not, and now and then one was typed in wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from fhir_bridge.demo.outgoing import Outgoing, System, escape, header, physician, render, timestamp
from fhir_bridge.demo.population import Resident, residents
from fhir_bridge.demo.visits import Panel, Visit, department_name, hospital_number, visits

__all__ = ["HIS", "LIS", "patient_segment", "registrations", "results", "visit_segment"]

HIS = System("HIS", "JCCH", "utf-8", "UNICODE UTF-8")
LIS = System("LIS", "JCCH", "gb18030", "")

_MARITAL = {"10": "S", "20": "M", "30": "W", "40": "D"}  # HL7 table 0002


def registrations(count: int, seed: int) -> Iterator[Outgoing]:
    """ADT^A04, A01, A08 and A03 of all residents who came to the hospital."""
    for resident in residents(count, seed):
        for index, visit in enumerate(visits(resident, seed)):
            event = "A01" if visit.inpatient else "A04"
            yield _adt(visit, event)
            if (resident.number + index) % 11 == 3:
                yield _adt(visit, "A08")
            yield _adt(visit, "A03")  # an outpatient visit ends as well


def results(count: int, seed: int) -> Iterator[Outgoing]:
    """ORU^R01 of all laboratory orders, one message an order."""
    for resident in residents(count, seed):
        for visit in visits(resident, seed):
            for number, panel in enumerate(visit.panels):
                yield _oru(visit, panel, number)


def patient_segment(resident: Resident, *, with_national_id: bool, split_name: bool) -> str:
    """PID: the hospital's number, the national number if it was shown, demographics."""
    numbers = [f"{hospital_number(resident)}^^^JCCH^PI"]
    if with_national_id:
        number = _as_typed_in(resident)
        numbers.append(f"{number}^^^&2.16.156.10011.1.3&ISO^NI")
    separator = "^" if split_name else ""
    name = f"{resident.surname}{separator}{resident.given}"
    fields = [""] * 23
    fields[0], fields[1], fields[3], fields[5] = "PID", "1", "~".join(numbers), name
    fields[7], fields[8] = f"{resident.birth:%Y%m%d}", "M" if resident.male else "F"
    if with_national_id:
        fields[11] = f"{escape(resident.address)}^^J市^^429802^CHN^H"
        fields[13] = f"^PRN^CP^^^^{resident.phone}"
        fields[16] = _MARITAL[resident.marital]
        fields[22] = resident.ethnic
    return "|".join(fields).rstrip("|")


def _as_typed_in(resident: Resident) -> str:
    """The identity number as the clerk typed it: one in 67 has a wrong check character."""
    right = resident.national_id
    if resident.number % 67 != 11:
        return right
    return right[:17] + ("0" if right[17] != "0" else "1")


def _adt(visit: Visit, event: str) -> Outgoing:
    when = visit.end if event == "A03" else visit.start
    if event == "A08":
        when += timedelta(minutes=20)
    control_id = f"{event}{visit.number}"
    shown = visit.resident.number % 25 != 7
    structure = "ADT_A03" if event == "A03" else "ADT_A01"
    segments = [
        header(HIS, f"ADT_{event}", structure, control_id, when),
        f"EVN|{event}|{timestamp(when)}",
        patient_segment(visit.resident, with_national_id=shown, split_name=True),
        visit_segment(visit, discharged=event == "A03"),
        f"DG1|1||{visit.icd10}^{visit.diagnosis}^I10||{visit.start:%Y%m%d}|{'F' if event == 'A03' else 'A'}",
    ]
    return Outgoing(control_id, render(HIS, segments))


def visit_segment(visit: Visit, *, discharged: bool) -> str:
    """PV1: where the visit is, who attends, its number and its times."""
    fields = [""] * 46
    fields[0], fields[1], fields[2] = "PV1", "1", "I" if visit.inpatient else "O"
    room, bed = visit.resident.number % 30 + 1, visit.resident.number % 3 + 1
    place = f"{room:02d}^{bed}" if visit.inpatient else "^"
    fields[3] = f"{department_name(visit.department)}^{place}^JCCH"
    fields[7] = physician(visit.doctor)
    fields[10] = visit.department
    fields[19] = f"{visit.number}^^^JCCH^VN"
    fields[44] = timestamp(visit.start)
    if discharged:
        fields[36] = "2" if visit.referred else "1"  # CV06.00.226
        fields[45] = timestamp(visit.end)
    return "|".join(fields).rstrip("|")


def _oru(visit: Visit, panel: Panel, number: int) -> Outgoing:
    order = f"{visit.number}{number + 1}"
    drawn = visit.start + timedelta(minutes=30)
    reported = drawn + timedelta(minutes=95)
    control_id = f"R{order}"
    segments = [
        header(LIS, "ORU_R01", "ORU_R01", control_id, reported),
        patient_segment(visit.resident, with_national_id=False, split_name=False),
        visit_segment(visit, discharged=False),
        f"ORC|RE|{order}^HIS|{order}^LIS",
        "|".join(
            (
                "OBR",
                "1",
                f"{order}^HIS",
                f"{order}^LIS",
                f"{panel.loinc}^{panel.name}^LN^{panel.code}^{panel.name}^L",
                "",
                "",
                timestamp(drawn),
                *[""] * 8,
                physician(visit.doctor),
                *[""] * 5,
                timestamp(reported),
                "",
                "LAB",
                "F",
            )
        ),
    ]
    for index, result in enumerate(panel.results, 1):
        segments.append(
            f"OBX|{index}|NM|{result.loinc}^{result.name}^LN^{result.code}^{result.name}^L|1|"
            f"{result.value}|{escape(result.unit)}|{result.low}-{result.high}|{result.flag}|||F|||"
            f"{timestamp(drawn)}"
        )
    return Outgoing(control_id, render(LIS, segments))
