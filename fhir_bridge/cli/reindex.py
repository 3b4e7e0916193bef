"""Make the search index anew."""

from __future__ import annotations

import click

from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import print_resource, progress_bar
from fhir_bridge.config import Settings
from fhir_bridge.store import maintenance

__all__ = ["command"]


@click.command("reindex")
@click.option("--all", "every", is_flag=True, help="Every type, also where the rules are the same.")
@click.option("--restart", is_flag=True, help="From the beginning, not from where it was stopped.")
@data_options
def command(*, every: bool, restart: bool, settings: Settings) -> int:
    """Index resources anew, for example after a SearchParameter was added.

    Takes the types whose search parameters changed since they were indexed; every type when none
    did. Works in small steps while the service runs, and goes on where it was stopped.

    Example: fhir-bridge reindex
    """
    with open_record(settings) as store, progress_bar("reindex") as progress:
        outdated = sorted(maintenance.outdated_types(store))
        types = None if every or not outdated else outdated
        done = maintenance.reindex(store, types, restart=restart, progress=progress)
    print_resource({"resources": done, "types": types or ["*"]})
    return 0
