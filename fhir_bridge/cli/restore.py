"""Fill an empty record from a backup."""

from __future__ import annotations

from pathlib import Path

import click

from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import backup_contents, print_resource
from fhir_bridge.config import Settings
from fhir_bridge.store import maintenance

__all__ = ["command"]


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_options
def command(file: Path, settings: Settings) -> int:
    """Fill an empty record from FILE, index it, and compare counts and digests.

    A record that is not empty is refused.

    Example: fhir-bridge restore record-2026-11-22.gz --data restored
    """
    with open_record(settings) as store:
        print_resource(backup_contents(maintenance.restore(store, file)))
    return 0
