"""Search the record from the command line."""

from __future__ import annotations

from urllib.parse import parse_qsl

import click

from fhir_bridge.cli.printing import print_lines
from fhir_bridge.cli.sites import site_options, wired
from fhir_bridge.config import Settings

__all__ = ["command"]


@click.command("search")
@click.argument("query")
@click.option("--all", "every", is_flag=True, help="All pages, not the first one only.")
@click.option("--count", "only_count", is_flag=True, help="Only how many there are.")
@site_options
def command(query: str, *, every: bool, only_count: bool, settings: Settings) -> int:
    """Search the record: QUERY is what would follow the FHIR base URL.

    Prints one resource a line (NDJSON); exit code 1 when nothing is found.

    Example: fhir-bridge search "Patient?name=张&birthdate=lt1960"
    """
    from fhir_bridge.fhir import parse_json
    from fhir_bridge.search import Access, parse_search, plan

    resource_type, _, asked = query.partition("?")
    pairs = parse_qsl(asked, keep_blank_values=True)
    with wired(settings) as services:
        access = Access.everything()
        search = parse_search(resource_type or None, pairs, services.registry)
        wanted = plan(search, services.registry)
        if only_count:
            total = services.store.count(wanted, access)
            click.echo(total)
            return 0 if total else 1
        found, cursor = 0, ""
        while True:
            page = services.store.find(wanted, access, cursor=cursor)
            found += print_lines(parse_json(one.body) for one in [*page.matches, *page.includes])
            cursor = page.next
            if not every or not cursor:
                return 0 if found else 1
