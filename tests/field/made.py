"""Files of the inputs that a case writes out itself.

An input is text (HL7 v2, a table, XML as it is), the sections of a document whose head is
told in a few words, the act of a V3 message, the sheets of a workbook, or the rows of a DBF.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import openpyxl

__all__ = ["write"]

_ROOT = "2.16.156.10011"
_DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:sdtc="urn:hl7-org:sdtc">
<realmCode code="{realm}"/><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<id root="{_root}.1.1" extension="{id}"/><code code="{code}" codeSystem="{_root}.2.4"/><title>{title}</title>
<effectiveTime value="{time}"/><confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>{version}
<recordTarget><patientRole classCode="PAT">{ids}<patient>{name}
<administrativeGenderCode code="{sex}" codeSystem="{_root}.2.3.3.4"/><birthTime value="{birth}"/></patient></patientRole></recordTarget>
<author><time value="{time}"/><assignedAuthor><id root="{_root}.1.7" extension="YS31"/><assignedPerson><name>施医</name></assignedPerson></assignedAuthor></author>
{custodian}{head}<component><structuredBody>{body}</structuredBody></component></ClinicalDocument>
"""
_CUSTODIAN = """<custodian><assignedCustodian><representedCustodianOrganization><id root="{_root}.1.5" extension="{custodian}"/>
<name>虚构医院</name></representedCustodianOrganization></assignedCustodian></custodian>
"""
_MESSAGE = """<?xml version="1.0" encoding="UTF-8"?>
<{interaction} xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ITSVersion="XML_1.0"><id root="{_root}.2.5.1.1" extension="{id}"/>
<creationTime value="{time}"/><interactionId root="{_root}.2.5.1.2" extension="{interaction}"/><processingCode code="P"/>
<controlActProcess classCode="CACT" moodCode="EVN"><subject typeCode="SUBJ">{act}</subject></controlActProcess></{interaction}>
"""


def write(folder: Path, input_: dict[str, Any]) -> None:
    """Writes one input below its name."""
    path = folder / input_["name"]
    if "sheets" in input_:
        _workbook(path, input_["sheets"])
    elif "rows" in input_:
        path.write_bytes(_dbf(input_["columns"], input_["rows"], input_["encoding"]))
    else:
        text = _text(input_)
        if path.suffix == ".hl7":
            lines = "\r".join(_segment(line) for line in text.strip().split("\n"))
            text = lines.replace("\\LF\\", "\n") + "\r"
        path.write_bytes(text.encode(input_.get("encoding", "utf-8")))


def _segment(line: str) -> str:
    """`PV1 @2 I @19 V1`: only the fields that are filled, each by its number."""
    name, *told = re.split(r" @(?=[0-9]+ )", line)
    if not told:
        return line
    fields = {int(at): value for at, value in (each.split(" ", 1) for each in told)}
    return "|".join([name, *(fields.get(at, "") for at in range(1, max(fields) + 1))])


def _text(input_: dict[str, Any]) -> str:
    if "sections" in input_:
        return _document(input_)
    if "act" in input_:
        return _MESSAGE.format(_root=_ROOT, **{"id": input_["name"], **input_})
    return str(input_["text"])


def _document(input_: dict[str, Any]) -> str:
    told = {"realm": "CN", "code": "C0002", "title": "文档", "head": "", "version": "", "sex": "1"}
    told |= {"birth": "19700101", "time": "20260301101500", "custodian": "990000031", **input_}
    told["name"] = f"<name>{told.pop('person')}</name>"
    told["ids"] = "".join(
        f'<id root="{_ROOT}.1.{root}" extension="{number}"/>'
        for root, number in (each.split(":") for each in told["ids"].split())
    )
    if told["custodian"]:
        told["custodian"] = _CUSTODIAN.format(_root=_ROOT, custodian=told["custodian"])
    body = "".join(_section(each) for each in told["sections"])
    return _DOCUMENT.format(_root=_ROOT, body=body, **told)


def _section(section: dict[str, Any]) -> str:
    entries = "".join(f"<entry>{_entry(each)}</entry>" for each in section["entries"])
    code = f'<code code="{section["code"]}" codeSystem="2.16.840.1.113883.6.1"/>'
    text = section.get("text", "")
    return f"<component><section>{code}<text>{text}</text>{entries}</section></component>"


def _entry(entry: str | list[str]) -> str:
    """XML as it is, `DE05.01.024.00 诊断代码 = CD I10|高血压|2.3.3.11`, or a cluster of them."""
    if isinstance(entry, list):
        parts = "".join(f"<component>{_entry(each)}</component>" for each in entry)
        return f'<organizer classCode="CLUSTER" moodCode="EVN"><statusCode/>{parts}</organizer>'
    if entry.startswith("<"):
        return entry
    told, kind, value = re.fullmatch(r"(.*?) = (\w+) ?(.*)", entry, re.DOTALL).groups()  # type: ignore[union-attr]
    code, _, display = told.partition(" ")
    return (
        f'<observation classCode="OBS" moodCode="EVN"><code code="{code}"'
        f' codeSystem="{_ROOT}.2.2.1" displayName="{display}"/>{_value(kind, value)}</observation>'
    )


def _value(kind: str, value: str) -> str:
    if kind == "ST":
        return f'<value xsi:type="ST">{value}</value>'
    if kind == "CD":
        code, name, table = value.split("|")
        return f'<value xsi:type="CD" code="{code}" displayName="{name}" codeSystem="{_ROOT}.{table}"/>'
    number, _, unit = value.partition(" ")
    unit = f' unit="{unit}"' if unit else ""
    return f'<value xsi:type="{kind}" value="{number}"{unit}/>'


def _workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)


def _dbf(columns: list[str], rows: list[list[str]], encoding: str) -> bytes:
    """A dBASE III table of character columns, 40 bytes wide (N: a numeric one)."""
    fields, width = b"", 1
    for column in columns:
        name, _, kind = column.partition(":")
        fields += struct.pack("<11sc4xBB14x", name.encode(encoding), (kind or "C").encode(), 40, 0)
        width += 40
    head = struct.pack("<B3BIHH20x", 3, 126, 3, 1, len(rows), 33 + len(fields), width)
    lines = b"".join(
        b" " + b"".join(str(cell).encode(encoding).ljust(40) for cell in row) for row in rows
    )
    return head + fields + b"\r" + lines + b"\x1a"
