"""How results and issues leave a command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import render_json

if TYPE_CHECKING:
    from fhir_bridge.store.maintenance import Manifest

__all__ = [
    "backup_contents",
    "has_errors",
    "print_issues",
    "print_lines",
    "print_resource",
    "progress_bar",
]


def print_resource(resource: Any) -> None:
    """One resource: indented for a person, one line for a pipe."""
    data = render_json(resource, pretty=sys.stdout.isatty())
    click.echo(data.decode().rstrip("\n"))


def backup_contents(manifest: Manifest) -> dict[str, Any]:
    """What a backup holds: rows and digest in all, then of each table."""
    return {
        "rows": manifest.rows,
        "sha256": manifest.digest,
        "tables": {
            table: {"rows": rows, "sha256": manifest.digests[table]}
            for table, rows in manifest.counts.items()
        },
    }


def print_lines(values: Iterable[Any]) -> int:
    """Each value as one line of JSON (NDJSON); answers how many."""
    count = 0
    for value in values:
        click.echo(render_json(value).decode().rstrip("\n"))
        count += 1
    return count


def print_issues(issues: Iterable[Issue], *, source: str = "") -> None:
    """Each issue as one line on standard error: code, severity, place, sentence, hint."""
    before = f"{source}: " if source else ""
    for issue in issues:
        click.echo(f"{before}{issue} ({issue.hint})", err=True)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[..., None]]:
    """A bar on standard error when a person watches; the block calls it with (done, of)."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, of=None: progress.update(task, completed=done, total=of)


def has_errors(issues: Iterable[Issue]) -> bool:
    """Whether something is wrong enough for exit code 1."""
    return any(issue.severity in {"fatal", "error"} for issue in issues)
