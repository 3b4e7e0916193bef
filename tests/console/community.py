"""Resources of one resident, in the shapes that the profiles of the family-doctor record ask for."""

from decimal import Decimal

EXT = "https://fhir-bridge.org/fhir/StructureDefinition/"
CS = "https://fhir-bridge.org/fhir/CodeSystem/"
NATIONAL = "urn:oid:2.16.156.10011.1.3"


def _coding(system, code):
    return {"system": CS + system, "code": code}


def _share(source, amount):
    return {
        "extension": [
            {"url": EXT + "funding-source", "valueCoding": _coding("funding-source", source)}
        ],
        "net": {"value": Decimal(amount), "currency": "CNY"},
    }


def _pressure(number, day, systolic, diastolic):
    def component(code, value):
        return {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": systolic if value is None else value, "unit": "mmHg"},
        }

    return {
        "resourceType": "Observation",
        "id": f"bp{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}], "text": "血压"},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": day,
        "component": [component("8480-6", systolic), component("8462-4", diastolic)],
    }


def _result(code, name, value, unit, low, high, flag):
    return {
        "resourceType": "Observation",
        "id": f"lab-{code}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": name},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-05-04T10:12:00+08:00",
        "valueQuantity": {"value": Decimal(value), "unit": unit},
        "interpretation": [{"coding": [{"code": flag}]}],
        "referenceRange": [{"low": {"value": Decimal(low)}, "high": {"value": Decimal(high)}}],
    }


def _provenance(number, feed, title):
    return {
        "resourceType": "Provenance",
        "id": f"pv{number}",
        "target": [{"reference": "Patient/p1"}],
        "recorded": f"2026-0{number}-02T03:04:05.000Z",
        "agent": [{"who": {"identifier": {"value": feed}, "display": title}}],
    }


def _staff(number, family, given):
    return {
        "resourceType": "Practitioner",
        "id": number,
        "identifier": [{"system": "urn:oid:2.16.156.10011.1.4", "value": number}],
        "name": [{"text": family + given}],
    }


