"""Show and settle contradictions between what sources say of persons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import print_lines, print_resource
from fhir_bridge.config import Settings

if TYPE_CHECKING:
    from fhir_bridge.store import ReviewItem

__all__ = ["command"]


@click.command("held")
@click.argument("number", type=int, required=False)
@click.option("--settle", "note", default="", help="Take NUMBER off the list; a note says why.")
@click.option("--patient", default="", help="Only those of one Patient (an id).")
@click.option("--all", "every", is_flag=True, help="Also those that are settled.")
@data_options
def command(number: int | None, *, note: str, patient: str, every: bool, settings: Settings) -> int:
    """List what contradicts and waits for a person: one line each, the newest first.

    "overlay": a known number came with other facts and was recorded apart; "verified": a number
    or a merge names persons whose verified numbers differ; "numbers": numbers of one message belong to
    persons who do not agree; "apart": who was judged to be two persons is named as one; "unlink":
    two numbers cannot be parted. Identifiers are masked. Exit code 1 when something waits.

    Example: fhir-bridge held 3 --settle "asked the ward: number given twice, corrected there"
    """
    with open_record(settings) as store:
        if number is not None:
            item = store.reviews.settle(number, note) if note else store.reviews.get(number)
            print_resource(_as_json(item))
            return 0
        if note:
            raise click.UsageError("--settle needs the NUMBER of an item")
        patient_id = patient.removeprefix("Patient/")
        found = store.reviews.list(settled=every, patient_id=patient_id, limit=10_000)
    print_lines(_as_json(each) for each in found)
    return 1 if any(not each.settled for each in found) else 0


def _as_json(item: ReviewItem) -> dict[str, Any]:
    shown = {
        "number": item.number,
        "at": item.at,
        "kind": item.kind,
        "patient": item.patient_id,
        "other": item.other_id,
        "feed": item.feed,
        "message": item.message,
        **item.detail,
        "settled": item.settled,
    }
    return {name: value for name, value in shown.items() if value not in ("", [])}
