"""Send files through the journal and the pipeline into the record."""

from __future__ import annotations

from pathlib import Path

import click

from fhir_bridge.cli.options import INPUTS, data_options, input_files, open_services, read_input
from fhir_bridge.cli.printing import print_issues, print_lines
from fhir_bridge.config import Settings

__all__ = ["command"]


@click.command("ingest")
@click.argument("files", nargs=-1, required=True, type=INPUTS)
@click.option("--feed", "feed_name", required=True, help="The feed that the files belong to.")
@data_options
def command(files: tuple[Path, ...], feed_name: str, settings: Settings) -> int:
    """Take FILES into the record as if feed NAME had sent them.

    A file that was taken before is known and changes nothing.  Prints what became of each file;
    exit code 1 when something stays in quarantine.

    Example: fhir-bridge ingest --feed public-health-files files.csv
    """
    from fhir_bridge.ingest import get_feed
    from fhir_bridge.journal import Message

    with open_services(settings) as services:
        get_feed(services.feeds, feed_name)
        taken = []
        for path in input_files(files):
            sent = Message(feed_name, read_input(path), "", "", path.name)
            taken.append((path, services.intake.append([sent])[0]))
        services.pipeline.drain()
        quarantined = False
        for path, appended in taken:
            message = services.store.journal.get(appended.message_id)
            items = services.store.quarantine.of_message(appended.message_id, most_bytes=0)
            for item in items:
                print_issues(item.issues, source=path.name)
            quarantined = quarantined or bool(items)
            print_lines(
                [
                    {
                        "file": path.name,
                        "message": appended.message_id,
                        "repeated": appended.repeated,
                        "status": message.status,
                        "quarantined": len(items),
                    }
                ]
            )
    return 1 if quarantined else 0
