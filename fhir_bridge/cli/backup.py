"""Write a backup of the record."""

from __future__ import annotations

from pathlib import Path

import click

from fhir_bridge.cli.printing import print_resource
from fhir_bridge.cli.sites import opened, site_options
from fhir_bridge.config import Settings

__all__ = ["command"]


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@site_options
def command(file: Path, settings: Settings) -> int:
    """Write resources with history, journal, quarantine and links to FILE, and verify it.

    FILE must not be there yet.  It is the same for SQLite and PostgreSQL, and holds patient data.

    Example: fhir-bridge backup record-2026-11-22.gz
    """
    if file.exists():
        raise click.UsageError(f"{file.name} is there already")
    with opened(settings) as store:
        manifest = store.back_up(file)
    print_resource({"rows": manifest.counts, "sha256": manifest.digests})
    return 0
