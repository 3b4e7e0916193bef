"""The public snapshot cases, where they are at hand."""

from pathlib import Path

from tests.conformance import snapshot as suite


def test_the_public_cases(shared: Path) -> None:
    """All but two, which stand in docs/decisions/adr-2611-snapshots.md with their reasons."""
    results = list(suite.run(shared / "conformance" / "snapshot"))
    others = {result.case_id for result in results if result.outcome != "passed"}

    assert len(results) >= 57
    assert others <= {"obs-2-2", "pat-xver-extension"}