def resources():
    """Everything of the resident, and one neighbour."""
    resident = {
        "resourceType": "Patient",
        "id": "p1",
        "extension": [
            {
                "url": EXT + "key-population",
                "extension": [{"url": "group", "valueCoding": _coding("key-population", group)}],
            }
            for group in ("elderly", "hypertension")
        ],
        "identifier": [
            {"system": NATIONAL, "value": "42980219560304212X", "type": {"text": "居民身份证"}},
            {
                "system": "urn:oid:2.16.156.10011.1.2",
                "value": "42980200100100024",
                "type": {"text": "健康档案编号"},
            },
            {
                "system": "https://hospital.example/pid",
                "value": "P00176000",
                "type": {"text": "病案号"},
                "extension": [
                    {"url": EXT + "identifier-not-verified", "valueCoding": {"code": "checksum"}}
                ],
            },
        ],
        "name": [{"text": "欧阳秀兰", "family": "欧阳", "given": ["秀兰"]}],
        "gender": "female",
        "birthDate": "1956-03-04",
        "telecom": [{"system": "phone", "value": "16000000023"}],
        "address": [{"text": "J市H区解放路88号3栋1单元802室"}],
        "generalPractitioner": [{"reference": "Practitioner/HC001"}],
    }
    contract = {
        "resourceType": "Contract",
        "id": "c1",
        "identifier": [{"system": "https://contracts.example", "value": "QY2026000024"}],
        "status": "executed",
        "issued": "2026-03-01",
        "applies": {"start": "2026-03-05", "end": "2028-03-04"},
        "subject": [{"reference": "Patient/p1"}],
        "authority": [{"reference": "Organization/o1"}],
        "term": [
            {
                "offer": {"text": "签约服务"},
                "asset": [
                    {
                        "type": [{"coding": [_coding("package-kind", "basic")]}],
                        "text": "基础服务包",
                        "valuedItem": [_share("medical-insurance", "8.00"), _share("public-health-fund", "12.00")],
                    },
                    {
                        "type": [{"coding": [_coding("package-kind", "personalised")]}],
                        "text": "高血压患者服务包",
                        "valuedItem": [
                            _share("medical-insurance", "48.00"),
                            _share("public-health-fund", "40.00"),
                            _share("resident", "32.00"),
                        ],
                    },
                ],
                "action": [
                    {
                        "type": {"text": "服务"},
                        "intent": {"text": "签约"},
                        "status": {"text": "有效"},
                        "performer": {"reference": "CareTeam/t1"},
                    }
                ],
            }
        ],
        "signer": [
            {
                "type": {"code": "PAT"},
                "party": {"reference": "Patient/p1"},
                "signature": [{"type": [{"code": "x"}], "when": "2026-03-01T00:00:00+08:00", "who": {"reference": "Patient/p1"}}],
            },
            {
                "type": {"code": "HPROV"},
                "party": {"reference": "Practitioner/HC001"},
                "signature": [{"type": [{"code": "x"}], "when": "2026-03-01T00:00:00+08:00", "who": {"reference": "Practitioner/HC001"}}],
            },
        ],
    }  # fmt: skip
    team = {
        "resourceType": "CareTeam",
        "id": "t1",
        "status": "active",
        "name": "梁医生团队",
        "participant": [
            {
                "role": [{"coding": [_coding("team-role", role)]}],
                "member": {"reference": f"Practitioner/{who}"},
            }
            for role, who in (
                ("gp", "HC001"),
                ("nurse", "HC002"),
                ("public-health", "HC003"),
                ("specialist", "YS0301"),
            )
        ],
        "managingOrganization": [{"reference": "Organization/o1"}],
    }
    referral = {
        "resourceType": "ServiceRequest",
        "id": "r1",
        "extension": [
            {"url": EXT + "referral-direction", "valueCode": "up"},
            {
                "url": EXT + "referring-organization",
                "valueReference": {"reference": "Organization/o1"},
            },
        ],
        "status": "active",
        "intent": "order",
        "authoredOn": "2026-04-02",
        "subject": {"reference": "Patient/p1"},
        "performer": [{"reference": "Organization/o2"}],
        "reasonCode": [{"text": "血压持续控制不满意"}],
    }
    others = [
        {
            "resourceType": "Condition",
            "id": "k1",
            "code": {
                "coding": [
                    {
                        "system": "http://hl7.org/fhir/sid/icd-10",
                        "code": "I10",
                        "display": "原发性高血压",
                    }
                ]
            },
            "subject": {"reference": "Patient/p1"},
            "onsetDateTime": "2015-03",
        },
        {
            "resourceType": "Encounter",
            "id": "e1",
            "status": "finished",
            "class": {"code": "IMP"},
            "subject": {"reference": "Patient/p1"},
            "period": {"start": "2026-05-04T09:30:00+08:00"},
            "serviceType": {"text": "心血管内科"},
        },
        {
            "resourceType": "Immunization",
            "id": "v1",
            "status": "completed",
            "vaccineCode": {"text": "流感疫苗"},
            "patient": {"reference": "Patient/p1"},
            "occurrenceDateTime": "2025-10-20",
        },
        {
            "resourceType": "DocumentReference",
            "id": "d1",
            "status": "current",
            "type": {"text": "出院小结"},
            "subject": {"reference": "Patient/p1"},
            "date": "2026-05-12T10:00:00+08:00",
            "content": [{"attachment": {"title": "出院小结"}}],
        },
        {
            "resourceType": "Task",
            "id": "w1",
            "status": "completed",
            "intent": "order",
            "code": {"text": "年度健康体检"},
            "for": {"reference": "Patient/p1"},
            "authoredOn": "2026-06-01",
            "executionPeriod": {"start": "2026-06-01"},
        },
    ]
    neighbour = {
        "resourceType": "Patient",
        "id": "p2",
        "identifier": [{"system": NATIONAL, "value": "429802199203043849"}],
        "name": [{"text": "<b>王</b>伟"}],
        "gender": "male",
        "birthDate": "1992-03-04",
    }
    return [
        {"resourceType": "Organization", "id": "o1", "name": "J市H区H社区卫生服务中心"},
        {"resourceType": "Organization", "id": "o2", "name": "J市中心医院"},
        _staff("HC001", "梁", "婷"),
        _staff("HC002", "胡", "燕红"),
        _staff("HC003", "孔", "峰毅"),
        _staff("YS0301", "朱", "东亮"),
        resident,
        neighbour,
        team,
        contract,
        referral,
        *others,
        *(
            _pressure(i, f"2026-0{month}-1{i}", systolic, diastolic)
            for i, (month, systolic, diastolic) in enumerate(
                [(1, 158, 96), (3, 151, 92), (5, 146, 90), (7, 138, 84), (9, 134, 82)]
            )
        ),
        _result("718-7", "血红蛋白", "108", "g/L", "115", "175", "L"),
        _result("14647-2", "总胆固醇", "5.80", "mmol/L", "2.80", "5.20", "H"),
        _result("2823-3", "钾", "4.20", "mmol/L", "3.50", "5.30", "N"),
        _provenance(1, "public-health-files", "居民健康档案"),
        _provenance(2, "hospital-adt", "市中心医院 HIS"),
        _provenance(3, "contract-agreements", "签约协议"),
    ]
