"""The public FHIRPath suites pass, and a broken engine makes them fail."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fhir_bridge.fhirpath import compiler
from tests.conformance import fhirpath as suite


def test_public_suites(shared: Path) -> None:
    """Nothing fails that is not listed with a reason; shares as promised."""
    results = list(suite.run(shared / "conformance/fhirpath"))
    failed = [result for result in results if result.outcome == "failed"]
    assert failed == []
    groups = Counter(result.group for result in results)
    passed = Counter(result.group for result in results if result.outcome == "passed")
    assert passed["official-r4"] >= 0.99 * groups["official-r4"]
    assert passed["official-r5"] >= 0.97 * groups["official-r5"]
    assert passed["fhirpathjs"] >= 0.95 * groups["fhirpathjs"]


def test_a_broken_engine_fails(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a wrong union, cases fail: the runner compares."""
    monkeypatch.setattr(compiler, "distinct", lambda items, _: list(items))
    door = suite.fhirpath.compile.__globals__["_compiled"]
    door.cache_clear()
    failed = [r for r in suite.run(shared / "conformance/fhirpath") if r.outcome == "failed"]
    door.cache_clear()
    assert len(failed) > 5
