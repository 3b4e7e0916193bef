"""What the pipeline works on, and how an operator puts it aside."""

from fhir_bridge.cli.options import open_record
from fhir_bridge.config import load_settings
from fhir_bridge.journal import Message


def test_what_is_worked_on_is_listed_and_can_be_skipped(run):
    """Number, feed, size and beginnings; what was skipped rests and cannot be skipped again."""
    with open_record(load_settings()) as store:
        (kept,) = store.journal.append([Message("hospital-his", b"MSH|")])
        store.at_work.begin("elsewhere 1 1 - x", {kept.message_id: 2})
    (line,) = run("working").lines
    skipped = run("skip", kept.message_id)
    again = run("skip", kept.message_id)

    assert (line["message"], line["feed"], line["bytes"], line["times"]) == (
        1,
        "hospital-his",
        4,
        2,
    )
    assert (skipped.code, skipped.lines) == (0, [{"message": 1, "item": 1}])
    assert again.code == 1
    assert "FB-5204" in again.err
    assert run("working").lines == []
    (rests,) = run("replay", "--all", "--list").lines
    assert rests["codes"] == ["FB-6022"]
