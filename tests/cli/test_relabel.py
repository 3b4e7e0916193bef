"""relabel: what it would change, and that it does."""

from fhir_bridge.app import build
from fhir_bridge.config import load_settings


def test_relabel_counts_first_and_changes_then(run, tmp_path):
    """1 while something would change; one line a type, with the labels that come."""
    services = build(load_settings({}, data=tmp_path / "var"))
    code = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "B20"}]}
    with services.store.transaction() as opened:
        opened.put({"resourceType": "Condition", "id": "c", "code": code})
    services.store.close()
    told, done = run("relabel", "--check"), run("relabel")

    assert (told.code, done.code, run("relabel", "--check").code) == (1, 0, 0)
    assert (
        told.lines
        == done.lines
        == [{"type": "Condition", "+HIV": 1, "+R": 1, "changed": 1, "looked": 1}]
    )
