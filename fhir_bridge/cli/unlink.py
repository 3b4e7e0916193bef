"""Take a link back."""

from __future__ import annotations

import click

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.cli.options import data_options, open_record
from fhir_bridge.cli.printing import print_resource
from fhir_bridge.config import Settings

__all__ = ["command"]


@click.command("unlink")
@click.argument("number", type=int)
@data_options
def command(number: int, settings: Settings) -> int:
    """Take decision NUMBER of the link log back (see links).

    What the source says of the person gets a Patient of its own again, with what its messages
    made; its next messages stay there, whatever number they carry. What another source stated too
    is left and listed. Works beside the service.

    Example: fhir-bridge unlink 17
    """
    from fhir_bridge.identity import PersonKeys, load_rules, unlink
    from fhir_bridge.update import load_update_rules

    artifacts = Artifacts(*settings.overlay)
    keys = PersonKeys(load_rules(artifacts))
    with open_record(settings) as store:
        undone = unlink(store, keys, number, load_update_rules(artifacts))
    print_resource(
        {
            "patient": undone.patient_id,
            "newPatient": undone.new_patient_id,
            "moved": undone.moved,
            "left": undone.left,
        }
    )
    return 0
