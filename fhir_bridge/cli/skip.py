"""Put messages aside that hold up the others."""

from __future__ import annotations

import click

from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import print_lines
from fhir_bridge.config import Settings
from fhir_bridge.errors import Issue

__all__ = ["command"]


@click.command("skip")
@click.argument("messages", nargs=-1, type=int, required=True)
@data_options
def command(messages: tuple[int, ...], *, settings: Settings) -> int:
    """Put pending MESSAGES (numbers of the journal) into quarantine, so that the others go on.

    See fhir-bridge working for the numbers. What is being worked on is given up; of a file, rows
    that were recorded already stay. fhir-bridge replay tries it again.

    Example: fhir-bridge skip 4711
    """
    with open_record(settings) as store:
        for message_id in messages:
            item = store.quarantine.set_aside(message_id, Issue("FB-6022", "error"))
            print_lines([{"message": message_id, "item": item}])
    return 0
