"""Laws that hold for any text and any expression: a result or a positioned BridgeError."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from fhir_bridge.fhirpath.registry import FUNCTIONS

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "active": True,
    "name": [
        {"use": "official", "family": "Chalmers", "given": ["Peter", None, "James"]},
        {"use": "usual", "given": ["Jim"], "_given": [{"id": "a"}]},
    ],
    "_birthDate": {"extension": [{"url": "u", "valueDateTime": "1974-12-25T14:35:45-05:00"}]},
    "multipleBirthInteger": 2,
    "contact": [{"name": {"family": "du Marché"}, "period": {"start": "2012"}}],
    "contained": [{"resourceType": "Organization", "id": "o"}],
    "managingOrganization": {"reference": "#o"},
}
_LITERALS = st.sampled_from(
    [
        "1", "0", "-3", "2.50", "5L", "'a'", "''", "true", "{}", "@2019-02", "@2019-02-28T10:30+02:00",
        "@T10:30", "4 days", "1.5 'mg'", "99999999999999999999", "1e", "'\\u00e9'", "$this", "$index",
        "$total", "%resource", "%ucum", "%nobody", "name", "Patient", "name.given", "birthDate",
        "active", "contact.period.start", "managingOrganization", "value", "`odd name`",
        "'^(a+)+$'", "2147483648", "0.000000000000000000000001", "@0001", "@9999-12-31", "1000000 years",
    ]
)  # fmt: skip
_OPERATORS = st.sampled_from(
    "+ - * / div mod & | = != ~ !~ < > <= >= and or xor implies in contains".split()  # noqa: SIM905 - reads better than fifty quotes
)
_TYPES = st.sampled_from(
    ["Patient", "string", "System.String", "Quantity", "FHIR.code", "nonsense"]
)
_NAMES = st.sampled_from(sorted(FUNCTIONS))


def _call(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arguments = st.lists(children, max_size=3).map(", ".join)
    return st.tuples(children, _NAMES, arguments).map(lambda row: f"({row[0]}).{row[1]}({row[2]})")


EXPRESSIONS = st.recursive(
    _LITERALS,
    lambda children: st.one_of(
        _call(children),
        st.tuples(children, _OPERATORS, children).map(" ".join),
        st.tuples(children, st.sampled_from(["is", "as"]), _TYPES).map(
            lambda row: f"({row[0]}) {row[1]} {row[2]}"
        ),
        st.tuples(children, _TYPES).map(lambda row: f"({row[0]}).ofType({row[1]})"),
        st.tuples(children, children).map(lambda row: f"{row[0]}[{row[1]}]"),
        children.map(lambda inner: f"-({inner})"),
        children.map(lambda inner: f"({inner})"),
    ),
    max_leaves=8,
)


def _outcome(text: str, node: object) -> str:
    try:
        result = fhirpath.compile(text, definitions=definitions())(node)
    except BridgeError as error:
        return error.code
    assert isinstance(result, list)
    return "result"


@settings(max_examples=400, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSIONS)
def test_any_expression_answers_or_is_refused_with_a_code(text: str) -> None:
    """A generated expression gives a list or a BridgeError of the FHIRPath range."""
    outcome = _outcome(text, PATIENT)
    assert outcome == "result" or outcome.startswith("FB-20"), outcome


@settings(max_examples=300, deadline=2000)
@given(st.text(alphabet="aé姓 .()[]{}|&=<>!~+-*/%$@'`\"\\,0123TZL:\n", max_size=60))
def test_any_text_is_compiled_or_refused_with_a_place(text: str) -> None:
    """Text that is no expression is refused with line and column, never otherwise."""
    try:
        fhirpath.compile(text)
        code, where = "FB-2002", ""
    except BridgeError as error:
        code, where = error.code, error.issues[0].where
    assert code in ("FB-2001", "FB-2002", "FB-2003")
    assert where.startswith("line ") or code == "FB-2002"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "1" + ")" * 5000,
        "-" * 5000 + "1",
        "a.where(" * 2000 + "true" + ")" * 2000,
        "1" + " + 1" * 5000,
        "a[" * 3000 + "0" + "]" * 3000,
    ],
)
def test_deep_nesting_is_refused(text: str) -> None:
    """Nesting beyond the limit is FB-2002, whatever makes it."""
    with pytest.raises(BridgeError) as caught:
        fhirpath.compile(text)
    assert caught.value.code == "FB-2002"


@pytest.mark.parametrize("text", ["a" + ".b" * 20000, " | ".join(["a.b"] * 5000)])
def test_long_chains_are_no_nesting(text: str) -> None:
    """A long path and a long union are flat: they compile and run."""
    assert fhirpath.compile(text)({"a": {"b": "c"}}) in ([], ["c"])


@pytest.mark.parametrize(
    "text",
    [
        "(1).repeat($this + 1)",
        "'a'.repeatAll($this & $this)",
        "(1|2|3|4|5|6|7|8|9).select(" * 6 + "(1|2|3|4|5|6|7|8|9)" + ")" * 6,
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'.matches('^(a+)+$')",
        "10.power(100000).power(100000)",
        "1000000000.exp()",
    ],
)
def test_nothing_hangs(text: str) -> None:
    """Growth without end is stopped within seconds, as a result or a coded refusal."""
    start = time.monotonic()
    outcome = _outcome(text, PATIENT)
    assert time.monotonic() - start < 20
    assert outcome == "result" or outcome.startswith("FB-20")
