"""Our ConceptMaps are valid R4, say who they are, and map each code once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions, parse_json
from fhir_bridge.validation import Validator

FOLDER = Path(__file__).parent.parent.parent / "mappings" / "conceptmaps"
FILES = sorted(FOLDER.rglob("*.json"))
VALIDATOR = Validator(definitions(), Profiles(()))


def read(path: Path) -> dict[str, Any]:
    """The ConceptMap in `path`."""
    return parse_json(path.read_bytes())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_concept_map(path: Path) -> None:
    """The file is named by its id, has our URL, keeps the structure, and repeats no code."""
    concept_map = read(path)
    assert concept_map["id"] == path.stem
    assert concept_map["url"] == f"https://fhir-bridge.org/fhir/ConceptMap/{path.stem}"
    assert [str(i) for i in VALIDATOR.check(concept_map) if i.severity == "error"] == []
    for group in concept_map["group"]:
        codes = [element["code"] for element in group["element"]]
        assert sorted({code for code in codes if codes.count(code) > 1}) == []
        assert all(len(element["target"]) == 1 for element in group["element"])


def test_every_concept_map_is_used() -> None:
    """A concept map that no map names is no part of the product."""
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.parent.rglob("*.map"))
    assert [path.stem for path in FILES if f"ConceptMap/{path.stem}'" not in text] == []
