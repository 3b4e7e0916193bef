"""Make the search index anew."""

from __future__ import annotations

import click

from fhir_bridge.cli.printing import print_resource, progress_bar
from fhir_bridge.cli.sites import opened, site_options
from fhir_bridge.config import Settings

__all__ = ["command"]


@click.command("reindex")
@click.option("--restart", is_flag=True, help="From the beginning, not from where it was stopped.")
@site_options
def command(*, restart: bool, settings: Settings) -> int:
    """Index every resource anew, for example after a SearchParameter was added.

    Works in small steps while the service runs, and goes on where it was stopped.

    Example: fhir-bridge reindex
    """
    with opened(settings) as store, progress_bar("reindex") as progress:
        done = store.reindex(restart=restart, progress=progress)
    print_resource({"resources": done})
    return 0
