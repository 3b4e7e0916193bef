"""Expressions have the typed steps that a person has reviewed: tests/cases/forms.

A case is one line ``Type: expression`` and, indented below it, what `--explain` prints (in
``generated.txt`` with the Python, elsewhere the steps alone).  ``pytest --accept`` rewrites what
stands below the lines; the diff is what is reviewed.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from fhir_bridge import fhirpath
from fhir_bridge.fhir import definitions
from fhir_bridge.fhirpath.form import listing

FOLDER = Path(__file__).parents[1] / "cases" / "forms"


def _explained(case: str, *, with_code: bool) -> str:
    type_name, _, text = case.partition(": ")
    expression = fhirpath.compile(text, definitions=definitions())
    if with_code:
        found = fhirpath.explain(expression, type_name)
    else:
        found = "\n".join(listing(expression.form(type_name)))
    return f"{case}\n{textwrap.indent(found, '    ')}\n"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_forms_are_as_reviewed(path: Path, accept: bool) -> None:
    """Each expression of the file is lowered to the steps that stand below it."""
    stated = path.read_text(encoding="utf-8")
    cases = [line for line in stated.splitlines() if line and not line.startswith(" ")]
    assert cases
    found = "\n".join(_explained(case, with_code=path.stem == "generated") for case in cases)
    if accept:
        path.write_text(found, encoding="utf-8")
    else:
        assert found == stated


def test_a_form_has_a_bound() -> None:
    """Choices that follow each other multiply; beyond the bound the interpreter answers."""
    text = "extension.value.ofType(Quantity)" + ".extension.value.ofType(Quantity)" * 30
    form = fhirpath.compile(text, definitions=definitions()).form("Patient")
    lines = listing(form)
    assert len(lines) < 50_000
    assert any("too large" in line for line in lines)
