"""Inputs of the field, each with the facts that must hold after it.

The inputs lie in ``cases/field`` of the shared material; `expected` names them, in the order
in which they go into one empty record, and states each fact in words and as a FHIRPath test
over what a search finds.  The same facts hold on both databases.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge import fhirpath
from fhir_bridge.app import Services
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from fhir_bridge.transform import Library
from tests.field.record import Record, opened

_NOISE = frozenset({"system", "meta", "category", "reference", "id", "type"})
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
        wrong = [each for input_ in case["inputs"] for each in _after(record, case, folder, input_)]
        wrong += _sent_again(record, case, folder)
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


def _sent_again(record: Record, case: dict[str, Any], folder: Path) -> list[str]:
    """What changes when the last input comes a second time, and what holds no more."""
    input_ = case["inputs"][-1]
    if input_.endswith(".xlsx") or "not_again" in case:
        return []
    before = record.counts()
    record.take(folder / input_, case.get("feeds", {}).get(input_, ""), again=True)
    after = record.counts()
    wrong = [] if after == before else [f"SENT AGAIN it makes {after} of {before}"]
    return wrong + [f"SENT AGAIN {each}" for each in _untrue(record, case, input_)]


def _after(record: Record, case: dict[str, Any], folder: Path, input_: str) -> Iterator[str]:
    """What does not hold once `input_` is recorded."""
    for fact in case["fact"]:
        if "answer" in fact and not re.search(fact["answer"], record.answer(folder / input_)):
            yield f"NOT SO of {input_}: {fact['says']}"
    record.take(folder / input_, case.get("feeds", {}).get(input_, ""))
    yield from _untrue(record, case, input_)


def _untrue(record: Record, case: dict[str, Any], input_: str) -> Iterator[str]:
    """The facts about `input_` that do not hold."""
    last = case["inputs"][-1]
    for fact in case["fact"]:
        if fact.get("after", last) == input_:
            seen = _seen_against(record, fact, input_)
            if seen:
                yield f"NOT SO after {input_}: {fact['says']}\n    {seen}"


def _seen_against(record: Record, fact: dict[str, Any], input_: str) -> str:
    """What speaks against a fact; "" when it holds."""
    if "or_told" in fact and any(re.search(fact["or_told"], line) for line in record.told()):
        return ""
    if "told" in fact and not any(re.search(fact["told"], line) for line in record.told(input_)):
        return f"told was: {record.told(input_)}"
    if "status" in fact and record.statuses[input_] != fact["status"]:
        return f"status is {record.statuses[input_]}: {record.told(input_)}"
    if "quarantined" in fact and record.quarantined[input_] != fact["quarantined"]:
        return f"{record.quarantined[input_]} in quarantine: {record.told(input_)}"
    if "search" in fact:
        bundle = record.search(fact["search"])
        if not _holds(fact["holds"], bundle):
            found = [_without_systems(each["resource"]) for each in bundle["entry"]]
            return (
                f"{fact['search']} finds {len(found)}: {str(found)[:1500]}; told: {record.told()}"
            )
    return ""


def _holds(expression: str, bundle: dict[str, Any]) -> bool:
    """Whether the answer is one true; a question that does not fit what was found is not."""
    asked = fhirpath.compile(expression, definitions=definitions(), root_type="Bundle")
    try:
        return asked(bundle) == [True]
    except BridgeError as error:
        if error.code != "FB-2006":
            raise
        return False


def _without_systems(node: Any) -> Any:
    """What people look at in a resource."""
    if isinstance(node, list):
        return [_without_systems(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {k: _without_systems(v) for k, v in node.items() if k not in _NOISE}
