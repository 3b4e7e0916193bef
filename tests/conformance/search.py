"""Search semantics as data: fixtures, searches, and the ids that each should find.

Runs against the store itself, on SQLite and, where FHIR_BRIDGE_TEST_POSTGRESQL names a
database, on PostgreSQL too.  A contested case (servers differ on it) does not fail the run:
it is reported as skipped, with whether the R4 reading holds.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhir_bridge.access import Access
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions, parse_json
from fhir_bridge.search import Registry, parse_search, plan
from fhir_bridge.store import Store, open_store
from tests.conformance.result import Result, exclusions
from tests.store.databases import scratch_schema

_MOST_PAGES = 100


def run(tree: Path) -> Iterator[Result]:
    """Every case, on each database there is."""
    registry = Registry(definitions())
    cases = [json.loads(line) for line in (tree / "cases.ndjson").read_text("utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/record.sqlite3", registry=registry)
        yield from _run_on(store, "sqlite", tree, cases)
    url = os.environ.get("FHIR_BRIDGE_TEST_POSTGRESQL")
    if url:
        with scratch_schema(url) as scratch:
            yield from _run_on(open_store(scratch, registry=registry), "postgresql", tree, cases)


def _run_on(
    store: Store, database: str, tree: Path, cases: list[dict[str, Any]]
) -> Iterator[Result]:
    for fixture in sorted((tree / "fixtures").glob("*.json")):
        _load(store, fixture)
    excluded = exclusions("search")
    for case in cases:
        name = case["id"]
        note = _judge(store, case)
        if name in excluded:
            yield Result(name, "skipped", excluded[name], database)
        elif case.get("contested"):
            holds = note or "as R4 says"
            yield Result(name, "skipped", f"contested: {holds}", database)
        else:
            yield Result(name, "failed" if note else "passed", note, database)
    store.close()


def _load(store: Store, fixture: Path) -> None:
    bundle = parse_json(fixture.read_bytes())
    with store.transaction() as tx:
        tx.put_many([entry["resource"] for entry in bundle["entry"]])
        if fixture.stem == "include":
            tx.put({"resourceType": "Organization", "id": "ms-incl-deleted-org"})
            tx.flush()
            tx.delete("Organization", "ms-incl-deleted-org")


def _judge(store: Store, case: dict[str, Any]) -> str:
    """What is wrong, "" when nothing."""
    pairs = [(name, value) for name, value in case["params"]]
    try:
        search = parse_search(case["type"], pairs, store.registry)
        question = plan(search, store.registry)
        found: dict[str, str] = {}
        cursor = ""
        for _ in range(_MOST_PAGES):
            page = store.find(question, Access.everything(), cursor)
            found.update({each.id: "include" for each in page.includes if each.id not in found})
            found.update({each.id: "match" for each in page.matches})
            cursor = page.next
            if not cursor:
                break
    except BridgeError as error:
        status = error.entry.http_status
        if case.get("expect_status") == status:
            return ""
        return f"status {status}: {error}"
    if "expect_ids" not in case:
        return f"expected status {case['expect_status']}, found {sorted(found)}"
    if set(found) != set(case["expect_ids"]):
        return f"expected {sorted(case['expect_ids'])}, found {sorted(found)}"
    for mode, ids in (case.get("modes") or {}).items():
        of_mode = {id_ for id_, each in found.items() if each == mode}
        if of_mode != set(ids):
            return f"as {mode} expected {sorted(ids)}, found {sorted(of_mode)}"
    return ""
