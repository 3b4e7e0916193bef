"""Sentences and examples of the FHIRPath specification, as expressions and their answers.

``tests/cases/fhirpath/*.txt``: one ``expression  =>  answer`` a line on ``patient.json``.  The
answer is a JSON list (decimals, dates and quantities as text) or ``error``.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions, parse_json

CASES = Path(__file__).parents[1] / "cases" / "fhirpath"
LINES = [
    (line.rpartition("  =>  ")[0], line.rpartition("  =>  ")[2])
    for path in sorted(CASES.glob("*.txt"))
    for line in path.read_text(encoding="utf-8").splitlines()
]


def _shown(item: Any) -> Any:
    value = item.value if isinstance(item, fhirpath.Node) else item
    if isinstance(value, (fhirpath.Quantity, fhirpath.Temporal, Decimal)):
        return str(value)
    return value


@pytest.mark.parametrize(("expression", "answer"), LINES)
def test_specification(expression: str, answer: str) -> None:
    """The expression answers as the specification says."""
    patient = parse_json((CASES / "patient.json").read_bytes())
    try:
        items = fhirpath.compile(expression, definitions=definitions()).items(patient)
        found = json.dumps([_shown(item) for item in items], ensure_ascii=False)
    except BridgeError as error:
        found = "error" if error.code.startswith("FB-20") else error.code
    assert found == answer
