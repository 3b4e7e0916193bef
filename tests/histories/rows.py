"""Table rows of events: the public-health office's files, the contract system's agreements."""

from __future__ import annotations

from collections.abc import Mapping

from tests.histories.events import NULL, Event, Value
from tests.histories.numbers import Numbers, moment

__all__ = ["ALLERGIES", "CLEARED", "DISEASES", "PACKAGES", "table"]

DISEASES = {"hypertension": "2", "diabetes": "3", "stroke": "7"}
ALLERGIES = {"penicillin": "2", "sulfonamide": "3"}
PACKAGES = {"BAO1": "基础包", "BAO2": "高血压包", "BAO3": "糖尿病包"}
CLEARED = "清空"
"""What a cell holds that takes back what was said there."""
_SEX = {"male": "1", "female": "2"}


def table(event: Event, numbers: Numbers) -> bytes:
    """The CSV file of one row, or of one agreement's lines."""
    lines = _file(event, numbers) if event.act == "row" else _agreement(event, numbers)
    columns = list(lines[0])
    text = [",".join(columns), *(",".join(line[name] for name in columns) for line in lines)]
    return "\n".join([*text, ""]).encode()


def _person(event: Event, numbers: Numbers) -> dict[str, str]:
    said = event.says["person"]
    return {
        "姓名": str(said["name"]),
        "性别": _SEX[str(said["sex"])],
        "出生日期": str(said["born"]),
        "身份证号": numbers.citizen(str(said["citizen"])) if "citizen" in said else "",
        "联系电话": _cell(said, "home"),
        "更新时间": moment(event.minute).strftime("%Y-%m-%d %H:%M:%S") if event.minute else "",
    }


def _file(event: Event, numbers: Numbers) -> list[dict[str, str]]:
    said = event.says["file"]
    return [
        {
            "档案编号": numbers.of(event.number),
            **_person(event, numbers),
            "现住址": _cell(event.says["person"], "address"),
            "既往疾病": _list(said["diseases"], DISEASES),
            "药物过敏史": _list(said["allergies"], ALLERGIES),
            "建档日期": "2026-01-05",
        }
    ]


def _agreement(event: Event, numbers: Numbers) -> list[dict[str, str]]:
    said = event.says["agreement"]
    common = {
        "协议编号": numbers.of(str(said["number"])),
        "居民编号": numbers.of(event.number),
        **_person(event, numbers),
        "签约对象类型": "1",
        "签约状态": str(said["state"]),
        "签约日期": str(said["from"]),
        "协议开始日期": str(said["from"]),
        "协议结束日期": str(said["from"])[:4] + "-12-31",
        "签约机构代码": "990000012",
        "签约机构名称": "虚构中心",
        "医生工号": "D26",
        "医生姓名": "甄医",
        "解约日期": "2026-06-01" if said["state"] == "4" else "",
        "解约原因": "99" if said["state"] == "4" else "",
    }
    return [
        {
            **common,
            "服务包编码": code,
            "服务包名称": PACKAGES[code],
            "医保基金支付": "80",
            "个人支付": "20",
        }
        for code in said["packages"]
    ]


def _cell(said: Mapping[str, Value], name: str) -> str:
    return CLEARED if said.get(name) == NULL else str(said.get(name, ""))


def _list(chosen: Value, codes: Mapping[str, str]) -> str:
    return ";".join(codes[each] for each in chosen) or "1"
