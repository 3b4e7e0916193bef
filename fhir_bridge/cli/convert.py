"""Convert files to FHIR without storing anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhir_bridge.cli.options import INPUTS, artifacts, input_files, read_input
from fhir_bridge.cli.printing import has_errors, print_issues, print_lines, print_resource

if TYPE_CHECKING:
    from fhir_bridge.ingest import Validation

__all__ = ["command"]


@click.command("convert")
@click.argument("files", nargs=-1, required=True, type=INPUTS)
@click.option("--feed", "feed_name", help="The feed whose maps to use; default: the standard one.")
@click.option(
    "--validate/--no-validate", default=False, help="Judge the Bundle by the feed's profiles."
)
def command(files: tuple[Path, ...], feed_name: str | None, *, validate: bool) -> int:
    """Convert FILES (HL7 v2, CDA, HL7 V3, tables, FHIR) to FHIR R4 Bundles.

    The format is detected; the standard maps serve where no feed is named.  The Bundle goes to
    standard output (one a line for several files), coded issues to standard error.  ``-`` reads
    standard input.

    The Bundle stands alone: what another message described is named by its number, and nothing
    says how it would be recorded.

    Example: fhir-bridge convert message.hl7
    """
    from fhir_bridge.ingest import Validation, collected, convert, get_feed, load_feeds
    from fhir_bridge.transform import Library

    place = artifacts()
    feeds = load_feeds(place)
    feed = get_feed(feeds, feed_name) if feed_name else None
    library = Library.from_artifacts(place)
    validation = _validation(Validation) if validate else None
    paths = list(input_files(files))
    findings = False
    for path in paths:
        converted = convert(
            read_input(path), feeds=feeds, library=library, feed=feed, validation=validation
        )
        print_issues(converted.issues, source=path.name if len(paths) > 1 else "")
        findings = findings or converted.bundle is None or has_errors(converted.issues)
        if converted.bundle is not None:
            bundle = collected(converted.bundle)
            if len(paths) > 1:
                print_lines([bundle])
            else:
                print_resource(bundle)
    return 1 if findings else 0


def _validation(make: type[Validation]) -> Validation:
    from fhir_bridge.conformance import Profiles
    from fhir_bridge.fhir import definitions
    from fhir_bridge.validation import Validator

    return make(Validator(definitions(), Profiles.from_artifacts(artifacts())), "off")
