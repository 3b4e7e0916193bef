"""Tables of the contract system: teams, packages, agreements, fulfilment, referrals.

Agreements signed on paper leave the system as CSV; those signed in the app, on WeChat, at a
kiosk or on the web are pulled page by page (:mod:`fhir_bridge.demo.contract_api`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from fhir_bridge.demo.community import institution, teams
from fhir_bridge.demo.facts import rows, stream
from fhir_bridge.demo.population import AS_OF
from fhir_bridge.demo.signing import Agreement, agreements

__all__ = ["agreement_rows", "fulfilment_rows", "package_rows", "team_rows"]

Row = Mapping[str, str]

_CHANNEL = {"app": "1", "web": "2", "wechat": "3", "kiosk": "4", "paper": "9"}
_GROUP = {
    "child": "2", "maternal": "3", "elderly": "4", "hypertension": "5", "diabetes": "6",
    "severe-mental-disorder": "7", "tuberculosis": "8", "disabled": "9",
    "lifted-out-of-poverty": "10", "special-family-planning": "11",
}  # fmt: skip
_WORK_TYPE = {"gp": "3", "nurse": "6", "public-health": "5", "specialist": "2"}
_TITLE = {"gp": "1.3", "nurse": "2.3", "public-health": "1.3", "specialist": "1.2"}
_NATURE = {"basic": "1", "personalised": "2"}


def team_rows(seed: int) -> Iterator[Row]:
    """One row for each member of each team."""
    centre, hospital = institution("centre"), institution("hospital")
    for team in teams(seed):
        for position, member in enumerate(team.members):
            outside = member.institution != centre.code
            yield {
                "团队编号": team.code,
                "团队名称": team.name,
                "团队状态": "1",
                "机构代码": centre.code,
                "机构名称": centre.name,
                "成立日期": "2022-04-01",
                "服务电话": team.members[0].phone,
                "服务区域": "H社区",
                "最大签约户数": "800",
                "最大签约人数": "2000",
                "成员工号": member.code,
                "成员姓名": member.name,
                "成员性别": "1" if member.male else "2",
                "成员电话": member.phone,
                "成员工作类型": _WORK_TYPE[member.work_type],
                "成员角色": "0" if position == 0 else "1",
                "成员职称": _TITLE[member.work_type],
                "成员机构代码": hospital.code if outside else "",
                "成员机构名称": hospital.name if outside else "",
                "加入日期": "2022-04-01",
                "退出日期": "",
            }


def package_rows() -> Iterator[Row]:
    """One row for each item of each package."""
    centre = institution("centre")
    items = {row["code"]: row for row in rows("service_items")}
    for package in rows("packages"):
        for code in package["items"].split(";"):
            item = items[code]
            yield {
                "服务包编码": package["code"],
                "服务包名称": package["name"],
                "服务包类型": _NATURE[package["nature"]],
                "服务包状态": "1",
                "服务包价格": package["total"],
                "适用人群": _GROUP.get(package["groups"], "1"),
                "启用日期": "2023-01-01",
                "机构代码": centre.code,
                "机构名称": centre.name,
                "项目编码": code,
                "项目名称": item["name"],
                "项目性质": "1" if package["nature"] == "basic" else "2",
                "年服务次数": item["per_year"],
            }


def agreement_rows(count: int, seed: int, *, online: bool) -> Iterator[Row]:
    """One row for each package of each agreement; the rows of an agreement follow each other."""
    for agreement in agreements(count, seed):
        if (agreement.channel != "paper") == online:
            yield from _of_one_agreement(agreement)


def fulfilment_rows(count: int, seed: int) -> Iterator[Row]:
    """What was done for signed residents; one in six was never served."""
    items = {row["code"]: row["name"] for row in rows("service_items")}
    contents = {row["code"]: row["items"].split(";") for row in rows("packages")}
    centre = institution("centre")
    for agreement in agreements(count, seed):
        random = stream(seed, "fulfilment", agreement.resident.number)
        if agreement.resident.number % 6 == 0:
            continue
        due = sorted({item for package in agreement.packages for item in contents[package]})
        for number, code in enumerate(random.sample(due, min(len(due), random.randrange(1, 3)))):
            since = max(1, (AS_OF - agreement.begin).days)
            day = agreement.begin + timedelta(days=random.randrange(since))
            member = agreement.team.members[random.choice((0, 0, 1, 2))]
            yield {
                "履约编号": f"LY{agreement.number[2:]}{number + 1}",
                "协议编号": agreement.number,
                **_resident(agreement),
                "项目编码": code,
                "项目名称": items[code],
                "履约类型": str(random.randrange(1, 15)),
                "服务日期": day.isoformat(),
                "服务方式": random.choice("0012"),
                "服务次数": "1",
                "服务医生工号": member.code,
                "服务医生": member.name,
                "团队编号": agreement.team.code,
                "机构代码": centre.code,
                "机构名称": centre.name,
                "服务内容": f"{items[code]}，已完成",
            }


def _resident(agreement: Agreement) -> dict[str, str]:
    resident = agreement.resident
    return {
        "居民编号": f"JM{(resident.number * 104_651 + 77) % 10_000_019:08d}",
        "姓名": resident.name,
        "性别": "1" if resident.male else "2",
        "出生日期": resident.birth.isoformat(),
        "身份证号": resident.national_id,
    }


def _of_one_agreement(agreement: Agreement) -> Iterator[Row]:
    shared = _shared_columns(agreement)
    packages = {row["code"]: row for row in rows("packages")}
    for code in agreement.packages:
        package = packages[code]
        yield shared | {
            "服务包编码": code,
            "服务包名称": package["name"],
            "服务包类型": _NATURE[package["nature"]],
            "服务包价格": package["total"],
            "医保基金支付": package["insurance"],
            "公卫经费支付": package["public_health"],
            "个人支付": package["person"],
            "缴费日期": agreement.signed.isoformat(),
            "人员薪酬比例": "0.70",
            "续签原协议编号": shared["续签原协议编号"],
        }


def _shared_columns(agreement: Agreement) -> dict[str, str]:
    centre, hospital = institution("centre"), institution("hospital")
    resident, team, signer = agreement.resident, agreement.team, agreement.signer
    family = agreement.resident.household % 7 == 3
    combined = resident.household % 5 == 0
    renewed = agreement.status == "renewed"
    before = f"QY{agreement.begin.year - agreement.years}{resident.number + 1:06d}"
    return {
        "协议编号": agreement.number,
        **_resident(agreement),
        "联系电话": signer.phone,
        "现住址": f"J市H区{resident.address}",
        "健康档案编号": resident.health_record,
        "签约对象类型": "2" if family else "1",
        "家庭编号": f"JT{resident.household + 1:07d}",
        "户主姓名": agreement.head.name,
        "签约状态": "2",
        "签约方式": "0" if signer is resident else "1",
        "签约渠道": _CHANNEL[agreement.channel],
        "签约日期": agreement.signed.isoformat(),
        "协议开始日期": agreement.begin.isoformat(),
        "协议结束日期": agreement.end.isoformat(),
        "签约机构代码": centre.code,
        "签约机构名称": centre.name,
        "联合签约机构代码": hospital.code if combined else "",
        "联合签约机构名称": hospital.name if combined else "",
        "团队编号": team.code,
        "团队名称": team.name,
        "医生工号": team.members[0].code,
        "医生姓名": team.members[0].name,
        "签字人姓名": "" if signer is resident else signer.name,
        "签字人关系": "" if signer is resident else ("51" if signer.male else "52"),
        "重点人群": ";".join(_GROUP[group] for group in resident.groups) or "1",
        "续签原协议编号": before if renewed else "",
        "解约日期": "",
        "解约原因": "",
    }
