"""Run and check maps of the FHIR Mapping Language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhir_bridge.budget import bounded
from fhir_bridge.cli.options import INPUTS, artifacts, input_files, read_input
from fhir_bridge.cli.printing import has_errors, print_issues, print_lines
from fhir_bridge.config import load_settings
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir.marks import strip_marks

if TYPE_CHECKING:
    from fhir_bridge.ingest import Feed
    from fhir_bridge.transform import Library

__all__ = ["command"]


@click.command("transform")
@click.argument("structure_map", metavar="MAP", required=False)
@click.argument("files", nargs=-1, type=INPUTS)
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Compile MAP (default: every map) and report faults.",
)
@click.option(
    "--coverage",
    "only_coverage",
    is_flag=True,
    help="Report source fields that never reach the target and elements never filled.",
)
@click.option(
    "--feed", "feed_name", help="Read and run as this feed does: its variables, zone, charset."
)
@click.option(
    "--explain",
    "only_explain",
    is_flag=True,
    help="Print the Python written for MAP, group by group, and why a group is interpreted.",
)
@click.option("--lineage", is_flag=True, help="Print which source and rule wrote each element.")
def command(
    structure_map: str | None,
    files: tuple[Path, ...],
    *,
    only_check: bool,
    only_coverage: bool,
    only_explain: bool,
    feed_name: str | None,
    lineage: bool,
) -> int:
    """Run MAP (a .map file or the URL of a map in mappings/) on each of FILES.

    Inputs are FHIR JSON or XML, HL7 v2, CDA or tables; each result is one line of JSON, issues
    go to standard error.  A map that reads variables of a feed (%zone, %own_institutions …) needs
    --feed.

    Example: fhir-bridge transform my.map patient.json
    """
    from fhir_bridge.transform import Library

    library = Library.from_artifacts(artifacts())
    url = _take_in(library, structure_map) if structure_map else ""
    feed = _feed(feed_name)
    if only_check:
        return _check(library, _checked(library, url, feed))
    if url and only_explain:
        click.echo(library.compile(url).explain())
        return 0
    if not url or not files:
        raise click.UsageError("name a map and files, or --check")
    if only_coverage:
        return _coverage(library, url, files, feed)
    with bounded(load_settings().bounds()):
        return _run(library, url, files, feed, lineage=lineage)


def _run(
    library: Library, url: str, files: tuple[Path, ...], feed: Feed | None, *, lineage: bool
) -> int:
    """Print what the map makes of each input; 1 when something is wrong with one of them."""
    compiled, variables = library.compile(url, feed.hooks if feed else ()), _variables(feed)
    findings = False
    for path in input_files(files):
        for source in _sources(read_input(path), feed):
            try:
                transformed = compiled.run(source, variables=variables, lineage=lineage)
            except BridgeError as error:
                print_issues(error.issues, source=path.name)
                findings = True
                continue
            print_issues(transformed.issues, source=path.name)
            findings = findings or has_errors(transformed.issues)
            print_lines([strip_marks(transformed.target)])
            print_lines(
                {"target": s.target_path, "source": s.source_where, "rule": s.rule, "line": s.line}
                for s in transformed.lineage
            )
    return 1 if findings else 0


def _take_in(library: Library, named: str) -> str:
    """The URL of the map that was named: a file is read into the library first."""
    path = Path(named)
    if not path.is_file():
        return named
    taken = library.add(path.read_text(encoding="utf-8"), name=path.name)
    return taken.url or taken.name


def _checked(library: Library, url: str, feed: Feed | None) -> list[tuple[str, tuple[str, ...]]]:
    """The maps to check with the maps of hooks in their reach: one, or all and those of feeds."""
    from fhir_bridge.ingest import load_feeds

    if url:
        return [(url, feed.hooks if feed else ())]
    of_feeds = {
        (each, one.hooks)
        for one in load_feeds(artifacts()).values()
        if one.hooks
        for each in (one.map, *one.maps.values())
        if each
    }
    return [(each, ()) for each in sorted(library.maps)] + sorted(of_feeds)


def _check(library: Library, maps: list[tuple[str, tuple[str, ...]]]) -> int:
    """One line of counts; every issue with its map and line on standard error."""
    from fhir_bridge.transform.check import check_map

    issues: list[Issue] = []
    told: set[tuple[str, str, str]] = set()
    for url, hooks in maps:
        new = {
            (issue.code, issue.where, issue.sentence): issue
            for issue in check_map(library, url, hooks)
        }
        found = [issue for key, issue in new.items() if key not in told]
        told |= new.keys()
        print_issues(found, source=url)
        issues += found
    errors = sum(issue.severity in {"fatal", "error"} for issue in issues)
    count = len({url for url, _ in maps})
    print_lines([{"maps": count, "errors": errors, "warnings": len(issues) - errors}])
    return 1 if issues else 0


def _coverage(library: Library, url: str, files: tuple[Path, ...], feed: Feed | None) -> int:
    """What the files hold and the map leaves behind, the most frequent field first."""
    from fhir_bridge.transform import measure_coverage

    inputs = (source for path in input_files(files) for source in _sources(read_input(path), feed))
    report = measure_coverage(
        library, url, inputs, variables=_variables(feed), hooks=feed.hooks if feed else ()
    )
    print_issues(report.issues)
    print_lines([{"inputs": report.inputs, "failed": report.failed, "reached": report.reached}])
    print_lines({"unreached": one.path, "inputs": one.inputs} for one in report.unreached)
    print_lines(
        {"unfilled": f"{one.type}.{one.element}", "required": one.is_required}
        for one in report.unfilled
    )
    return 1 if report.failed or report.unreached else 0


def _feed(name: str | None) -> Feed | None:
    from fhir_bridge.ingest import get_feed, load_feeds

    return get_feed(load_feeds(artifacts()), name) if name else None


def _variables(feed: Feed | None) -> Mapping[str, Any]:
    """What the maps of a feed can read by name."""
    if feed is None:
        return {}
    return {"zone": feed.zone, "feed": feed.name, "owner": feed.identity.owner, **feed.variables}


def _sources(data: bytes, feed: Feed | None) -> Iterator[Any]:
    """The trees that a map can read in `data`, read as the feed says where there is one."""
    from fhir_bridge import cda, hl7v2
    from fhir_bridge.fhir import parse_json, parse_xml
    from fhir_bridge.ingest import detect

    form = feed.format if feed else detect(data)
    if form == "hl7v2":
        yield hl7v2.parse(data, charset=feed.charset or None if feed else None)
    elif form == "cda":
        yield cda.parse(data).tree
    elif form == "table":
        yield from _rows(data, feed)
    elif data.lstrip()[:1] == b"<":
        yield parse_xml(data)
    else:
        yield parse_json(data)


def _rows(data: bytes, feed: Feed | None) -> Iterator[Any]:
    """Rows, or groups of rows where the feed groups them."""
    from io import BytesIO

    from fhir_bridge import tables

    if feed is None:
        return iter(tables.read_rows(data))
    table = feed.table

    def read() -> Iterator[tables.Row]:
        charset = None if tables.is_json(data) else feed.charset or None
        return tables.read_rows(BytesIO(data), charset=charset, dialect=table.dialect)

    if table.group_by:
        return tables.group_rows(read, table.group_by, table.whose)
    return read()
