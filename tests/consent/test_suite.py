"""IHE's privacy consents, every cell."""

from tests.conformance import consent as suite


def test_the_published_decisions_are_ours(shared):
    """Tokens, reads, searches and profiles that are not contested: all."""
    results = list(suite.run(shared / "conformance" / "consent"))

    assert len(results) > 100
    assert [result.case_id for result in results if result.outcome != "passed"] == []
