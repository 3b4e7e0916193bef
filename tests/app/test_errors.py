"""Issues and the one exception: sentences filled from details, never failing while reporting."""

from __future__ import annotations

import pickle

import pytest

from fhir_bridge.errors import BridgeError, Issue, catalogue, entry


def test_a_sentence_is_filled_from_the_details():
    """What happened and what to do, for people."""
    issue = Issue("FB-9002", details={"setting": "FHIR_BRIDGE_PORT", "reason": "no number"})

    assert "FHIR_BRIDGE_PORT" in issue.sentence
    assert "no number" in issue.sentence
    assert "{" not in issue.sentence + issue.hint


@pytest.mark.parametrize("code", list(catalogue()))
def test_a_missing_detail_leaves_a_gap_and_no_fault(code):
    """Reporting trouble must not make trouble."""
    issue = Issue(code)

    assert issue.sentence
    assert issue.hint
    assert code in str(issue)


def test_details_are_text_and_may_hold_braces():
    """A value that looks like a place of the sentence stays as it is."""
    error = BridgeError("FB-9002", setting="{reason}", reason=ValueError("{0.__class__}"))

    assert {"setting": "{reason}", "reason": "{0.__class__}"} == error.issues[0].details
    assert "{0.__class__}" in error.issues[0].sentence


def test_an_error_leads_with_its_own_code_and_place():
    """Others may follow; the first one decides status and acknowledgement."""
    error = BridgeError("FB-1010", "line 3", issues=(Issue("FB-1002"),), reason="cut off")

    assert ("FB-1010", "line 3") == (error.code, error.issues[0].where)
    assert ["FB-1010", "FB-1002"] == [issue.code for issue in error.issues]
    assert entry("FB-1010") is error.entry
    assert str(error) == str(error.issues[0])


def test_a_code_that_is_not_in_the_catalogue_is_a_bug():
    """Found by the first test that meets it."""
    with pytest.raises(KeyError):
        entry("FB-0000")


def test_an_issue_travels_between_processes():
    """Workers report to the process that started them."""
    issue = Issue("FB-1010", "warning", "line 3", {"reason": "cut off"})

    assert issue == pickle.loads(pickle.dumps(issue))
