"""CDA documents of the hospital in the style of WS/T 500: discharge summaries, outpatient records.

C0053 出院小结 (template 2.16.156.10011.2.1.1.73) for every stay in hospital and
C0002 门(急)诊病历 (template …22) for some visits.  Sections carry LOINC codes, entries
carry data-element codes (2.16.156.10011.2.2.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from fhir_bridge.demo.community import institution
from fhir_bridge.demo.population import residents
from fhir_bridge.demo.visits import Visit, department_name, hospital_number, visits

__all__ = ["documents"]

_LOINC = 'codeSystem="2.16.840.1.113883.6.1" codeSystemName="LOINC"'
_DATA_ELEMENTS = 'codeSystem="2.16.156.10011.2.2.1" codeSystemName="卫生信息数据元目录"'
_ICD10 = 'codeSystem="2.16.156.10011.2.3.3.11.5" codeSystemName="疾病代码表(ICD-10)"'


def documents(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """(file name, bytes) of each document, in order of the residents."""
    number = 0
    for resident in residents(count, seed):
        for index, visit in enumerate(visits(resident, seed)):
            if visit.inpatient or (resident.number + index) % 8 == 5:
                number += 1
                kind = "C0053" if visit.inpatient else "C0002"
                data = _document(visit, kind).encode()
                yield f"{kind}-{visit.number}.xml", _spoilt(data) if number % 97 == 40 else data


def _spoilt(data: bytes) -> bytes:
    """A document whose transfer broke off."""
    return data[: len(data) * 3 // 5]


def _document(visit: Visit, kind: str) -> str:
    template, title = ("73", "出院小结") if kind == "C0053" else ("22", "门（急）诊病历")
    body = _discharge_sections(visit) if kind == "C0053" else _outpatient_sections(visit)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:mif="urn:hl7-org:v3/mif" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <realmCode code="CN"/>
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_MT000040"/>
  <templateId root="2.16.156.10011.2.1.1.{template}"/>
  <id root="2.16.156.10011.1.1" extension="{kind}{visit.number}"/>
  <code code="{kind}" codeSystem="2.16.156.10011.2.4" codeSystemName="卫生信息共享文档规范编码体系"/>
  <title>{title}</title>
  <effectiveTime value="{visit.end:%Y%m%d%H%M%S}"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25" codeSystemName="Confidentiality" displayName="正常访问保密级别"/>
  <languageCode code="zh-CN"/>
  <setId/>
  <versionNumber/>
{_header(visit)}
  <component>
    <structuredBody>
{body}
    </structuredBody>
  </component>
</ClinicalDocument>
"""


def _header(visit: Visit) -> str:
    """Whose document it is, who wrote, keeps and signed it, and of which visit it tells."""
    return "\n".join((_record_target(visit), _parties(visit), _encounter(visit)))


def _record_target(visit: Visit) -> str:
    resident, hospital = visit.resident, institution("hospital")
    sex = ("1", "男性") if resident.male else ("2", "女性")
    number_root = "12" if visit.inpatient else "11"
    return f"""  <recordTarget typeCode="RCT" contextControlCode="OP">
    <patientRole classCode="PAT">
      <id root="2.16.156.10011.1.{number_root}" extension="{visit.number}"/>
      <id root="2.16.156.10011.1.13" extension="{hospital_number(resident)}"/>
      <telecom value="{resident.phone}"/>
      <patient classCode="PSN" determinerCode="INSTANCE">
        <id root="2.16.156.10011.1.3" extension="{resident.national_id}"/>
        <name>{escape(resident.name)}</name>
        <administrativeGenderCode code="{sex[0]}" displayName="{sex[1]}" codeSystem="2.16.156.10011.2.3.3.4" codeSystemName="生理性别代码表(GB/T 2261.1)"/>
        <birthTime value="{resident.birth:%Y%m%d}"/>
        <maritalStatusCode code="{resident.marital}" codeSystem="2.16.156.10011.2.3.3.5" codeSystemName="婚姻状况代码表(GB/T 2261.2)"/>
        <age unit="岁" value="{resident.age}"/>
      </patient>
      <providerOrganization>
        <id root="2.16.156.10011.1.26" extension="{visit.department}"/>
        <name>{department_name(visit.department)}</name>
        <asOrganizationPartOf>
          <wholeOrganization>
            <id root="2.16.156.10011.1.5" extension="{hospital.code}"/>
            <name>{escape(hospital.name)}</name>
          </wholeOrganization>
        </asOrganizationPartOf>
      </providerOrganization>
    </patientRole>
  </recordTarget>"""


