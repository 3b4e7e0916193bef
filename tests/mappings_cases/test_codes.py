"""Every code that we write is in the system that it names, or the system is the sender's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge import ucum
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import CodeSystems
from fhir_bridge.demo import contract_system, public_health
from fhir_bridge.demo.documents import documents
from fhir_bridge.demo.file_drop import drop_table
from fhir_bridge.demo.hospital_messages import registrations, results
from fhir_bridge.demo.referrals import referrals
from fhir_bridge.fhir import parse_json
from fhir_bridge.ingest import convert, load_feeds
from fhir_bridge.transform import Library
from tests.mappings_cases.test_cases import FOLDERS

CODE_SYSTEMS = CodeSystems(Artifacts())
CONCEPT_MAPS = sorted((Path(__file__).parents[2] / "mappings" / "conceptmaps").rglob("*.json"))
NOT_AT_HAND = frozenset(
    {
        "http://hl7.org/fhir/sid/icd-10",  # WHO's, licensed
        "http://loinc.org",
        "http://snomed.info/sct",
        "urn:ietf:bcp:13",  # media types: open
        "urn:ietf:rfc:3986",  # URIs: open
        "urn:oid:2.16.156.10011.2.3.1.269",  # CV07.10.003: national, no redistributable list
        "urn:oid:2.16.156.10011.2.3.3.6",  # GB/T 4658: a fragment
        "urn:oid:2.16.156.10011.2.3.3.13",  # GB/T 2261.4: a fragment
    }
)
"""Systems whose codes nobody can list here; a new one is added on purpose or is a mistake."""


@pytest.mark.parametrize("path", CONCEPT_MAPS, ids=lambda path: path.stem)
def test_every_target_of_a_concept_map_exists(path: Path) -> None:
    """Also the code that stands for all unmapped ones."""
    missing = []
    for group in parse_json(path.read_bytes())["group"]:
        targets = [target for element in group["element"] for target in element.get("target", ())]
        fixed = group.get("unmapped", {}).get("code")
        written = {target["code"] for target in targets} | ({fixed} if fixed else set())
        missing += [
            (group["target"], code) for code in sorted(written) if not _is_in(group["target"], code)
        ]

    assert [] == missing


def _is_in(system: str, code: str) -> bool:
    if system == "http://unitsofmeasure.org":
        return ucum.is_valid(code)
    codes = CODE_SYSTEMS.codes(system)
    return system in NOT_AT_HAND if codes is None else code in codes


def misplaced(value: Any, where: str = "") -> Iterator[str]:
    """The codings that name a system at hand that does not hold their code."""
    if isinstance(value, dict):
        system, code = value.get("system"), value.get("code")
        if isinstance(system, str) and isinstance(code, str):
            codes = CODE_SYSTEMS.codes(system)
            if codes is not None and code not in codes:
                yield f"{where}: {system}#{code}"
        for key, child in value.items():
            yield from misplaced(child, f"{where}.{key}")
    elif isinstance(value, list):
        for child in value:
            yield from misplaced(child, where)


@pytest.fixture(scope="module")
def library() -> Library:
    """The shipped maps."""
    return Library.from_artifacts(Artifacts())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_codes_of_a_case_are_in_their_systems(folder: Path) -> None:
    """The expected Bundles of all maps."""
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))

    assert [] == list(misplaced(expected["bundle"]))


def _demo(folder: Path) -> Iterator[bytes]:
    """A little of everything that the sources of the demo send."""
    for messages in (registrations(60, 1), results(20, 1), referrals(60, 1)):
        yield from (message.data for message in messages)
    yield from (data for _, data in documents(10, 1))
    for name, rows in (
        ("teams", contract_system.team_rows(1)),
        ("packages", contract_system.package_rows()),
        ("agreements", contract_system.agreement_rows(40, 1, online=False)),
        ("fulfilments", contract_system.fulfilment_rows(40, 1)),
        ("files", public_health.health_files(60, 1)),
        ("follow-ups", public_health.follow_ups(60, 1)),
    ):
        drop_table(folder, f"{name}.csv", rows)
        yield (folder / f"{name}.csv").read_bytes()


def test_codes_of_the_demo_are_in_their_systems(library: Library, tmp_path: Path) -> None:
    """Messages, documents and tables, by the standard feeds."""
    feeds = load_feeds(Artifacts())
    made, wrong = 0, set()
    for data in _demo(tmp_path):
        found = convert(data, feeds=feeds, library=library)
        made += found.bundle is not None
        wrong |= set(misplaced(found.bundle))

    assert made > 20
    assert set() == wrong


def test_a_code_of_the_sender_gets_the_list_of_the_sender(library: Library) -> None:
    """By MSH-4 in a message; a code of HL7's table keeps the table, a null stays a null."""
    feeds = load_feeds(Artifacts())
    message = (
        "MSH|^~\\&|HIS|WEST|HUB|HUB|20260101120000||ADT^A01|1|P|2.5\r"
        "PID|1||77^^^WEST^MR||WANG^LI||19800101|F\r"
        "PV1|1|I|W1^^3|U||||||CARD||||{source}||||||||||||||||||||||||||||||20260101\r"
    )

    def systems(source: str) -> list[tuple[str, str]]:
        data = message.format(source=source).encode()
        bundle = convert(data, feeds=feeds, library=library).bundle or {}
        visit = next(
            entry["resource"]
            for entry in bundle["entry"]
            if entry["resource"]["resourceType"] == "Encounter"
        )
        concepts = [visit["serviceType"], visit["hospitalization"]["admitSource"]]
        codings = [concept["coding"][0] for concept in concepts]
        return [(coding["system"].rpartition("/sid/")[2], coding["code"]) for coding in codings]

    own, table = "WEST/v2-0069", "http://terminology.hl7.org/CodeSystem/v2-0023"
    assert [(own, "CARD"), (table, "1")] == systems("1")
    assert [(own, "CARD"), ("WEST/v2-0023", "99")] == systems("99")
