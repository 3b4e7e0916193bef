"""Judge resources by FHIR R4 and by profiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from fhir_bridge.cli.options import INPUTS, artifacts, input_files, read_input
from fhir_bridge.cli.printing import has_errors, print_issues, print_lines
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, operation_outcome, parse_json, parse_json_lines, parse_xml

__all__ = ["command"]


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=INPUTS)
@click.option("--profile", "profiles", multiple=True, help="Canonical URL; may be given again.")
@click.option("--outcomes", is_flag=True, help="Print an OperationOutcome for each resource.")
def command(files: tuple[Path, ...], profiles: tuple[str, ...], *, outcomes: bool) -> int:
    """Judge each resource of FILES (JSON, NDJSON, XML; folders too) by R4 and by profiles.

    Issues go to standard error; exit code 1 when one of them is an error.

    Example: fhir-bridge validate patient.json --profile https://fhir-bridge.org/fhir/StructureDefinition/fd-patient
    """
    from fhir_bridge.conformance import Profiles
    from fhir_bridge.fhir import definitions
    from fhir_bridge.validation import Validator

    validator = Validator(definitions(), Profiles.from_artifacts(artifacts()))
    findings = False
    for path in input_files(files):
        try:
            for resource in _resources(path, read_input(path)):
                issues = validator.check(resource, profiles)
                print_issues(issues, source=path.name)
                findings = findings or has_errors(issues)
                if outcomes:
                    print_lines([operation_outcome(issues)])
        except BridgeError as error:
            print_issues(error.issues, source=path.name)
            findings = True
    return 1 if findings else 0


def _resources(path: Path, data: bytes) -> Iterator[Resource]:
    if data.lstrip()[:1] == b"<":
        yield parse_xml(data)
    elif path.suffix == ".ndjson":
        yield from parse_json_lines(data)
    else:
        yield parse_json(data)
