"""The form as generated Python over plain JSON: the fast path.

Paths, ``where``, ``exists``, ``=`` with a literal, ``ofType``, ``|`` and a few more cover
search parameters and many invariants.  For those a function is written with the types of
the definitions built in: nearly what a person would write by hand
(docs/decisions/adr-2611-fhirpath-engine.md has the figures).

Promises: what is written answers exactly as the interpreter (`fhirpath.compiler`).  What
cannot be written is an `Unsupported` with its reason; input that is not of the defined shape
(a list where one value is defined, extensions without a value) raises
`codegen.FALLBACKS`, and the caller asks the interpreter instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fhir_bridge.codegen import Unwritten
from fhir_bridge.fhirpath.form.steps import Form, Unsupported
from fhir_bridge.fhirpath.writing.conditions import Body, is_condition
from fhir_bridge.fhirpath.writing.logic import three_valued
from fhir_bridge.fhirpath.writing.runtime import NAMES

__all__ = ["Plain", "Written", "three_valued", "write"]

Plain = Callable[[Any], list[Any]]
_MAX_LINES = 400
_MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Written:
    """A written function, and its text."""

    text: str
    call: Plain


def write(form: Form, *, typed: bool) -> Written | Unsupported:
    """A function node -> result; with `typed` of (FHIR type name, value) pairs."""
    body = Body(NAMES, max_lines=_MAX_LINES, max_depth=_MAX_DEPTH)
    try:
        if is_condition(form):
            body.line(f"answer = {body.condition(form, 'node')}")
            item = "('boolean', answer)" if typed else "answer"
            body.line(f"if answer is not None: add({item})")
        else:
            body.chain(form, "node", body.final_typed if typed else body.final)
    except Unwritten as reason:
        return Unsupported(str(reason))
    head = ["def group(node):", "    out = []", "    add = out.append"]
    text = body.text(head, "    return out")
    return Written(text, body.run(text, "<fhirpath>"))
