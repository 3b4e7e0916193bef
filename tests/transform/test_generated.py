"""Generated functions do what the closures do: every case of our maps, and any small row."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_bridge import ingest
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import render_json
from fhir_bridge.fhir.marks import NULL
from fhir_bridge.fml import Rule
from fhir_bridge.transform import CompiledMap, Library, compiled_map, load
from fhir_bridge.transform.generate import map as generated_map
from tests.transform.maps import map_text

CASES = Path(__file__).parent.parent / "cases" / "maps"
FOLDERS = sorted(path.parent for path in CASES.glob("*/case.toml"))
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
NEVER = 10**9

RULES = """
  src -> tgt.active = true "constant";
  src.a as a -> tgt.identifier as made, made.system = 'urn:a', made.value = a then Typed(a, 'x', made) "list";
  src.b as b where (matches('^[0-9]+$') and %src.a.exists()) -> tgt.multipleBirthInteger = b "integer";
  src.c as c where (($this in ('1' | 'x')).not() or %src.b.empty()) -> tgt.birthDate = c as born,
    born.extension as extension, extension.url = 'urn:e', extension.valueString = c "primitive";
  src.d first as d -> append(d, '-', src.a) as text, tgt.name as name, name.text = text,
    name.given = d, name.period.start = d "path";
  src.a as a, src.b as b -> tgt.contact as contact, contact.gender = translate(a, '#sex', 'code'),
    contact.relationship = cc('urn:r', b) as concept, concept.text = a "several";
  src.n as n where (a = '1' or b != 'x') then { n.a as a -> tgt.telecom = cp(a) as point, point.rank = a; } "nested";
  src.c as c -> tgt.extension as extension, extension.url = 'urn:f', extension.value = create('Coding') as coding,
    coding.code = c, extension.value = translate(c, '#sex', 'Coding') "choice";
  src.b as b -> tgt.deceased = true, tgt.deceasedDateTime = b "explicit";
  src.c as c where ($this in ('1' | '12') or $this = %null) -> tgt.maritalStatus = c, tgt.photo as photo,
    photo.size = c, photo.creation = date_from_ts(c) "null";
  src.a as a where ($this != %null) -> tgt.language = usual(a), tgt.active = usual(true), tgt.communication as spoken,
    spoken.preferred = usual(a), spoken.language = translate(a, '#sex', 'CodeableConcept') "usual";
  src.d as d -> tgt.generalPractitioner as one, one.reference = append('P/', d), one.display = null() "taken back";
"""
MORE = """
group Typed(source value, source word : string, target identifier : Identifier) {
  value where (%word = 'x') -> identifier.type as type, type.coding as coding, coding.code = word;
  value as other where (length() > 2) -> identifier.use = other;
}
"""
CONCEPT_MAP = """
conceptmap "sex" {
  prefix s = "urn:sex"
  prefix t = "http://hl7.org/fhir/administrative-gender"
  s:"1" == t:male
  s:x == t:female
}
"""


class Tree(dict[str, Any]):
    """A source node that is not FHIR JSON."""


CELLS = st.sampled_from(["", "1", "x", "12", "abc", "2020-01-02", True, 7, NULL])
VALUES = st.one_of(st.none(), CELLS, st.lists(st.one_of(st.none(), CELLS), max_size=3))
ROWS = st.fixed_dictionaries(dict.fromkeys("abcd", VALUES)).map(Tree)


@cache
def small_map() -> CompiledMap:
    """A map with the kinds of targets and conditions that are written out."""
    text = map_text(RULES, more=MORE)
    head, _, groups = text.partition("group ")
    return load(f"{head}{CONCEPT_MAP}group {groups}")


def outcome(run: CompiledMap, row: Any) -> Any:
    """The target with its order, and the issues; or how the run failed."""
    try:
        made = run.run(row)
    except BridgeError as error:
        return [(issue.code, issue.where) for issue in error.issues]
    return render_json(made.target), made.issues


@settings(max_examples=300, deadline=None)
@given(row=ROWS, nested=st.lists(ROWS, max_size=2))
def test_any_row(row: Any, nested: list[Any]) -> None:
    """Whatever stands in a row, both ways give the same target and the same issues."""
    row["n"] = nested
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CompiledMap, "_generated_function", lambda _: None)
        expected = outcome(small_map(), row)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled_map, "GENERATE_AT", 1)
        found = outcome(small_map(), row)
        assert small_map()._generated_function() is not None
    assert found == expected


SMALL_MAPS = (CASES.parent / "equality" / "maps.txt").read_text(encoding="utf-8").splitlines()
"""One map a line: the rules of its entry group."""

FIXED_ROWS = (
    {"a": "abc", "b": "12", "c": "2020-01-02", "d": "x"},
    {"a": "1", "b": "x", "c": "1", "d": "abc", "n": [{"a": "1", "b": "2", "c": "x", "d": "12"}]},
    {"a": ["1", "x", None], "b": ["7"], "c": "", "d": ["1", "2"], "n": [{"a": ["1"]}, {"b": "x"}]},
    {"a": NULL, "b": NULL, "c": NULL, "d": NULL, "n": {"a": NULL, "c": "2020-01-02"}},
    {"a": True, "b": 7, "c": "20200102", "n": {"a": "abc", "b": "12", "d": "abc"}},
    {"a": "true", "b": "x", "c": "12", "d": "2020-01-02"},
    {"d": "only"},
    {},
)


@cache
def loaded(rules: str) -> CompiledMap:
    """One of the small maps."""
    text = map_text(rules, more=MORE)
    head, _, groups = text.partition("group ")
    return load(f"{head}{CONCEPT_MAP}group {groups}")


def tree(value: Any) -> Any:
    """The same as nodes that are not FHIR JSON."""
    if isinstance(value, dict):
        return Tree({key: tree(each) for key, each in value.items()})
    return [tree(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("rules", SMALL_MAPS)
def test_small_map(rules: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each small map of tests/cases/equality gives the same on every row, both ways."""
    with monkeypatch.context() as patch:
        patch.setattr(CompiledMap, "_generated_function", lambda _: None)
        expected = [outcome(loaded(rules), tree(row)) for row in FIXED_ROWS]
    monkeypatch.setattr(compiled_map, "GENERATE_AT", 1)
    assert [outcome(loaded(rules), tree(row)) for row in FIXED_ROWS] == expected


