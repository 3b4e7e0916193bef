"""Whether facts hold over a record, as a client or an operator would see it.

A fact says in words what is right and tests it: what a search finds (`holds`, FHIRPath over its
Bundle), what was `told` of an input, its `status`, how much of it is in quarantine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from tests.field.record import Record

__all__ = ["after", "sent_again"]

_NOISE = frozenset({"system", "meta", "category", "reference", "id", "type"})


def sent_again(record: Record, case: dict[str, Any], folder: Path) -> list[str]:
    """What changes when the last input comes a second time, and what holds no more."""
    input_ = case["inputs"][-1]
    if input_.endswith(".xlsx") or "not_again" in case:
        return []
    before = record.counts()
    record.take(folder / input_, case.get("feeds", {}).get(input_, ""), again=True)
    after = record.counts()
    wrong = [] if after == before else [f"SENT AGAIN it makes {after} of {before}"]
    return wrong + [f"SENT AGAIN {each}" for each in _untrue(record, case, input_)]


def after(record: Record, case: dict[str, Any], folder: Path, input_: str) -> Iterator[str]:
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
