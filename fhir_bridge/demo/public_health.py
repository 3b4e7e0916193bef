"""Tables of the public-health system: health files and hypertension follow-ups.

Columns and lists are those of the national basic public-health service specification,
third edition (2017): 个人基本信息表 and 高血压患者随访服务记录表.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from random import Random

from fhir_bridge.demo.community import institution, teams
from fhir_bridge.demo.facts import stream
from fhir_bridge.demo.names import given_name
from fhir_bridge.demo.population import AS_OF, TOWNSHIP, Household, Resident, households
from fhir_bridge.demo.signing import HYPERTENSION_PACKAGE, agreements

__all__ = ["follow_ups", "health_files"]

Row = Mapping[str, str]

# GB code -> position on the paper form
_MARITAL = {"10": "1", "20": "2", "30": "3", "40": "4"}
_EDUCATION = {
    "10": "1",
    "20": "2",
    "30": "3",
    "40": "4",
    "60": "6",
    "70": "7",
    "80": "8",
    "90": "9",
}
_OCCUPATION = {
    "13": "1",
    "17": "2",
    "21": "0",
    "24": "5",
    "51": "7",
    "54": "3",
    "70": "8",
    "80": "8",
}
_PAST_DISEASE = {
    "hypertension": "2",
    "diabetes": "3",
    "tuberculosis": "9",
    "severe-mental-disorder": "8",
}
_DRUGS = ("硝苯地平控释片@1*30", "苯磺酸氨氯地平片@1*5", "缬沙坦胶囊@1*80", "厄贝沙坦片@1*150")


def health_files(count: int, seed: int) -> Iterator[Row]:
    """One row for each resident."""
    for household in households(count, seed):
        for resident in household.members:
            yield _health_file(resident, household, seed)


def follow_ups(count: int, seed: int) -> Iterator[Row]:
    """Four visits a year to each resident who signed for the hypertension package."""
    for agreement in agreements(count, seed):
        if HYPERTENSION_PACKAGE in agreement.packages:
            yield from _year_of_visits(agreement.resident, seed)


def _identity(resident: Resident) -> dict[str, str]:
    return {
        "档案编号": resident.health_record,
        "姓名": resident.name,
        "性别": "1" if resident.male else "2",
        "出生日期": resident.birth.isoformat(),
        "身份证号": resident.national_id,
    }


def _health_file(resident: Resident, household: Household, seed: int) -> Row:
    random = stream(seed, "health file", resident.number)
    centre, team = institution("centre"), teams(seed)[resident.household % 3]
    head = household.members[0]
    typed = resident.number % 3 == 0
    contact = next((other for other in household.members if other is not resident), None)
    opened = AS_OF - timedelta(days=random.randrange(200, 3000))
    return _identity(resident) | {
        "联系电话": resident.phone if resident.age >= 12 else head.phone,
        "联系人姓名": contact.name if contact else _outside_contact(random),
        "联系人电话": contact.phone if contact else f"1608{resident.number % 10_000_000:07d}",
        "联系人关系": contact.relation if contact and resident is head else "99",
        "工作单位": "",
        "常住类型": "1" if random.random() < 0.83 else "2",
        "民族": resident.ethnic,
        "ABO血型": resident.blood_group if typed else "",
        "RH血型": resident.rhesus if typed else "",
        "文化程度": _EDUCATION[resident.education],
        "职业": _OCCUPATION.get(resident.employment, "8"),
        "婚姻状况": _MARITAL[resident.marital],
        "医疗费用支付方式": resident.payment.lstrip("0"),
        "医保卡号": f"J{resident.number * 37 % 100_000_000:08d}",
        "药物过敏史": random.choices(("1", "2", "3", "2;4", "5@头孢类"), (93, 3, 2, 1, 1))[0],
        "暴露史": "1",
        "既往疾病": _past_diseases(random, resident),
        "手术史": f"阑尾切除术@{random.randrange(2005, 2025)}-05" if random.random() < 0.04 else "",
        "父亲家族史": random.choices(("1", "2", "3", "2;3"), (84, 11, 3, 2))[0],
        "母亲家族史": random.choices(("1", "2", "3"), (86, 10, 4))[0],
        "残疾情况": random.choice("2356") if "disabled" in resident.groups else "1",
        **_home(household),
        **_address(resident),
        "建档机构代码": centre.code,
        "建档机构名称": centre.name,
        "建档人工号": team.members[1].code,
        "建档人": team.members[1].name,
        "责任医生工号": team.members[0].code,
        "责任医生": team.members[0].name,
        "建档日期": max(opened, resident.birth + timedelta(days=5)).isoformat(),
        "死亡日期": "",
    }


def _home(household: Household) -> Row:
    """What the form asks of the home; filled in where a doctor has been there."""
    seen_at_home = household.number % 4 == 1
    return {
        "厨房排风设施": "2" if seen_at_home else "",
        "燃料类型": "3" if seen_at_home else "",
        "饮水": "1" if seen_at_home else "",
        "厕所": "1" if seen_at_home else "",
        "禽畜栏": "1" if seen_at_home else "",
    }


def _address(resident: Resident) -> Row:
    return {
        "现住址": f"J市H区{resident.address}",
        "省": "",
        "市": "J市",
        "区县": "H区",
        "乡镇": "H街道",
        "村居委会": "H社区",
        "行政区划代码": f"{TOWNSHIP}001",
    }


def _outside_contact(random: Random) -> str:
    """A contact from outside the household."""
    return "王" + given_name(random, 1970, male=True)


def _past_diseases(random: Random, resident: Resident) -> str:
    found = []
    for condition in resident.conditions:
        if condition in _PAST_DISEASE:
            since = max(resident.birth.year + 16, AS_OF.year - random.randrange(1, 15))
            month = random.randrange(1, 9)
            found.append(f"{_PAST_DISEASE[condition]}@{min(since, AS_OF.year)}-{month:02d}")
    return ";".join(found) or "1"


def _year_of_visits(resident: Resident, seed: int) -> Iterator[Row]:
    random = stream(seed, "hypertension", resident.number)
    systolic, diastolic = random.gauss(141, 11), random.gauss(86, 8)
    height = random.gauss(168 if resident.male else 158, 6)
    weight = (height / 100) ** 2 * max(random.gauss(25, 3), 17)
    drug = random.choice(_DRUGS)
    day = AS_OF - timedelta(days=random.randrange(320, 355))
    for number in range(1, 5):
        systolic += random.gauss(-2.2, 6)
        diastolic += random.gauss(-1.2, 4)
        weight += random.gauss(-0.1, 0.6)
        pressure = round(min(max(systolic, 100), 205)), round(min(max(diastolic, 58), 118))
        following = day + timedelta(days=random.randrange(78, 94))
        measured = _measured(random, pressure, height, weight)
        yield (
            {"随访编号": f"GXY{day:%Y}{resident.number:06d}{number}"}
            | _identity(resident)
            | {"随访日期": day.isoformat()}
            | measured
            | _assessed(random, pressure, drug)
            | _onward(resident, seed, day, following, urgent=_urgent(pressure))
        )
        day = following


def _urgent(pressure: tuple[int, int]) -> bool:
    return pressure[0] >= 180 or pressure[1] >= 110


def _measured(
    random: Random, pressure: tuple[int, int], height: float, weight: float
) -> dict[str, str]:
    return {
        "随访方式": random.choices("123", (62, 23, 15))[0],
        "收缩压": str(pressure[0]),
        "舒张压": str(pressure[1]),
        "身高": f"{height:.1f}",
        "体重": f"{weight:.1f}",
        "体质指数": f"{weight / (height / 100) ** 2:.1f}",
        "心率": str(round(random.gauss(76, 8))),
        "日吸烟量": random.choices(("0", "10", "20"), (82, 10, 8))[0],
        "日饮酒量": random.choices(("0", "1", "2"), (84, 10, 6))[0],
        "每周运动次数": str(random.randrange(0, 8)),
        "每次运动分钟": random.choice(("20", "30", "40", "60")),
        "摄盐情况": random.choices("123", (35, 50, 15))[0],
        "心理调整": random.choices("123", (75, 22, 3))[0],
        "遵医行为": random.choices("123", (72, 24, 4))[0],
    }


def _assessed(random: Random, pressure: tuple[int, int], drug: str) -> dict[str, str]:
    controlled = pressure[0] < 140 and pressure[1] < 90
    return {
        "症状": "1" if controlled else random.choice(("1", "2", "2;4", "6")),
        "服药依从性": random.choices("123", (80, 17, 3) if controlled else (60, 32, 8))[0],
        "药物不良反应": "1" if random.random() < 0.97 else "2@踝部水肿",
        "随访分类": "1" if controlled else "2",
        "用药": drug,
    }


def _onward(
    resident: Resident, seed: int, day: date, following: date, *, urgent: bool
) -> dict[str, str]:
    """Referral when the pressure is dangerous, then a second look within two weeks."""
    centre, hospital = institution("centre"), institution("hospital")
    doctor = teams(seed)[resident.household % 3].members[0]
    return {
        "转诊原因": "血压≥180/110mmHg" if urgent else "",
        "转诊机构代码": hospital.code if urgent else "",
        "转诊机构名称": hospital.name if urgent else "",
        "转诊科别": "心血管内科" if urgent else "",
        "下次随访日期": (day + timedelta(days=14) if urgent else following).isoformat(),
        "随访医生工号": doctor.code,
        "随访医生": doctor.name,
        "随访机构代码": centre.code,
        "随访机构名称": centre.name,
    }