def _parties(visit: Visit) -> str:
    hospital = institution("hospital")
    return f"""  <author typeCode="AUT" contextControlCode="OP">
    <time value="{visit.end:%Y%m%d%H%M%S}"/>
    <assignedAuthor classCode="ASSIGNED">
      <id root="2.16.156.10011.1.7" extension="{visit.doctor.code}"/>
      <assignedPerson>
        <name>{escape(visit.doctor.name)}</name>
      </assignedPerson>
    </assignedAuthor>
  </author>
  <custodian typeCode="CST">
    <assignedCustodian classCode="ASSIGNED">
      <representedCustodianOrganization classCode="ORG" determinerCode="INSTANCE">
        <id root="2.16.156.10011.1.5" extension="{hospital.code}"/>
        <name>{escape(hospital.name)}</name>
      </representedCustodianOrganization>
    </assignedCustodian>
  </custodian>
  <legalAuthenticator>
    <time value="{visit.end:%Y%m%d%H%M%S}"/>
    <signatureCode/>
    <assignedEntity>
      <id root="2.16.156.10011.1.4" extension="{visit.doctor.code}"/>
      <code displayName="{"住院医师" if visit.inpatient else "责任医生"}"/>
      <assignedPerson>
        <name>{escape(visit.doctor.name)}</name>
      </assignedPerson>
    </assignedEntity>
  </legalAuthenticator>"""


def _encounter(visit: Visit) -> str:
    return f"""  <componentOf>
    <encompassingEncounter>
      <effectiveTime>
        <low value="{visit.start:%Y%m%d%H%M%S}"/>
        <high value="{visit.end:%Y%m%d%H%M%S}"/>
      </effectiveTime>
    </encompassingEncounter>
  </componentOf>"""


def _discharge_sections(visit: Visit) -> str:
    days = max(1, (visit.end - visit.start).days)
    course = f"入院后完善检查，明确诊断为{visit.diagnosis}，予对症治疗，病情好转。"
    order = "转社区卫生服务中心随访。" if visit.referred else "出院后休息，按时服药，门诊复查。"
    return "\n".join(
        (
            _section(
                "11450-4", "PROBLEM LIST", _text("DE05.10.148.00", "入院情况", "步入病房，神志清楚")
            ),
            _section(
                "46241-6", "HOSPITAL ADMISSION DX", _diagnosis("入院诊断-西医诊断编码", visit)
            ),
            _section(
                "11535-2",
                "Discharge Diagnosis",
                _diagnosis("出院诊断-西医诊断编码", visit)
                + _text("DE06.00.193.00", "出院情况", "好转"),
            ),
            _section(
                "8648-8",
                "Hospital Course",
                _text("DE06.00.296.00", "诊疗过程描述", course)
                + _coded("DE05.10.113.00", "治疗结果代码", "2", "2.16.156.10011.2.3.1.148")
                + _quantity("DE06.00.310.00", "实际住院天数", str(days), "天"),
            ),
            _section("46209-3", "Provider Orders", _text("DE06.00.287.00", "出院医嘱", order)),
        )
    )


def _outpatient_sections(visit: Visit) -> str:
    complaint = f"因{visit.diagnosis}相关不适{visit.resident.number % 6 + 1}天就诊"
    return "\n".join(
        (
            _section("10154-3", "CHIEF COMPLAINT", _text("DE04.01.119.00", "主诉", complaint)),
            _section(
                "10164-2",
                "HISTORY OF PRESENT ILLNESS",
                _text("DE02.10.071.00", "现病史", f"{complaint}，无发热，饮食睡眠尚可。"),
            ),
            _section(
                "29545-1",
                "PHYSICAL EXAMINATION",
                _text("DE04.10.258.00", "体格检查", "一般情况可，心肺腹查体未见明显异常"),
            ),
            _section(
                "29548-5",
                "Diagnosis",
                _coded("DE06.00.196.00", "初诊标志代码", "1", "2.16.156.10011.2.3.2.39")
                + _diagnosis("诊断-西医诊断编码", visit),
            ),
        )
    )


def _section(code: str, display: str, entries: str) -> str:
    return (
        f'      <component>\n        <section>\n          <code code="{code}" '
        f"displayName={quoteattr(display)} {_LOINC}/>\n          <text/>\n{entries}"
        "        </section>\n      </component>"
    )


def _entry(code: str, name: str, value: str) -> str:
    return (
        '          <entry>\n            <observation classCode="OBS" moodCode="EVN">\n'
        f'              <code code="{code}" {_DATA_ELEMENTS} displayName={quoteattr(name)}/>\n'
        f"              {value}\n            </observation>\n          </entry>\n"
    )


def _text(code: str, name: str, text: str) -> str:
    return _entry(code, name, f'<value xsi:type="ST">{escape(text)}</value>')


def _coded(code: str, name: str, value: str, system: str) -> str:
    return _entry(code, name, f'<value xsi:type="CD" code="{value}" codeSystem="{system}"/>')


def _quantity(code: str, name: str, value: str, unit: str) -> str:
    return _entry(code, name, f'<value xsi:type="PQ" value="{value}" unit="{unit}"/>')


def _diagnosis(name: str, visit: Visit) -> str:
    value = f'<value xsi:type="CD" code="{visit.icd10}" displayName={quoteattr(visit.diagnosis)} {_ICD10}/>'
    return _entry("DE05.01.024.00", name, value)
