"""Every way to ask for a resource against a second, slow decision: nobody sees or changes what is foreign."""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest

from tests.access.matrix import INTERACTIONS, Matrix, every, pairwise

pytestmark = pytest.mark.timeout(3600)


def wrong(matrix: Matrix, cases: Iterable[tuple[str, str, str, str]], most: int = 5) -> list[str]:
    """The first cases whose answer is not the expected one."""
    found = []
    for case in cases:
        got, expected = matrix.run(*case)
        if got != expected:
            more = sorted(got.shown - expected.shown)[:5]
            less = sorted(expected.shown - got.shown)[:5]
            found.append(
                f"{case}: {got.kind}, expected {expected.kind}; too many {more}, missing {less}"
            )
            if len(found) == most:
                break
    return found


CASES = list(every() if os.environ.get("FHIR_BRIDGE_TEST_LONG") else pairwise())


def _counted(interaction: str) -> str:
    """The name of a test says how many cases are in it."""
    return f"{interaction}, {sum(each[1] == interaction for each in CASES)} cases"


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=_counted)
def test_the_engine_and_the_second_decision_agree(matrix: Matrix, interaction: str) -> None:
    """Type × interaction × caller × scopes, all pairs of them; the whole in the long form."""
    chosen = [each for each in CASES if each[1] == interaction]
    assert wrong(matrix, chosen) == []
