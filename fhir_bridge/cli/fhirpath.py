"""Evaluate FHIRPath on files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhir_bridge.budget import bounded
from fhir_bridge.cli.options import INPUTS, input_files, read_input
from fhir_bridge.cli.printing import print_lines
from fhir_bridge.config import load_settings
from fhir_bridge.fhir import Resource, definitions, parse_json, parse_json_lines, parse_xml

if TYPE_CHECKING:
    from fhir_bridge import fhirpath

__all__ = ["command"]


@click.command("fhirpath")
@click.argument("expression")
@click.argument("files", nargs=-1, type=INPUTS)
@click.option("--types", is_flag=True, help="Answer each value with its type.")
@click.option(
    "--explain",
    "type_name",
    metavar="TYPE",
    help="Print the typed steps of EXPRESSION on a FHIR type, and the Python written for them.",
)
def command(expression: str, files: tuple[Path, ...], *, types: bool, type_name: str | None) -> int:
    """Evaluate EXPRESSION on each resource of FILES (JSON, NDJSON or XML).

    Prints one JSON value a line; exit code 1 when nothing is found.  --explain evaluates nothing:
    it shows how the name of each element was read by the definitions, and where the interpreter
    answers instead of generated code.

    Example: fhir-bridge fhirpath "name.where(use='official').family" patient.json
    """
    from fhir_bridge import fhirpath

    compiled = fhirpath.compile(expression, definitions=definitions())
    if type_name is not None:
        return _explain(compiled, type_name)
    found = 0
    with bounded(load_settings().bounds()):
        for resource in _resources(files):
            if types:
                found += print_lines(
                    {"type": name, "value": value} for name, value in compiled.typed(resource)
                )
            else:
                found += print_lines(compiled(resource))
    return 0 if found else 1


def _explain(compiled: fhirpath.Expression, type_name: str) -> int:
    from fhir_bridge import fhirpath

    if type_name not in definitions().types:
        raise click.UsageError(f"{type_name} is no type of FHIR R4")
    click.echo(fhirpath.explain(compiled, type_name))
    return 0


def _resources(files: tuple[Path, ...]) -> Iterator[Resource]:
    if not files:
        yield {}
    for path in input_files(files):
        data = read_input(path)
        if data.lstrip()[:1] == b"<":
            yield parse_xml(data)
        elif path.suffix == ".ndjson":
            yield from parse_json_lines(data)
        else:
            yield parse_json(data)
