"""Whatever reads the form answers as the interpreter: tests/cases/equality/expressions.txt.

Each line is ``Type: expression``: search parameters and rules of R4 (https://hl7.org/fhir/R4/,
in the public domain), and our own for what these seldom use.  The instances are made from the
definitions, so that everything runs in a fresh clone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge import fhirpath
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.codegen import FALLBACKS
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from fhir_bridge.fhirpath.form import OPEN, Form
from fhir_bridge.fhirpath.writing import Written, write
from fhir_bridge.fhirpath_values import fhir_name, plain_of
from fhir_bridge.transform import Library
from tests.fhirpath.instances import sound, spoilt

LINES = (
    (Path(__file__).parents[1] / "cases" / "equality" / "expressions.txt")
    .read_text(encoding="utf-8")
    .splitlines()
)
_SPOILT = 12


def _by_type() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for line in LINES:
        type_name, _, text = line.partition(": ")
        found[type_name].append(text)
    return found


def _interpreted(expression: fhirpath.Expression, node: Any, *, is_typed: bool) -> Any:
    try:
        items = expression.items(node, variables={"resource": node})
    except BridgeError as error:
        return error.code
    plain = [(fhir_name(item), plain_of(item)) for item in items if plain_of(item) is not None]
    return plain if is_typed else [value for _, value in plain]


@pytest.mark.parametrize("type_name", sorted(_by_type()))
def test_every_reader_of_the_form_answers_as_the_interpreter(type_name: str) -> None:
    """The written function on any shape of input; the prediction on sound input."""
    good, bad = sound(type_name), spoilt(type_name, _SPOILT)
    for text in _by_type()[type_name]:
        is_typed = type_name != "*"
        root_type = type_name if is_typed else None
        expression = fhirpath.compile(text, definitions=definitions(), root_type=root_type)
        written = write(expression.form(type_name), typed=is_typed)
        predicted = expression.prediction(type_name)
        for place, node in enumerate([*good, *bad]):
            expected = _interpreted(expression, node, is_typed=is_typed)
            if isinstance(written, Written):
                with suppress(*FALLBACKS):
                    assert written.call(node) == expected, (text, node)
            if predicted is not None and place < len(good):
                answer = predicted(node, node)
                if answer is not fhirpath.UNKNOWN:
                    told = [] if answer is None else [("boolean", answer)]
                    assert told == expected, (text, node)


OPEN_ONLY = {"From", "Index", "Variable"}
"""Steps that stand only where nothing is known of the items: in maps."""


def test_the_shipped_maps_have_the_steps_of_maps_five_times() -> None:
    """What they say is compared with the interpreter by every case of a map."""
    counts: Counter[str] = Counter()
    for structure_map in Library.from_artifacts(Artifacts()).maps.values():
        for text in _expressions(structure_map):
            with suppress(BridgeError):  # in the language of maps names need no mark
                counts.update(set(_kinds(fhirpath.compile(text).form(OPEN))))
    assert {name: counts[name] for name in OPEN_ONLY if counts[name] < 5} == {}


def _expressions(node: Any) -> Iterator[str]:
    """The conditions and computed values of a map."""
    if is_dataclass(node):
        if condition := getattr(node, "condition", ""):
            yield condition
        if getattr(node, "kind", "") == "expression":
            yield str(getattr(node, "value", ""))
        for each in fields(node):
            yield from _expressions(getattr(node, each.name))
    elif isinstance(node, tuple | list):
        for item in node:
            yield from _expressions(item)


def test_the_list_has_every_kind_of_step_five_times() -> None:
    """Five hundred expressions at least; each step, operator and function of the form."""
    assert len(set(LINES)) == len(LINES) >= 500
    counts: Counter[str] = Counter()
    for type_name, texts in _by_type().items():
        for text in texts:
            form = fhirpath.compile(text, definitions=definitions()).form(type_name)
            counts.update(set(_kinds(form)))
    wanted = {kind.__name__ for kind in Form.__subclasses__()} - OPEN_ONLY
    wanted |= {
        f"operator {name}"
        for name in ["and", "or", "xor", "implies", "in", "=", "!=", "<", ">", "<=", ">=", "+"]
    }
    wanted |= {
        f"function {name}"
        for name in [
            "all",
            "contains",
            "count",
            "empty",
            "endsWith",
            "exists",
            "hasValue",
            "iif",
            "length",
            "matches",
            "not",
            "replace",
            "startsWith",
            "substring",
            "toString",
            "today",
        ]
    }
    assert {name: counts[name] for name in wanted if counts[name] < 5} == {}


def test_most_answers_are_compared() -> None:
    """The functions are written and do not fall back on sound input, or nothing is compared."""
    compared = total = 0
    for type_name, texts in _by_type().items():
        nodes = sound(type_name)
        for text in texts:
            form = fhirpath.compile(text, definitions=definitions()).form(type_name)
            written = write(form, typed=True)
            for node in nodes:
                total += 1
                if isinstance(written, Written):
                    with suppress(*FALLBACKS):
                        written.call(node)
                        compared += 1
    assert compared > 0.6 * total


def _kinds(value: Any) -> list[str]:
    """The kinds of every part of a form."""
    if isinstance(value, tuple):
        return [kind for part in value for kind in _kinds(part)]
    if not is_dataclass(value):
        return []
    own = type(value).__name__
    found = [own] if isinstance(value, Form) else []
    if own == "Operation":
        found.append(f"operator {value.operator}")  # type: ignore[attr-defined]
    if own == "Call":
        found.append(f"function {value.name}")  # type: ignore[attr-defined]
    return found + [kind for each in fields(value) for kind in _kinds(getattr(value, each.name))]
