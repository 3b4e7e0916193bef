"""Write a backup of the record."""

from __future__ import annotations

from pathlib import Path

import click

from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import backup_contents, print_resource
from fhir_bridge.config import Settings
from fhir_bridge.store import maintenance

__all__ = ["command"]


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--verify", "only_verify", is_flag=True, help="Read FILE again; write nothing.")
@data_options
def command(file: Path, *, only_verify: bool, settings: Settings) -> int:
    """Write resources with history, journal, quarantine and links to FILE, and verify it.

    FILE must not be there yet.  It is the same for SQLite and PostgreSQL, and holds patient data.
    With --verify a FILE of any day is read whole and compared with the counts and digests in it.

    Example: fhir-bridge backup record-2026-11-22.gz
    """
    from fhir_bridge.store.maintenance import verify as verify_backup

    if only_verify:
        if not file.exists():
            raise click.UsageError(f"{file.name} is not there")
        print_resource(backup_contents(verify_backup(file)))
        return 0
    if file.exists():
        raise click.UsageError(f"{file.name} is there already")
    with open_record(settings) as store:
        print_resource(backup_contents(maintenance.back_up(store, file)))
    return 0
