"""The sentences of R4's page on search, as questions with their answers, on both databases.

https://hl7.org/fhir/R4/search.html.  ``tests/cases/search``: one resource a line; one search a
line, with the ids that it finds (included resources as ``+Type/id``) or the code of its refusal.
"""

from __future__ import annotations

import json
from pathlib import Path

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions, parse_json_lines
from fhir_bridge.search import Registry, parse_search, plan
from fhir_bridge.store import Store

_CASES = Path(__file__).parents[1] / "cases" / "search"
_CODES = {"urn:vs": [("http://loinc.org", "1-1"), ("http://loinc.org", "2-2")]}


def _found(store: Store, resource_type: str | None, query: str) -> list[str] | str:
    pairs = [(name, value) for name, _, value in (e.partition("=") for e in query.split("&"))]
    found: list[str] = []
    cursor = ""
    try:
        question = plan(parse_search(resource_type, pairs, store.registry), store.registry)
        while True:
            page = store.find(question, cursor=cursor)
            found += [each.id for each in page.matches]
            found += [f"+{each.resource_type}/{each.id}" for each in page.includes]
            cursor = page.next
            if not cursor:
                return sorted(set(found))
    except BridgeError as error:
        return error.code


def test_every_search_finds_what_it_says(opening) -> None:  # type: ignore[no-untyped-def]
    """Dates, numbers, quantities, tokens, strings, references, chains, includes, refusals."""
    store = opening(Registry(definitions(), value_set_codes=_CODES.get))
    with store.transaction() as tx:
        tx.put_many(list(parse_json_lines((_CASES / "resources.ndjson").read_bytes())))
    cases = [
        json.loads(line) for line in (_CASES / "searches.ndjson").read_text("utf-8").splitlines()
    ]
    wrong = [
        (case, found)
        for case in cases
        if (found := _found(store, case["type"], case["query"])) != case["expect"]
    ]
    assert len(cases) > 200
    assert wrong == []
