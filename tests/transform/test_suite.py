"""The runner of the public suite finds a broken engine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fhir_bridge.fhir import parse_json
from fhir_bridge.transform.runtime.normalise import Normaliser
from fhir_bridge.transform.runtime.write import Writer
from tests.conformance.fml import Suite, compare_tolerantly, run


def outcomes(tree: Path) -> Counter[str]:
    """How many cases passed, failed and were skipped."""
    return Counter(result.outcome for result in run(tree))


def test_the_public_suite_has_no_failures(shared: Path) -> None:
    """All that can be run passes; what cannot has its reason in the register."""
    found = outcomes(shared / "conformance" / "fml")
    assert found["failed"] == 0
    assert found["skipped"] <= 8


@pytest.mark.parametrize("fault", ["a value is lost", "the order is lost"])
def test_a_broken_engine_makes_the_runner_fail(
    shared: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A runner that cannot fail proves nothing."""
    if fault == "a value is lost":
        monkeypatch.setattr(Writer, "put", lambda *_: None)
    else:
        monkeypatch.setattr(
            Normaliser, "normalise", lambda _, run, target, site: {"resourceType": "?"}
        )
    assert outcomes(shared / "conformance" / "fml")["failed"] > 50


def test_published_maps_from_stu3_agree(shared: Path) -> None:
    """The maps HL7 published give what the pairs expect; Parameters has no rule for a resource."""
    tree = shared / "conformance" / "fml"
    library = Suite(tree).folder_library(tree / "xver" / "R3toR4")
    notes = {}
    for path in sorted((tree / "stu3-to-r4" / "input").glob("*.json")):
        url = f"http://hl7.org/fhir/uv/xver/StructureMap/{path.stem}3to4"
        if url in library.maps:
            made = library.compile(url).run(parse_json(path.read_bytes())).target
            expected = parse_json((tree / "stu3-to-r4" / "expected" / path.name).read_bytes())
            notes[path.stem] = compare_tolerantly(made, expected)
    assert len(notes) > 10
    assert {name for name, note in notes.items() if note} == {"Parameters"}
