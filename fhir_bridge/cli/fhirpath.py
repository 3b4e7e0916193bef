"""Evaluate FHIRPath on files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from fhir_bridge.budget import bounded
from fhir_bridge.cli.printing import print_lines
from fhir_bridge.cli.sites import INPUTS, input_files, read_input
from fhir_bridge.config import load_settings
from fhir_bridge.fhir import Resource, definitions, parse_json, parse_json_lines, parse_xml

__all__ = ["command"]


@click.command("fhirpath")
@click.argument("expression")
@click.argument("files", nargs=-1, type=INPUTS)
@click.option("--types", is_flag=True, help="Answer each value with its type.")
def command(expression: str, files: tuple[Path, ...], *, types: bool) -> int:
    """Evaluate EXPRESSION on each resource of FILES (JSON, NDJSON or XML).

    Prints one JSON value a line; exit code 1 when nothing is found.

    Example: fhir-bridge fhirpath "name.where(use='official').family" patient.json
    """
    from fhir_bridge import fhirpath

    compiled = fhirpath.compile(expression, definitions=definitions())
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
