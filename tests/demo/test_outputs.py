"""What the source systems emit."""

import csv
import hashlib
import io
from collections import Counter
from xml.etree import ElementTree as ET

import pytest

from fhir_bridge.demo import contract_system, public_health
from fhir_bridge.demo.documents import documents
from fhir_bridge.demo.facts import rows
from fhir_bridge.demo.faults import FAULTS, with_faults
from fhir_bridge.demo.hospital_messages import registrations, results
from fhir_bridge.demo.outgoing import Outgoing
from fhir_bridge.demo.referrals import referrals


def _bytes_of(count: int, seed: int) -> str:
    digest = hashlib.sha256()
    for stream in (
        with_faults(registrations(count, seed), 10),
        results(count, seed),
        referrals(count, seed),
    ):
        for message in stream:
            digest.update(message.data)
    for name, data in documents(count, seed):
        digest.update(name.encode() + data)
    for table in (
        contract_system.team_rows(seed),
        contract_system.package_rows(),
        contract_system.agreement_rows(count, seed, online=True),
        contract_system.agreement_rows(count, seed, online=False),
        contract_system.fulfilment_rows(count, seed),
        public_health.health_files(count, seed),
        public_health.follow_ups(count, seed),
    ):
        for row in table:
            digest.update("\t".join(row.values()).encode())
    return digest.hexdigest()


def test_the_same_seed_gives_the_same_bytes():
    """Two runs, one digest; another seed, another."""
    assert _bytes_of(150, 1) == _bytes_of(150, 1) != _bytes_of(150, 2)


def test_every_row_of_a_table_has_the_same_columns():
    """A CSV file is written from the columns of its first row."""
    for table in (
        contract_system.team_rows(1),
        contract_system.package_rows(),
        contract_system.agreement_rows(400, 1, online=False),
        contract_system.fulfilment_rows(400, 1),
        public_health.health_files(400, 1),
        public_health.follow_ups(400, 1),
    ):
        assert len({tuple(row) for row in table}) == 1


def test_the_shares_of_a_fee_add_up_to_the_price():
    """Insurance, public-health fund and resident together pay the package."""
    for row in contract_system.agreement_rows(600, 1, online=False):
        parts = ("医保基金支付", "公卫经费支付", "个人支付")
        cents = sum(round(float(row[part]) * 100) for part in parts)
        assert cents == round(float(row["服务包价格"]) * 100)


def test_rows_of_one_agreement_follow_each_other():
    """A reader may treat neighbouring lines with one number as one agreement."""
    numbers = [row["协议编号"] for row in contract_system.agreement_rows(900, 1, online=False)]
    runs = [n for i, n in enumerate(numbers) if i == 0 or numbers[i - 1] != n]
    assert len(runs) == len(set(runs))


def test_laboratory_messages_are_gb18030_without_saying_so_and_registrations_are_utf_8():
    """MSH-18 is empty in the laboratory's messages."""
    message = next(results(400, 1))
    head = message.data.split(b"\r")[0].split(b"|")
    assert len(head) < 18
    with pytest.raises(UnicodeDecodeError):
        message.data.decode("utf-8")
    assert "^LN^" in message.data.decode("gb18030")
    assert b"UNICODE UTF-8" in next(registrations(400, 1)).data


def test_some_registrations_lack_the_national_number_and_some_have_it_wrong():
    """The linker has something to do."""
    segments = [
        part
        for m in registrations(4000, 1)
        for part in m.data.split(b"\r")
        if part.startswith(b"PID|")
    ]
    without = sum(b"&2.16.156.10011.1.3&" not in part for part in segments)
    assert 0.02 < without / len(segments) < 0.07


def test_control_ids_are_unique_but_for_the_faults():
    """A repeat can be told from another message."""
    ids = [m.control_id for stream in (registrations, results, referrals) for m in stream(3000, 1)]
    assert len(ids) == len(set(ids))


def test_each_kind_of_fault_comes_round_and_changes_what_it_says():
    """Faults stand beside good messages and never replace one."""
    good = list(registrations(1500, 1))
    mixed = list(with_faults(iter(good), every=10))
    assert [m for m in mixed if not m.fault] == good
    kinds = Counter(m.fault for m in mixed if m.fault)
    assert set(kinds) == set(FAULTS)
    by_fault = {m.fault: m for m in mixed}
    assert b"\rPID|" not in by_fault["patient-missing"].data
    assert b"|19801345|" in by_fault["birth-date-impossible"].data
    assert b"||P|2.5" in by_fault["control-id-missing"].data
    with pytest.raises(UnicodeDecodeError):
        by_fault["charset-contradicted"].data.decode("utf-8")


def test_a_message_cut_off_ends_inside_pid():
    """What a broken buffer leaves."""
    good = next(registrations(100, 1))
    assert FAULTS["cut-off"](good).data.split(b"\r")[-2].startswith(b"PID|1||")
    assert isinstance(FAULTS["repeated"](good), Outgoing)


def test_documents_are_well_formed_but_for_the_few_that_broke_off():
    """Names, numbers and diagnoses stand where WS/T 500 puts them."""
    broken = 0
    for _, data in documents(3000, 1):
        try:
            root = ET.fromstring(data)
        except ET.ParseError:
            broken += 1
            continue
        assert root.tag == "{urn:hl7-org:v3}ClinicalDocument"
    assert broken == sum(1 for i, _ in enumerate(documents(3000, 1), 1) if i % 97 == 40)
    assert broken > 0


def test_results_agree_with_their_flags():
    """H above, L below, N inside the reference range."""
    for message in results(500, 1):
        for part in message.data.decode("gb18030").split("\r"):
            if part.startswith("OBX|"):
                fields = part.split("|")
                low, high = fields[7].split("-")
                value = float(fields[5])
                expected = "H" if value > float(high) else "L" if value < float(low) else "N"
                assert fields[8] == expected


def test_tables_of_facts_have_no_blank_cells_where_a_number_is_needed():
    """A typing slip in a fact would only show at run time."""
    for table, column in (
        ("surnames", "per_mille"),
        ("conditions", "per_mille"),
        ("laboratory", "mean"),
    ):
        assert all(float(row[column]) > 0 for row in rows(table))
    text = io.StringIO()
    csv.writer(text).writerow([row["surname"] for row in rows("surnames")])
    assert len(rows("surnames")) >= 95


def test_every_visit_ends():
    """Each registration or admission is followed by its discharge, outpatient visits included."""
    ids = [message.control_id for message in registrations(600, 1)]
    begun = {control_id[3:] for control_id in ids if control_id[:3] in ("A01", "A04")}

    assert {control_id[3:] for control_id in ids if control_id.startswith("A03")} == begun
    assert any(number.startswith("MZ") for number in begun)
