"""Search the record from the command line, by the interaction that HTTP uses.

https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import click

from fhir_bridge.cli.options import data_options, open_services
from fhir_bridge.cli.printing import print_lines
from fhir_bridge.config import Settings

if TYPE_CHECKING:
    from fhir_bridge.app import Services
    from fhir_bridge.interactions import Context, Request

__all__ = ["command"]


@click.command("search")
@click.argument("query")
@click.option("--all", "every", is_flag=True, help="All pages, not the first one only.")
@click.option("--count", "only_count", is_flag=True, help="Only how many there are.")
@data_options
def command(query: str, *, every: bool, only_count: bool, settings: Settings) -> int:
    """Search the record: QUERY is what would follow the FHIR base URL.

    Prints one resource a line (NDJSON), as _summary and _elements want it, and with
    _summary=count the total only; exit code 1 when nothing is found.

    Example: fhir-bridge search "Patient?name=张&birthdate=lt1960"
    """
    from fhir_bridge.interactions import Request, split_url

    path, pairs = split_url(query)
    if only_count:
        pairs = (*(pair for pair in pairs if pair[0] != "_summary"), ("_summary", "count"))
    request = Request("GET", path, pairs)
    printed, is_first = 0, True
    with open_services(settings) as services:
        for bundle in _pages(request, _context(services)):
            entries = bundle.get("entry", [])
            if is_first and not entries and bundle.get("total"):
                click.echo(bundle["total"])
                return 0
            is_first = False
            _print_outcomes(entries)
            printed += print_lines(
                entry["resource"] for entry in entries if entry["search"]["mode"] != "outcome"
            )
            if not every:
                break
    if only_count:
        click.echo(0)
    return 0 if printed else 1


def _pages(request: Request, context: Context) -> Iterator[dict[str, Any]]:
    """The searchset Bundles of a search, one after the other."""
    from fhir_bridge.errors import BridgeError
    from fhir_bridge.fhir import parse_json
    from fhir_bridge.interactions import perform_route, route, split_url

    found = route(request.method, request.path, context.definitions.resource_types)
    if not found.interaction.startswith("search"):
        raise BridgeError("FB-4103", "", parameter="type", expected="a search, such as Patient?…")
    while True:
        bundle = parse_json(perform_route(request, found, context).body)
        yield bundle
        links = {link["relation"]: link["url"] for link in bundle.get("link", ())}
        if "next" not in links:
            return
        request = replace(request, query=split_url(links["next"])[1])


def _print_outcomes(entries: list[dict[str, Any]]) -> None:
    """What was left out or could not be included, on standard error."""
    for entry in entries:
        if entry["search"]["mode"] == "outcome":
            for issue in entry["resource"]["issue"]:
                click.echo(issue.get("diagnostics", issue["details"]["text"]), err=True)


def _context(services: Services) -> Context:
    """The operator's context: everything may be seen, and nothing but a search is carried out."""
    from fhir_bridge.access import Access
    from fhir_bridge.interactions import Context

    return Context(
        store=services.store,
        registry=services.registry,
        definitions=services.definitions,
        validator=services.validator,
        settings=services.settings,
        access=Access.everything(),
        base_url=services.settings.fhir_base,
        operate=_refused,
        render_error=_refused,
        capabilities=_refused,
    )


def _refused(*_: object) -> NoReturn:
    """Operations, pages of errors and capabilities are no part of a search."""
    raise AssertionError("the search command carries out a search and nothing else")
