"""Map text to values and back: every part of the grammar, and positions of errors."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.fml import (
    CodeMapping,
    GroupCall,
    Parameter,
    Rule,
    RuleSource,
    Transform,
    parse_map,
    render_map,
)

EVERYTHING = """
/// url = 'http://example.org/StructureMap/everything'
/// name = "everything"
/// title = "All of it"
/// status = "active"
/// description = \"\"\"two
lines\"\"\"
/// experimental = true

conceptmap "codes" {
  prefix s = "urn:s"
  prefix t = "urn:t"
  unmapped for s = provided
  s:a == t:b
  s:36554-4 = t:"with space"
  s:gone --
  s:x <= t:y
}

// where it comes from
uses "http://example.org/Left" alias Left as source
uses "http://hl7.org/fhir/StructureDefinition/Bundle" as target

imports "http://example.org/StructureMap/*"

let system = 'urn:x' + 'y';

// the entry
group Main(source src : Left, target tgt : Bundle) extends Base <<types>> {
  src.a -> tgt.a; // copies
  src.b : string 1..* default ('none') first as b where ($this != "x") check (b.exists()) log ('b')
    -> tgt.b = b as made share items, tgt.c = append('x', b, 1, 1.50, true) last "named";
  src.c as c, src.d as d where d.code() = 'x' -> tgt.e = (c & d), evaluate(c) as v then Other(c, tgt), More(d, tgt) {
    c.x.y as deep -> tgt.f.g = src.z;
  } "nested";
  src.`odd name` as odd -> tgt.h = cc('urn:x', 'code'), tgt.i = @2020-01-01;
  src where a > 1 or (b = '-> ; then') then Other(src, tgt) "arrows in strings";
}
group Other(source src, target tgt) <<type+>> {
}
"""


@pytest.fixture(scope="module")
def everything():
    """The map with every part of the grammar."""
    return parse_map(EVERYTHING)


def test_header_lines_are_read(everything) -> None:
    """url, name, title, status and description have places of their own; the rest is kept."""
    assert everything.url == "http://example.org/StructureMap/everything"
    assert everything.description == "two\nlines"
    assert everything.metadata == (("experimental", "true"),)


def test_the_map_line_of_r4_is_read() -> None:
    """``map "url" = "name"`` says the same as two header lines."""
    old = parse_map('map "http://x/y" = "y"\ngroup G(source s, target t) {}')
    assert (old.url, old.name) == ("http://x/y", "y")


def test_codes_of_a_conceptmap_may_be_words_strings_or_touching_signs(everything) -> None:
    """LOINC codes need no quotes; a code without target is unmatched."""
    block = everything.concept_maps[0]
    assert block.mappings[1] == CodeMapping("s", "36554-4", "=", "t", "with space")
    assert block.mappings[2] == CodeMapping("s", "gone", "--")
    assert block.unmapped == (("s", "provided"),)


def test_a_source_with_all_its_parts(everything) -> None:
    """Type, cardinality, default, list mode, variable, where, check and log in one source."""
    assert everything.groups[0].rules[1].sources[0] == RuleSource(
        context="src",
        element="b",
        type="string",
        minimum=1,
        maximum="*",
        default="'none'",
        list_mode="first",
        variable="b",
        condition="$this != 'x'",
        check="b.exists()",
        log="'b'",
    )


def test_parameters_keep_their_kinds(everything) -> None:
    """Names, strings, integers, decimals with their text, and booleans are told apart."""
    transform = everything.groups[0].rules[1].targets[1].transform
    assert transform == Transform(
        "append",
        (
            Parameter("string", "x"),
            Parameter("name", "b"),
            Parameter("integer", 1),
            Parameter("decimal", Decimal("1.50")),
            Parameter("boolean", True),
        ),
    )


def test_several_calls_and_nested_rules_after_then(everything) -> None:
    """``then A(…), B(…) { … }`` keeps all three."""
    rule: Rule = everything.groups[0].rules[2]
    assert [call.name for call in rule.calls] == ["Other", "More"]
    assert rule.calls[0] == GroupCall("Other", (Parameter("name", "c"), Parameter("name", "tgt")))
    assert rule.rules[0].sources[0].element == "x.y"


def test_signs_inside_strings_do_not_end_an_expression(everything) -> None:
    """An arrow in a string literal is text."""
    assert everything.groups[0].rules[4].sources[0].condition == "a > 1 or (b = '-> ; then')"


def test_comments_before_groups_and_rules_are_their_documentation(everything) -> None:
    """A comment is kept with what it stands before."""
    assert everything.groups[0].documentation == "the entry"
    assert everything.uses[0].documentation == "where it comes from"


def test_rendered_text_reads_back_as_the_same_map(everything) -> None:
    """Rendering loses nothing and is stable."""
    text = render_map(everything)
    assert parse_map(text) == everything
    assert render_map(parse_map(text)) == text


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("group G(source s, target t) { s.a -> }", "line 1, column 38", "target variable"),
        ("group G(source s, target t) {\n  s.a -> t.b\n}", "line 3, column 1", "';'"),
        ("group G(souce s) {}", "line 1, column 9", "source or target"),
        ("group G(source s) { s.a where -> t; }", "line 1, column 31", "FHIRPath"),
        ("uses x as source", "line 1, column 6", "URL"),
        ("", "line 1, column 1", "a group"),
        ('group G(source s) { s -> t.a = f(x, "b) ; }', "line 1, column 37", "a word"),
    ],
)
def test_an_error_says_where_and_what_was_expected(text: str, place: str, expected: str) -> None:
    """Line, column and expectation, so that the author need not search."""
    with pytest.raises(BridgeError) as raised:
        parse_map(text)
    issue = raised.value.issues[0]
    assert (issue.code, issue.where) == ("FB-2101", place)
    assert expected in issue.sentence


@pytest.mark.parametrize(
    "text",
    [
        "group G(source s) {" + "s then {" * 500 + "};" * 500 + "}",
        "group G(source s) { s where " + "(" * 50_000 + "1" + ")" * 50_000 + "; }",
    ],
)
def test_deep_nesting_is_refused_with_a_place(text: str) -> None:
    """Bounded depth, never a stack overflow."""
    with pytest.raises(BridgeError, match="FB-2102") as raised:
        parse_map(text)
    assert raised.value.issues[0].where.startswith("line 1")


def test_every_published_map_reads_back(shared: Path) -> None:
    """Parse, render, parse gives the same map, for all the maps of the public suite."""
    tree = shared / "conformance" / "fml"
    paths = [path for path in tree.rglob("*") if path.suffix in (".map", ".fml")]
    different = [
        path.name
        for path in paths
        if path.name != "map-with-error.map"
        and parse_map(render_map(found := parse_map(path.read_text("utf-8-sig")))) != found
    ]
    assert different == []
    assert len(paths) > 300


def rules_of(text: str) -> tuple[Rule, ...]:
    """The rules of the only group of a map whose rules are `text`."""
    return parse_map(f"group G(source src, target tgt) {{\n{text}\n}}").groups[0].rules


def test_a_list_of_names_is_as_many_identities() -> None:
    """The short form of R6 says what one rule a name says."""
    short = rules_of("src -> tgt : id, `a b`; src.x -> tgt.y : z;")
    long = rules_of("src.id -> tgt.id; src.`a b` -> tgt.`a b`; src.x.z -> tgt.y.z;")
    assert short == long
    assert [rule.name for rule in rules_of('src -> tgt : a, b "n";')] == ["n-a", "n-b"]


@pytest.mark.parametrize(
    ("literal", "expression"),
    [("5 'mg'", "5 'mg'"), ("-1.5 'kg'", "-1.5 'kg'"), ("2 days", "2 days"), ("{}", "{}")],
)
def test_a_quantity_and_the_empty_literal_are_values(literal: str, expression: str) -> None:
    """What stands behind a number in single quotes is its unit; a name is double quoted."""
    (rule,) = rules_of(f'src -> tgt.value = {literal} "name";')
    assert rule.name == "name"
    assert rule.targets[0].transform == Transform(
        "evaluate", (Parameter("expression", expression),)
    )


def test_a_long_is_an_integer() -> None:
    """5L is 5: FHIR R4 has no 64-bit integer."""
    (rule,) = rules_of("src -> tgt.value = 5L;")
    assert rule.targets[0].transform == Transform("copy", (Parameter("integer", 5),))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('/// title = "It //" // said', "It //"),
        ("/// title = 'x'", "x"),
        ("/// title =", ""),
        ("/// title = plain // said", "plain"),
        ('/// title = """a\n"b" c"""', 'a\n"b" c'),
    ],
)
def test_metadata_may_be_followed_by_a_comment(line: str, value: str) -> None:
    """The comment is no part of the value."""
    assert parse_map(f"{line}\ngroup G(source s) {{}}").title == value


def test_three_slashes_inside_groups_are_comments() -> None:
    """Also a banner of slashes, and a line of three without a key."""
    text = "//////// A = B ////\n/// words\ngroup G(source s) {\n/// a = 'b'\ns.x as x;\n}"
    structure_map = parse_map(text)
    assert structure_map.metadata == ()
    assert structure_map.groups[0].rules[0].documentation == "a = 'b'"


def test_a_number_without_end_is_refused() -> None:
    """FB-2101 with its place, not an error of Python's integers."""
    with pytest.raises(BridgeError, match="FB-2101"):
        rules_of(f"src -> tgt.a = {'9' * 5000};")
