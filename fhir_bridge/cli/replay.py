"""Try quarantined messages again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fhir_bridge.cli.options import data_options, open_services
from fhir_bridge.cli.printing import print_issues, print_lines
from fhir_bridge.config import Settings

if TYPE_CHECKING:
    from fhir_bridge.ingest import Pipeline
    from fhir_bridge.store import Store

__all__ = ["command"]


@click.command("replay")
@click.argument("items", nargs=-1, type=int)
@click.option("--feed", "feed_name", default="", help="All of a feed.")
@click.option("--code", default="", help="All with this leading code.")
@click.option("--all", "every", is_flag=True, help="Everything that stays in quarantine.")
@click.option("--list", "only_list", is_flag=True, help="Show what would be tried, and stop.")
@data_options
def command(
    items: tuple[int, ...],
    *,
    feed_name: str,
    code: str,
    every: bool,
    only_list: bool,
    settings: Settings,
) -> int:
    """Try ITEMS of the quarantine again, for example after a map was mended.

    What is recorded leaves quarantine; what still fails stays, with its issues on standard error
    and exit code 1.

    Example: fhir-bridge replay --feed hospital-his --code FB-2201
    """
    from fhir_bridge.ingest import Replay

    if not items and not (feed_name or code or every):
        raise click.UsageError("name items, --feed, --code or --all")
    with open_services(settings) as services:
        chosen = list(items) or _selected(services.store, feed_name, code)
        if only_list:
            found = [services.store.quarantine.get(item_id, most_bytes=0) for item_id in chosen]
            print_lines(
                {"item": one.item_id, "feed": one.feed, "codes": [i.code for i in one.issues]}
                for one in found
            )
            return 1 if found else 0
        failed = 0
        replay = Replay(services.store, _Working(services.pipeline))
        for replayed in replay.items(chosen):
            print_lines(
                [{"item": replayed.item_id, "feed": replayed.feed, "recorded": replayed.recorded}]
            )
            print_issues(replayed.issues, source=str(replayed.item_id))
            failed += not replayed.recorded
    return 1 if failed else 0


class _Working:
    """A pipeline without a thread: woken, it works until nothing is pending."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def wake(self) -> None:
        """Work on everything that is pending."""
        self._pipeline.drain()


def _selected(store: Store, feed_name: str, code: str) -> list[int]:
    """The numbers of all fitting items, oldest first."""
    found: list[int] = []
    before = 0
    while page := store.quarantine.list(
        feed_name, code=code, limit=500, before=before, most_bytes=0
    ):
        found += [item.item_id for item in page]
        before = page[-1].item_id
    return sorted(found)
