"""Prove that the record holds together."""

from __future__ import annotations

import click

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import print_issues, print_resource, progress_bar
from fhir_bridge.config import Settings
from fhir_bridge.store import maintenance

__all__ = ["command"]


@click.command("check")
@click.option("--restart", is_flag=True, help="From the beginning, not from where it was stopped.")
@data_options
def command(*, restart: bool, settings: Settings) -> int:
    """Prove that the record holds together: index, histories, references and persons.

    Compares every index row with its resource and every history with its versions; finds
    references that lead nowhere, temporary ids, Patients linked in a circle, resources about a
    replaced Patient, and numbers that two persons hold.  The first 200 of each kind are told.

    Works range by range while the service runs, and goes on where it was stopped within a day;
    exit code 1 when something is wrong.

    Example: fhir-bridge check --data var
    """
    from fhir_bridge.identity.personal import PersonalNumbers
    from fhir_bridge.identity.rules import load_rules

    numbers = PersonalNumbers(load_rules(Artifacts(*settings.overlay)))
    with open_record(settings) as store, progress_bar("check") as progress:
        checked = maintenance.check(store, restart=restart, progress=progress, numbers=numbers)
    print_issues(checked.issues)
    print_resource(
        {
            "resources": checked.resources,
            "versions": checked.versions,
            "indexRows": checked.index_rows,
            "issues": len(checked.issues),
            "found": dict(sorted(checked.counts.items())),
        }
    )
    return 1 if checked.issues else 0
