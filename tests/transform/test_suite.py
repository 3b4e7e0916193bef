"""The runner of the public suite finds a broken engine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fhir_bridge.transform.finish import Finisher
from fhir_bridge.transform.write import Writer
from tests.conformance.fml import run


def outcomes(tree: Path) -> Counter[str]:
    """How many cases passed, failed and were skipped."""
    return Counter(result.outcome for result in run(tree))


def test_the_public_suite_has_no_failures(shared: Path) -> None:
    """All that can be run passes; what cannot has its reason in the register."""
    found = outcomes(shared / "conformance" / "fml")
    assert found["failed"] == 0
    assert found["skipped"] <= 15


@pytest.mark.parametrize("fault", ["a value is lost", "the order is lost"])
def test_a_broken_engine_makes_the_runner_fail(
    shared: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A runner that cannot fail proves nothing."""
    if fault == "a value is lost":
        monkeypatch.setattr(Writer, "put", lambda *_: None)
    else:
        monkeypatch.setattr(Finisher, "finish", lambda _, run, target, site: {"resourceType": "?"})
    assert outcomes(shared / "conformance" / "fml")["failed"] > 50
