"""The published R4 examples: each goes in through the REST API and comes back equal.

https://hl7.org/fhir/R4/downloads.html; compared as JSON, numbers by their text, with the
version and time that the server sets left out.  The XML form is read back as well.  Some
examples break rules of their own release (a missing required element, a reference to a type
that is not allowed), so writes refuse only what cannot be read as FHIR.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from tests.api.world import open_world
from tests.conformance.result import Result, exclusions

_JSON, _XML = "application/fhir+json", "application/fhir+xml"


def run(tree: Path) -> Iterator[Result]:
    """Every line of every NDJSON file."""
    known = exclusions("examples")
    with tempfile.TemporaryDirectory() as folder:
        world = open_world(f"sqlite:///{folder}/record.sqlite3")
        client = world.client("shape")
        for file in sorted(tree.glob("*.ndjson")):
            if file.name == "index.ndjson":
                continue
            for number, line in enumerate(file.read_bytes().splitlines(), 1):
                resource = json.loads(line)
                case_id = f"{file.stem}/{resource.get('id', number)}"
                if case_id in known:
                    yield Result(case_id, "skipped", known[case_id])
                    continue
                note = _round_trip(client, file.stem, resource.get("id", ""), line)
                yield Result(case_id, "failed" if note else "passed", note)
        world.store.close()


def _round_trip(client: FlaskClient, resource_type: str, id_: str, line: bytes) -> str:
    """What went wrong; "" when the resource came back equal in both formats."""
    put = client.put(f"/fhir/{resource_type}/{id_}", data=line, content_type=_JSON)
    if put.status_code not in (200, 201):
        return f"PUT {put.status_code} {put.get_data(as_text=True)[:300]}"
    read = client.get(f"/fhir/{resource_type}/{id_}")
    if _comparable(read.data) != _comparable(line):
        return "the JSON that is read differs from what was sent"
    rendered = client.get(f"/fhir/{resource_type}/{id_}", headers={"Accept": _XML})
    if rendered.status_code != 200:
        return f"XML {rendered.status_code} {rendered.get_data(as_text=True)[:300]}"
    again = client.put(f"/fhir/{resource_type}/{id_}", data=rendered.data, content_type=_XML)
    if again.status_code != 200:
        return f"PUT of the XML {again.status_code} {again.get_data(as_text=True)[:300]}"
    if _comparable(again.data) != _comparable(line):
        return "the JSON of the XML differs from what was sent"
    return ""


def _comparable(text: bytes) -> Any:
    """JSON with numbers as their text, without what the server sets."""
    resource = json.loads(
        text, parse_float=lambda number: f"#{number}", parse_int=lambda n: f"#{n}"
    )
    meta = resource.get("meta", {})
    meta.pop("versionId", None)
    meta.pop("lastUpdated", None)
    if not meta:
        resource.pop("meta", None)
    return resource
