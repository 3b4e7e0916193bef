"""Laws that hold for any text and any expression: a result or a positioned BridgeError."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions, parse_json_value
from fhir_bridge.fhirpath.functions.registry import FUNCTIONS

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


_INSTANCES = st.sampled_from(
    ["Coding {{ system: {0}, code: {0} }}", "FHIR.Period {{ start: {0} }}", "code {{ value: {0} }}",
     "Observation {{ value: {0} }}", "HumanName {{ given: {0} }}", "Nonsense {{ a: {0} }}", "Coding {{:}}"]
)  # fmt: skip


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
        st.tuples(_INSTANCES, children).map(lambda row: row[0].format(row[1])),
        st.tuples(children, children, st.sampled_from(["asc", "desc"])).map(
            lambda row: f"({row[0]}).sort({row[1]} {row[2]})"
        ),
        children.map(lambda inner: f"-({inner})"),
        children.map(lambda inner: f"({inner})"),
    ),
    max_leaves=8,
)


def _outcome(text: str, node: object) -> str:
    try:
        compiled = fhirpath.compile(text, definitions=definitions())
        compiled.typed(node)
        result = [compiled(node) for _ in range(3)][-1]
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


@cache
def _examples(folder: Path) -> list[Any]:
    """The first two published examples of each type."""
    texts = [path.read_bytes().splitlines()[:2] for path in sorted(folder.glob("*.ndjson"))]
    rows = [parse_json_value(line) for lines in texts for line in lines]
    return [row for row in rows if "resourceType" in row]


def _walk(draw: st.DrawFn, node: Any) -> str:
    """A path that leads somewhere in the resource, with words of choices cut as FHIRPath has it."""
    steps = []
    while isinstance(node, dict) and node and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(node)))
        steps.append(f"`{key.removeprefix('_')}`")
        node = node[key][0] if isinstance(node[key], list) and node[key] else node[key]
    return ".".join(steps) or "$this"


@st.composite
def _on_resource(draw: st.DrawFn, folder: Path) -> tuple[str, Any]:
    """A published resource, and an expression made of its own paths and any function."""
    resource = draw(st.sampled_from(_examples(folder)))
    text = _walk(draw, resource)
    for _ in range(draw(st.integers(0, 3))):
        other = draw(st.one_of(st.just(_walk(draw, resource)), _LITERALS, EXPRESSIONS))
        name, operator, kind = draw(_NAMES), draw(_OPERATORS), draw(_TYPES)
        arguments = draw(st.sampled_from(["", other, f"{other}, {other}", kind]))
        text = draw(
            st.sampled_from(
                [
                    f"({text}).{name}({arguments})",
                    f"({text}) {operator} ({other})",
                    f"({text}).where({other})",
                ]
            )
        )
    return text, resource


@pytest.mark.parametrize("part", range(4))
def test_published_resources_never_break_the_engine(shared: Path, part: int) -> None:
    """On published resources any expression answers, typed or plain, or is refused with a code."""

    @seed(part)
    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_on_resource(shared / "conformance/examples/r4"))
    def law(case: tuple[str, Any]) -> None:
        text, resource = case
        outcome = _outcome(text, resource)
        assert outcome == "result" or outcome.startswith("FB-20"), text

    law()


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


@pytest.mark.parametrize(
    "text",
    [
        "component.value.distinct().count()",
        "component.value.subsetOf(component.value)",
        "component.take(40).where(value in %context.component.value).count()",
        "component ~ component.skip(1).combine(component.first())",
        "component.value.ofType(Quantity).where(value > 2).value.distinct().count()",
        "(component.value | component.value.skip(1)).count()",
        "component.value.select($this.value.toQuantity('Cel')).distinct().count()",
    ],
)
def test_large_collections_of_quantities_end(text: str) -> None:
    """What compares all with all ends in time: by keys where they tell, else by a limit."""
    quantity = {"unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    components = [{"valueQuantity": {"value": number, **quantity}} for number in range(3000)]
    start = time.process_time()
    outcome = _outcome(text, {"resourceType": "Observation", "component": components})
    assert time.process_time() - start < 60
    assert outcome in ("result", "FB-2008")
