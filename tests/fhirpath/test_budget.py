"""One budget an evaluation: steps, bytes and time, each with its own code."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from fhir_bridge import fhirpath
from fhir_bridge.budget import Bounds, BudgetExceeded, bounded, one_budget
from fhir_bridge.fhir import definitions

TEXT = {"resourceType": "Patient", "name": [{"family": "a"}] * 10}
SMALL = Bounds(bytes=1_000_000)

GROWING = [
    "repeat(%a & %a & $this.toString())",
    "(1).repeat(iif($this is Integer, %a, $this & %a))",
    "%many.aggregate($total & %a, '')",
    "%many.aggregate($total + %a, '')",
    "%many.aggregate($total.replace('a', 'aa'), 'a')",
    "%many.aggregate($total.replaceMatches('a', 'aa'), 'a')",
    "%many.aggregate($total.replaceMatches('(a)', '$1$1'), 'a')",
    "%many.aggregate(($total | $total & 'a').join(%a), '')",
    "%many.aggregate($total.combine($total), 1)",
    "%many.aggregate($total.combine($total | 2), 1)",
    "%many.aggregate($total.select($this | $this & 'a'), 'a')",
    "%many.aggregate($total.select(%pair), 1)",
    "%many.aggregate($total.encode('hex'), 'a')",
    "%many.aggregate($total.encode('base64'), 'a')",
    "%many.aggregate($total.encode('urlbase64'), 'a')",
    "%many.aggregate($total.escape('html'), '&')",
    "%many.aggregate($total.escape('json'), '\"')",
    "%many.select(%a.toChars())",
    "%many.select(%a.split(''))",
    "%many.select(%a.upper())",
    "%many.select(%a.substring(1))",
    "%many.select(%context.descendants())",
    "%many.repeatAll(%many)",
    "%many.aggregate(%factory.withProperty($total, 'x', $total), %factory.create(Extension))",
    "%many.aggregate(%factory.withExtension($total, 'u', $total), %factory.create(Extension))",
    "%many.aggregate(Extension { extension: $total.combine($total) }, Extension { url: 'u' })",
    "('x' | 'y').combine(%many.select(%a)).sum()",
]


@pytest.mark.parametrize("text", GROWING)
def test_what_grows_is_charged_before_it_is_built(text: str) -> None:
    """FB-2010 ends it, and memory stays near the bound."""
    variables = {"a": "a" * 1_000, "many": list(range(2_000)), "pair": [1, 2]}
    compiled = fhirpath.compile(text, definitions=definitions())
    tracemalloc.start()
    try:
        with bounded(SMALL), pytest.raises(BudgetExceeded) as caught:
            compiled.items(TEXT, variables=variables)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.code == "FB-2010"
    assert caught.value.issues[0].where.startswith("line 1")
    assert peak < 20 * SMALL.bytes


ENDLESS = [
    "(1).repeat($this + 1)",
    "%many.where(%many.where(%many.where(false)))",
    "%many.select(%many.count()).select(%many.where($this > 0).count()).sum()",
    "%many.all(%many.subsetOf(%many))",
    "%many.select(%trees.distinct().count())",
    "%many.select(%trees ~ %trees)",
    "%many.select(%a.contains('b'))",
    "%many.select(%a.matches('(a|b)*c'))",
]


@pytest.mark.parametrize("text", ENDLESS)
def test_what_does_not_end_is_ended(text: str) -> None:
    """By the number of its steps (FB-2008)."""
    trees = [{"x": {"y": str(number)}} for number in range(100)]
    variables = {"many": list(range(1_000)), "trees": trees, "a": "a" * 2_000_000}
    start = time.process_time()
    with bounded(Bounds(steps=50_000)), pytest.raises(BudgetExceeded) as caught:
        fhirpath.compile(text).items({"resourceType": "Patient"}, variables=variables)
    assert caught.value.code == "FB-2008"
    assert time.process_time() - start < 3


def test_time_ends_an_evaluation() -> None:
    """That of the evaluation (FB-2011), and that of the request around it (FB-4027)."""
    endless = fhirpath.compile("(1).repeat($this + 1)")
    own = Bounds(steps=10**9, bytes=10**12, seconds=0.05)
    with bounded(own), pytest.raises(BudgetExceeded, match=r"FB-2011.*0\.05 seconds"):
        endless.items({})
    late = Bounds(steps=10**9, bytes=10**12, deadline=time.monotonic())
    with bounded(late), pytest.raises(BudgetExceeded, match="FB-4027"):
        endless.items({})


def test_the_sentence_names_the_bound_and_the_hint_its_setting() -> None:
    """The client reads what was too much, the operator what to change."""
    with bounded(Bounds(steps=1_000)), pytest.raises(BudgetExceeded) as caught:
        fhirpath.compile("(1).repeat($this + 1)").items({})
    lead = caught.value.issues[0]
    assert "1000 steps" in lead.sentence
    assert "FHIR_BRIDGE_EVALUATION_STEPS" in lead.hint


def test_parts_of_one_evaluation_share_its_budget() -> None:
    """Ten expressions of a patch have not ten times as much."""
    counted = fhirpath.compile("%many.where($this > 0).count()")
    many = {"many": list(range(600))}
    with bounded(Bounds(steps=1_000)), one_budget():
        assert counted.items({}, variables=many) == [599]
        with pytest.raises(BudgetExceeded):
            counted.items({}, variables=many)


def test_a_usual_evaluation_is_far_from_its_bounds() -> None:
    """A resource of a megabyte is searched through and written anew."""
    entries = [{"resource": {"resourceType": "Patient", "id": f"p{n}"}} for n in range(10_000)]
    found = fhirpath.compile("entry.resource.where(id.matches('^p.*9$')).id.join(',')")
    assert found({"resourceType": "Bundle", "entry": entries})[0].count(",") == 999
