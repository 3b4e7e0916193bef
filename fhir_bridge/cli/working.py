"""Show what the pipeline works on."""

from __future__ import annotations

import click

from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import print_lines
from fhir_bridge.config import Settings

__all__ = ["command"]


@click.command("working")
@data_options
def command(settings: Settings) -> int:
    """List the messages that are being worked on, oldest first, as JSON lines.

    "times" says how often work on a message was begun: 1 is usual, 2 that the process ended while
    it worked on it and that it is tried alone now. The next time it goes to quarantine (FB-6021).

    Example: fhir-bridge working --data var
    """
    with open_record(settings) as store:
        print_lines(
            {
                "message": each.message_id,
                "feed": each.feed,
                "source": each.source,
                "received": each.received,
                "bytes": each.size,
                "since": each.since,
                "times": each.times,
            }
            for each in store.at_work.messages()
        )
    return 0
