"""Any text can be stored and asked for; it comes back unchanged and breaks nothing."""

from __future__ import annotations

from pathlib import Path

from fhir_bridge.fhir import parse_json
from fhir_bridge.search import parse_search, plan
from fhir_bridge.store import Store, Stored, maintenance


def test_hostile_text_is_stored_and_searched(store: Store, shared: Path) -> None:
    """In names, URIs and displays; in every kind of parameter; beyond the length of an index row."""
    texts = [
        line
        for file in sorted((shared / "conformance" / "security" / "strings").glob("*"))
        for line in file.read_text("utf-8", "replace").splitlines()[:150]
        if line.strip()
    ]
    texts += ["a\x00b", "𠀀" * 3_000, "x" * 9_000, "a,b|c$d\\"]
    texts = list(dict.fromkeys(texts))  # a number of two persons would be found by the check
    with store.transaction() as tx:
        tx.put_many(
            [
                {
                    "resourceType": "Patient",
                    "id": f"p{number}",
                    "meta": {"profile": [text], "tag": [{"code": text, "display": text}]},
                    "name": [{"family": text, "given": [text]}],
                    "identifier": [{"system": text, "value": text}],
                }
                for number, text in enumerate(texts)
            ]
        )
    for number, text in enumerate(texts):
        found = store.read("Patient", f"p{number}")
        assert found
        assert parse_json(found.body)["name"][0]["family"] == text
        escaped = "".join(f"\\{each}" if each in ",|$\\" else each for each in text)
        for name in ("family:exact", "identifier"):
            matches = [each.id for each in _ask(store, name, escaped)]
            assert f"p{number}" in matches, (name, text[:40])
        for name in ("name", "name:contains", "_profile:below", "_tag:text", "_content"):
            _ask(store, name, escaped)
    assert maintenance.check(store).issues == ()


def _ask(store: Store, name: str, value: str) -> list[Stored]:

    question = plan(parse_search("Patient", [(name, value)], store.registry), store.registry)
    return store.find(question).matches
