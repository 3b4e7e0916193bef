"""Every folder of ``tests/cases/maps`` is one case of our maps: input, feed, expected Bundle.

``pytest --accept`` rewrites ``expected.json``; the digest inside it belongs to the input, so
that neither is changed alone.  Fresh UUIDs are numbered in the order of their first use.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge import ingest, transform
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions, parse_json, render_json
from fhir_bridge.validation import Validator

CASES = Path(__file__).parent.parent / "cases" / "maps"
FOLDERS = sorted(path.parent for path in CASES.glob("*/case.toml"))
_ROOT = re.compile(r"<([A-Z]{4}_IN\w+)")
_UUID = re.compile(r"urn:uuid:[0-9a-f-]{36}")


@cache
def library() -> transform.Library:
    """All maps of the product, compiled when first used."""
    return transform.Library.from_artifacts(Artifacts())


@cache
def feeds() -> Mapping[str, ingest.Feed]:
    """All feeds of the product."""
    return ingest.load_feeds(Artifacts())


@cache
def validator() -> Validator:
    """The structure of R4 and our profiles."""
    return Validator(definitions(), Profiles.from_artifacts(Artifacts()))


@cache
def converted(folder: Path) -> tuple[dict[str, Any], ingest.Feed, dict[str, Any]]:
    """What the case's input becomes, in the form of ``expected.json``; its feed, its Bundle."""
    case = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    data = (folder / case["input"]).read_bytes()
    feed = feeds()[case["feed"]]
    made = ingest.convert(data, feeds=feeds(), library=library(), feed=feed)
    numbers: dict[str, str] = {}
    text = _UUID.sub(
        lambda found: numbers.setdefault(found.group(), f"urn:uuid:{len(numbers) + 1}"),
        render_json(made.bundle or {}, pretty=True).decode(),
    )
    found = {
        "input": hashlib.sha256(data).hexdigest(),
        "issues": [
            f"{issue.code} {issue.severity} at {issue.where}"
            for issue in made.issues
            if issue.code != "FB-6012"  # what is left unread: tests/ingest/test_unread.py
        ],
        "bundle": json.loads(text, parse_float=str),
    }
    return found, feed, made.bundle or {}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_case(folder: Path, *, accept: bool) -> None:
    """The input becomes exactly the expected Bundle, decimals by their text, and issues."""
    found, _, _ = converted(folder)
    expected = folder / "expected.json"
    if accept:
        text = json.dumps(found, ensure_ascii=False, indent=1)
        expected.write_text(text + "\n", encoding="utf-8")
    assert found == json.loads(expected.read_text(encoding="utf-8"), parse_float=str)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_case_is_valid(folder: Path) -> None:
    """Every resource of the Bundle keeps the structure of R4 and its feed's profiles.

    What only refers to something that another message described need not stand alone.
    """
    _, feed, bundle = converted(folder)
    errors = []
    for entry in parse_json(render_json(bundle)).get("entry", ()):
        resource = entry["resource"]
        if entry.get("request", {}).get("ifMatch") == "*":
            continue
        profiles = feed.profiles.get(resource["resourceType"], ())
        errors += [
            str(issue)
            for issue in validator().check(resource, profiles)
            if issue.severity in ("error", "fatal")
        ]
    assert errors == []


def test_every_map_has_a_case() -> None:
    """Each map that a feed names is used by at least one case."""
    named = {url for feed in feeds().values() for url in (feed.map, *feed.maps.values()) if url}
    used = set()
    for folder in FOLDERS:
        case = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
        feed = feeds()[case["feed"]]
        if feed.map:
            used.add(feed.map)
        elif feed.format == "hl7v2":
            header = (folder / case["input"]).read_bytes().split(b"\n", 1)[0].decode("latin-1")
            code = header.split("|")[8].split("^")[0]
            used.add(feed.maps.get(code, feed.maps["PID"]))
        else:
            root = _ROOT.search((folder / case["input"]).read_text(encoding="utf-8"))
            used.add(feed.maps.get(root[1] if root else "", feed.maps["document"]))
    assert named - used == set()
