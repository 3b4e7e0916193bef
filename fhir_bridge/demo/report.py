"""Prints the demo's summary for people, in Chinese or English."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from fhir_bridge.demo.summary import Summary

if TYPE_CHECKING:
    from fhir_bridge.demo.people import People

__all__ = ["print_addresses", "print_restart", "print_summary", "words"]

Words = Callable[..., str]


@cache
def words(language: str) -> Words:
    """The words of a language, as ``words(key, **places)``."""
    text = files(__package__).joinpath("texts.csv").read_text(encoding="utf-8")
    column = "en" if language == "en" else "zh"
    table = {row["key"]: row[column] for row in csv.DictReader(text.splitlines())}
    return lambda key, **places: table[key].format(**places)


def print_summary(summary: Summary, console: Console, say: Words) -> None:
    """Received, recorded, quarantined with reasons, linked, loads, rate, memory."""
    console.rule(say("title"))
    console.print(_feeds(summary, say))
    console.print(_types(summary, say))
    if summary.reasons:
        console.print(_reasons(summary, say))
    console.print(
        say("linked", patients=f"{summary.patients:,}", three=f"{summary.in_all_three:,}")
    )
    for load in summary.loads:
        console.print(
            say("load", doctor=load.name, persons=load.persons, limit=load.limit), style="yellow"
        )
    if not summary.loads:
        console.print(say("no_load"))
    rate = summary.resources / summary.seconds if summary.seconds else 0
    console.print(
        say(
            "rate",
            records=f"{summary.records:,}",
            resources=f"{summary.resources:,}",
            seconds=f"{summary.seconds:.0f}",
            rate=f"{rate:,.0f}",
            memory=summary.peak_megabytes,
        )
    )


def print_restart(options: str, console: Console, say: Words) -> None:
    """How to serve the record of a demo that has ended."""
    command = f"fhir-bridge serve {options}"
    console.print(f"\n{say('serve_again')}:\n  {command}", soft_wrap=True, highlight=False)


def print_addresses(
    summary: Summary,
    page_url: str,
    fhir_base: str,
    console: Console,
    say: Words,
    *,
    people: People | None = None,
) -> None:
    """What to open and what to type; in a closed record also who signs in."""
    resident = people.patient if people is not None else summary.example.removeprefix("Patient/")
    addresses = [(page_url, say("page"))]
    if resident:
        addresses.append((f"{page_url}console/residents/{resident}", say("one_resident")))
    addresses.append((f"{fhir_base}/metadata", say("api")))
    console.print(f"\n{say('open')}:")
    for address, what in addresses:
        console.print(f"  {address}  [dim]{what}[/dim]", soft_wrap=True, highlight=False)
    if people is not None:
        console.print(f"\n{say('sign_in')}:")
        for each in people.sign_ins:
            line = f"  {each.name}  {each.password}  [dim]{say(f'is_{each.role}')}[/dim]"
            console.print(line, soft_wrap=True, highlight=False)
    console.print(f"\n{say('try')}:")
    asked = ["CareTeam", "Patient?nonsense=1"]
    if resident:
        asked[:0] = [
            f"Patient/{resident}",
            f"Contract?subject=Patient/{resident}",
            f"ServiceRequest?patient={resident}",
        ]
    token = f" -H 'Authorization: Bearer {people.token}'" if people and people.token else ""
    for query in asked:
        console.print(f"  curl{token} '{fhir_base}/{query}'", soft_wrap=True, highlight=False)


def _feeds(summary: Summary, say: Words) -> Table:
    table = Table(title=say("received"), title_justify="left", box=None, pad_edge=False)
    table.add_column(say("feed"))
    for key in ("messages", "done", "ignored", "quarantined"):
        table.add_column(say(key), justify="right")
    for feed in summary.feeds:
        counts = (feed.received, feed.done, feed.ignored, feed.quarantined)
        table.add_row(feed.feed, *(f"{count:,}" for count in counts))
    return table


def _types(summary: Summary, say: Words) -> Table:
    table = Table(title=say("stored"), title_justify="left", box=None, pad_edge=False)
    table.add_column(say("type"))
    table.add_column(say("count"), justify="right")
    for name, count in summary.types:
        table.add_row(name, f"{count:,}")
    table.add_section()
    table.add_row("Σ", f"{sum(count for _, count in summary.types):,}", style="bold")
    return table


def _reasons(summary: Summary, say: Words) -> Table:
    table = Table(title=say("reasons"), title_justify="left", box=None, pad_edge=False)
    table.add_column(say("code"))
    table.add_column(say("count"), justify="right")
    table.add_column(say("reason"), overflow="fold")
    for reason in summary.reasons:
        table.add_row(reason.code, f"{reason.count:,}", f"{reason.sentence} {reason.hint}")
    return table
