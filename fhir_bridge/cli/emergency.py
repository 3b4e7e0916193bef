"""Review who broke the glass."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import print_lines, print_resource
from fhir_bridge.config import Settings

if TYPE_CHECKING:
    from fhir_bridge.store import Emergency

__all__ = ["command"]


@click.group("emergency")
def command() -> None:
    """Review emergencies in which a clinician opened a record that was closed to them.

    Example: fhir-bridge emergency list
    """


@command.command("list")
@click.option("--patient", default="", help="Only those of one Patient (an id).")
@click.option("--all", "every", is_flag=True, help="Also those that were reviewed.")
@data_options
def list_emergencies(*, patient: str, every: bool, settings: Settings) -> int:
    """List the emergencies that wait for a review, one line each, the newest first.

    Exit code 1 when one waits.

    Example: fhir-bridge emergency list --all
    """
    with open_record(settings) as store:
        patient_id = patient.removeprefix("Patient/")
        found = store.emergencies.list(closed=every, patient_id=patient_id, limit=10_000)
    print_lines(_shown(each) for each in found)
    return 1 if any(not each.closed for each in found) else 0


@command.command("close")
@click.argument("number", type=int)
@click.option("--by", required=True, help="Who reviewed it: not the account that broke the glass.")
@click.option("--note", required=True, help="What the review found.")
@data_options
def close(number: int, *, by: str, note: str, settings: Settings) -> int:
    """Close the review of emergency NUMBER.

    Example: fhir-bridge emergency close 3 --by "privacy office, Li Na" --note "justified: ward 3"
    """
    from fhir_bridge.audit import close_review

    with open_record(settings) as store:
        print_resource(_shown(close_review(store, number, by, note)))
    return 0


def _shown(emergency: Emergency) -> dict[str, Any]:
    shown = {
        "number": emergency.number,
        "at": _instant(emergency.at),
        "until": _instant(emergency.until),
        "account": emergency.account,
        "app": emergency.client,
        "practitioner": emergency.practitioner,
        "organization": emergency.organization,
        "patient": emergency.patient_id,
        "reason": emergency.reason,
        "closed": _instant(emergency.closed) if emergency.closed else "",
        "by": emergency.closed_by,
        "note": emergency.note,
    }
    return {name: value for name, value in shown.items() if value}


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds")