def test_the_small_maps_have_every_kind_of_step_five_times() -> None:
    """Fifty maps at least; the transforms that are written, conditions, nested rules, calls."""
    assert len(set(SMALL_MAPS)) == len(SMALL_MAPS) >= 50
    counts = Counter(
        kind
        for rules in SMALL_MAPS
        for kind in set(_kinds(loaded(rules).structure_map.groups[0].rules))
    )
    wanted = "append c cast cc copy cp create evaluate id qty translate truncate where rules call"
    assert {kind: counts[kind] for kind in wanted.split() if counts[kind] < 5} == {}
    written = [rules for rules in SMALL_MAPS if "def group(run" in loaded(rules).explain()]
    assert len(written) > 0.8 * len(SMALL_MAPS)


def test_an_explanation_has_the_steps_of_each_expression_or_why_it_is_interpreted() -> None:
    """Who writes a map sees how a condition is read, and what keeps one slow."""
    rules = "src.a as a where (b.exists()) -> tgt.active = true; src.b as b where (today() > a) -> tgt.active = true;"
    text = load(map_text(rules)).explain()

    assert "# b.exists()\n# function exists\n#   child b: 'b' any type" in text
    assert "interpreted: the function today()" in text


def _kinds(rules: Sequence[Rule]) -> list[str]:
    found: list[str] = []
    for rule in rules:
        found += [one.transform.name for one in rule.targets if one.transform]
        found += ["where" for one in rule.sources if one.condition]
        found += ["rules" for _ in rule.rules] + ["call" for _ in rule.calls]
        found += _kinds(rule.rules)
    return found


@cache
def converted(folder: Path, generate_at: int) -> tuple[str, list[Any]]:
    """What the case's input becomes, its UUIDs numbered."""
    case = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    data = (folder / case["input"]).read_bytes()
    feeds, library = product(generate_at)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled_map, "GENERATE_AT", generate_at)
        made = ingest.convert(data, feeds=feeds, library=library, feed=feeds[case["feed"]])
    numbers: dict[str, str] = {}
    text = _UUID.sub(
        lambda found: numbers.setdefault(found.group(), str(len(numbers))),
        render_json(made.bundle or {}).decode(),
    )
    return text, list(made.issues)


@cache
def product(_generate_at: int) -> tuple[Any, Library]:
    """The feeds and maps of the product, apart for each way."""
    return ingest.load_feeds(Artifacts()), Library.from_artifacts(Artifacts())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_case(folder: Path) -> None:
    """A case of our maps becomes the same Bundle in the same order, with the same issues."""
    assert converted(folder, 1) == converted(folder, NEVER)


@pytest.mark.parametrize("generate_at", [1, NEVER])
def test_codings_are_noted(generate_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each object with a code and a system, and what stands beside a primitive, as it is in the target."""
    monkeypatch.setattr(compiled_map, "GENERATE_AT", generate_at)
    made = load(
        map_text("""
  src.a as a -> tgt.maritalStatus as status, status.coding as coding, coding.code = a, coding.system = 'urn:c', status.text = 'x';
  src.a as a -> tgt.birthDate = a as born, born.extension as extension, extension.url = 'urn:e',
    extension.value = create('Coding') as coding, coding.system = 'urn:d', coding.code = 'y';
""")
    ).run(Tree(a="2020-01-02"))

    (coding,) = made.target["maritalStatus"]["coding"]
    assert list(coding) == ["system", "code"]
    assert {id(one) for one in made.codings} == {id(coding), id(made.target["_birthDate"])}


def test_groups_are_written_when_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that no record reaches costs nothing; one that a later record reaches works then."""
    monkeypatch.setattr(compiled_map, "GENERATE_AT", 1)
    written: list[str] = []
    write = generated_map.write_group
    monkeypatch.setattr(
        generated_map,
        "write_group",
        lambda group, *rest: written.append(group.group.name) or write(group, *rest),
    )
    rules = "  src.a as a then Named(a, tgt);\n  src.b as b then Born(b, tgt);"
    more = """
group Named(source a, target tgt : Patient) { a -> tgt.name as name, name.text = a; }
group Born(source b, target tgt : Patient) { b -> tgt.birthDate = b; }
"""
    one = load(map_text(rules, more=more))

    assert one.run(Tree(a="x")).target["name"] == [{"text": "x"}]
    assert written == ["Main", "Named"]
    assert one.run(Tree(a="x", b="2020")).target["birthDate"] == "2020"
    assert one.run(Tree(b="2021")).target["birthDate"] == "2021"
    assert written == ["Main", "Named", "Born"]
