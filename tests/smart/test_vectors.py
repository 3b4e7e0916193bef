"""Project Wycheproof's vectors of signed tokens: what is valid is taken, nothing else is."""

from __future__ import annotations

import warnings

from tests.conformance.security import vectors


def test_no_vector_fails(shared):
    """Those of shared secrets, encryption and JSON serialisation are not taken at all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's remarks on keys that are refused
        found = list(vectors(shared / "conformance" / "security" / "wycheproof"))
    assert [each.case_id for each in found if each.outcome == "failed"] == []
    assert sum(each.outcome == "passed" for each in found) > 300
