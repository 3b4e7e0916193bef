"""The extensions that ingest writes are defined, and the definitions can refuse."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions
from fhir_bridge.ingest.lineage import LINEAGE, lineage_extensions
from fhir_bridge.ingest.mention import MENTIONED
from fhir_bridge.transform import LineageStep
from fhir_bridge.validation import Validator


@pytest.fixture(scope="module")
def validator() -> Validator:
    """R4 with the product's own definitions."""
    return Validator(definitions(), Profiles.from_artifacts(Artifacts()))


def _faults(validator: Validator, resource: dict[str, Any]) -> list[str]:
    return [str(issue) for issue in validator.check(resource, ())]


def _provenance() -> dict[str, Any]:
    step = LineageStep("Bundle.entry[0].resource.name[0].text", "PID-5", "urn:map", "name", 7)
    return {
        "resourceType": "Provenance",
        "extension": lineage_extensions([step], ["Patient/1"]),
        "target": [{"reference": "Patient/1"}],
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": {"display": "x"}}],
    }


def test_lineage_is_a_defined_extension(validator: Validator) -> None:
    """What is written is sound; a part under another name, or none, is told."""
    sound, strange = _provenance(), _provenance()
    strange["extension"][0]["extension"][0]["url"] = "aim"

    assert _faults(validator, sound) == []
    assert any(LINEAGE in fault or "extension" in fault for fault in _faults(validator, strange))


def test_mentioned_is_a_defined_extension(validator: Validator) -> None:
    """On meta, as older records hold it, it is sound; with another kind of value it is told."""
    visit: dict[str, Any] = {
        "resourceType": "Encounter",
        "id": "e",
        "meta": {"extension": [{"url": MENTIONED, "valueString": "type"}]},
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
    }
    assert _faults(validator, visit) == []
    visit["meta"]["extension"][0] = {"url": MENTIONED, "valueBoolean": True}
    assert _faults(validator, visit)
