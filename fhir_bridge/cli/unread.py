"""Show what no map reads."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import print_lines
from fhir_bridge.config import Settings

if TYPE_CHECKING:
    from fhir_bridge.journal import UnreadPlace

__all__ = ["command"]


@click.command("unread")
@click.option("--feed", default="", help="Of this feed only.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on a terminal, too.")
@click.option("--reset", is_flag=True, help="Print the counts and count anew from nothing.")
@data_options
def command(feed: str, settings: Settings, *, as_json: bool, reset: bool) -> int:
    """List the segments, fields, entry parts and columns that came and that no map took over.

    One line for each place, in the sender's terms: how often, when first and last, and the shape
    of an example (99999, 汉汉), never a value. "looked" says that a rule only looks at it to decide
    something else. A map that was mended starts counting anew with its first message. Exit code 1
    when there is something.

    Example: fhir-bridge unread --feed hospital-his
    """
    with open_record(settings) as store:
        found = store.unread.places(feed)
        if reset:
            store.unread.reset(feed)
    if sys.stdout.isatty() and not as_json:
        _table(found)
    else:
        print_lines(
            {
                "feed": each.feed,
                "place": each.place,
                "looked": each.looked,
                "count": each.count,
                "firstSeen": each.first_seen,
                "lastSeen": each.last_seen,
                "example": each.example,
                "map": each.map,
            }
            for each in found
        )
    return 1 if found else 0


def _table(places: list[UnreadPlace]) -> None:
    """For people: the most frequent first."""
    for each in places:
        note = " (only looked at)" if each.looked else ""
        click.echo(
            f"{each.count:>9,}  {each.feed}  {each.place}{note}  {each.example}"
            f"  {each.last_seen[:16]}  {each.map.rsplit('/', 1)[-1]}"
        )
