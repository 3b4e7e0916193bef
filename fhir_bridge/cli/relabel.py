"""Put security labels anew on what is recorded."""

from __future__ import annotations

from collections import Counter

import click

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import print_lines
from fhir_bridge.config import Settings

__all__ = ["command"]


@click.command("relabel")
@click.option(
    "--type", "types", multiple=True, help="Only resources of this type; may be repeated."
)
@click.option("--check", is_flag=True, help="Count what would change; change nothing.")
@data_options
def command(*, types: tuple[str, ...], check: bool, settings: Settings) -> int:
    """Label anew what is recorded, after profiles/sensitivity or its value sets changed.

    One line a type in which something changed: how many resources were looked at, how many got or lost
    labels, and which. Works in small steps while the service runs; what senders and people
    labelled stays. Exit code 1 with --check when something would change.

    Example: fhir-bridge relabel --check
    """
    from fhir_bridge.security_labels import Labeller, load_label_rules
    from fhir_bridge.store import maintenance

    labeller = Labeller(load_label_rules(Artifacts(*settings.overlay)))
    lines = []
    with open_record(settings) as store:
        for name in types or sorted(store.counts_by_type()):
            counts: Counter[str] = maintenance.relabel(store, name, labeller, keep=check)
            if counts["changed"]:
                lines.append({"type": name, **dict(sorted(counts.items()))})
    print_lines(lines)
    return 1 if check and lines else 0
