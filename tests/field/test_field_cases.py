"""Inputs of the field, each with the facts that must hold after it.

The inputs lie in ``cases/field`` of the shared material; `expected` names them, in the order
in which they go into one empty record, and states each fact in words and as a FHIRPath test
over what a search finds.  The same facts hold on both databases.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from fhir_bridge.app import Services
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.transform import Library
from tests.field.facts import after, sent_again
from tests.field.record import opened

_CONCEPT_MAPS = Path(__file__).parents[2] / "mappings" / "conceptmaps"
EXPECTED = Path(__file__).parent / "expected"
CASES = {
    case["name"]: case
    for path in sorted(EXPECTED.glob("*.toml"))
    for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_right_of_an_input_of_the_field(
    name: str, product: Services, shared: Path, database: str
) -> None:
    """Every fact holds after the input it belongs to; all that do not are told together."""
    case = CASES[name]
    folder = shared / "cases" / "field"
    if not folder.is_dir():
        pytest.skip(f"no cases at {folder}")
    with opened(product, database) as record:
        wrong = [each for input_ in case["inputs"] for each in after(record, case, folder, input_)]
        wrong += sent_again(record, case, folder)
        wrong += [f"THE RECORD IS NOT SOUND: {each}" for each in record.unsound()]
    assert [] == wrong, "\n".join(["", *wrong])


def test_an_old_agreement_that_is_mended_late_undoes_nothing(
    product: Services, shared: Path, database: str, tmp_path: Path
) -> None:
    """Its state was in no list and it rested; when it is replayed the agreement has ended."""
    folder = shared / "cases" / "field"
    if not folder.is_dir():
        pytest.skip(f"no cases at {folder}")
    for path in _CONCEPT_MAPS.rglob("sign-state-*.json"):
        listed = json.loads(path.read_text(encoding="utf-8"))
        for group in listed["group"]:
            group["element"] += [
                {**each, "code": "02"} for each in group["element"] if each["code"] == "2"
            ]
        mended = tmp_path / "mappings" / path.relative_to(_CONCEPT_MAPS.parent)
        mended.parent.mkdir(parents=True, exist_ok=True)
        mended.write_text(json.dumps(listed), encoding="utf-8")
    with opened(product, database) as record:
        record.take(folder / "c2-65a-agreement-unmapped-state.csv")
        record.take(folder / "c2-65b-agreement-later-ended.csv")
        record.replay(Library.from_artifacts(Artifacts(tmp_path)))
        found = record.search("Contract?identifier=XY2665")["entry"]
        assert [each["resource"]["status"] for each in found] == ["terminated"]
        assert record.services.store.quarantine.list() == [], "the mended one is recorded"
