"""What the product knows: releases, resource types, maps, profiles, feeds."""

from __future__ import annotations

import click

from fhir_bridge.cli.options import artifacts
from fhir_bridge.cli.printing import print_resource

__all__ = ["command"]


@click.command("conformance")
@click.option("--urls", is_flag=True, help="List canonical URLs instead of counting them.")
def command(*, urls: bool) -> int:
    """Say which definitions, profiles, code systems, maps and feeds are loaded.

    Example: fhir-bridge conformance --urls
    """
    from fhir_bridge.conformance import Profiles
    from fhir_bridge.fhir import definitions
    from fhir_bridge.ingest import load_feeds
    from fhir_bridge.transform import Library

    place, facts = artifacts(), definitions()
    profiles, library, feeds = (
        Profiles.from_artifacts(place),
        Library.from_artifacts(place),
        load_feeds(place),
    )
    kinds = {
        "structureDefinitions": profiles.structure_definitions,
        "valueSets": profiles.value_sets,
        "codeSystems": profiles.code_systems,
        "searchParameters": profiles.search_parameters,
        "structureMaps": library.maps,
        "feeds": feeds,
    }
    print_resource(
        {
            "fhirVersion": "4.0.1",
            "resourceTypes": len(facts.resource_types),
            "types": len(facts.types),
            "baseSearchParameters": len(facts.search_parameters),
        }
        | {kind: sorted(found) if urls else len(found) for kind, found in kinds.items()}
    )
    return 0
