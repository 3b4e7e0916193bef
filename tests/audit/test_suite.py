"""IHE's audit events: what is published is valid, and what is damaged is not."""

from tests.conformance import audit as suite


def test_the_published_verdicts_are_ours(shared):
    """Examples and damaged copies, all."""
    results = list(suite.run(shared / "conformance" / "audit"))

    assert {result.group for result in results} == {"valid", "invalid"}
    assert [result.case_id for result in results if result.outcome != "passed"] == []
