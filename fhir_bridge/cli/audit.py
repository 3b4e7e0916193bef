"""Verify the log of who looked at the record."""

from __future__ import annotations

from dataclasses import asdict

import click

from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import print_lines
from fhir_bridge.config import Settings

__all__ = ["command"]


@click.group("audit")
def command() -> None:
    """Verify the log of who looked at the record and who changed it.

    Example: fhir-bridge audit verify
    """


@command.command("verify")
@data_options
def verify_chain(settings: Settings) -> int:
    """Check the chain over all AuditEvents; one line a day with its count and its digest.

    An event that was changed, is gone or was put in between is named under "faults". Keep the "head"
    of a day elsewhere (on paper, with the regulator): who can write the whole database could
    write the chain anew, but not to the same digest. The day "" holds events that came this
    moment, or past the service. Exit code 1 when something does not agree.

    Example: fhir-bridge audit verify
    """
    from fhir_bridge.audit import verify

    with open_record(settings) as store:
        days = list(verify(store))
    print_lines({name: value for name, value in asdict(day).items() if value} for day in days)
    return 1 if any(day.faults for day in days) else 0
