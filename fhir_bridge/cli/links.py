"""Show who was joined into one Patient."""

from __future__ import annotations

import click

from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import print_lines
from fhir_bridge.config import Settings

__all__ = ["command"]


@click.command("links")
@click.argument("patient")
@data_options
def command(patient: str, settings: Settings) -> int:
    """List every decision that joined records into PATIENT (an id), or took them apart.

    One line each, oldest first: when, which feed and message, by which rule, and the identifiers
    with masked values; exit code 1 when there is none. "number" is what unlink asks for.

    Example: fhir-bridge links 0b0c6e6e-6f0a-4c53-9b1e
    """
    from fhir_bridge.identity import decisions

    with open_record(settings) as store:
        found = decisions(store, patient.removeprefix("Patient/"))
    printed = print_lines(
        {
            "number": each.number,
            "at": each.at,
            "patient": each.patient_id,
            "did": each.kind,
            "rule": each.rule,
            "feed": each.feed,
            "message": each.message,
            "identifiers": [
                {"system": system, "value": value} for system, value in each.identifiers
            ],
            **({"other": each.other} if each.other else {}),
            **({"undoes": each.undoes} if each.undoes else {}),
            "canBeUndone": each.can_be_undone,
        }
        for each in found
    )
    return 0 if printed else 1
