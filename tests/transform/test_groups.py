"""Groups: calls by position, extends, dispatch by types, imports, endless recursion."""

from __future__ import annotations

import pytest

from fhir_bridge.budget import Bounds, bounded
from fhir_bridge.errors import BridgeError
from fhir_bridge.transform import Library, load
from tests.transform.maps import map_text, target_of, transform

NAME = """
group Name(source from, target to : HumanName) extends Text {
  from.f -> to.family;
}
group Text(source s, target t) {
  s.t -> t.text;
}
"""


def test_a_group_is_called_by_position_and_extends_another() -> None:
    """The rules of the group that is extended run first, on the same parameters."""
    rule = "src.n as n -> tgt.name as m then Name(n, m);"
    found = target_of(rule, {"n": {"f": "Li", "t": "Li Wei"}}, more=NAME)
    assert found == {"name": [{"text": "Li Wei", "family": "Li"}]}


def test_literals_may_be_given_to_a_group() -> None:
    """A parameter may be a value."""
    more = "group Use(source use, target to) { use -> to.use = use; }"
    rule = "src.n as n -> tgt.name as m, m.text = n then Use('official', m);"
    assert target_of(rule, {"n": "x"}, more=more) == {"name": [{"use": "official", "text": "x"}]}


def test_a_simple_rule_takes_the_group_for_both_types() -> None:
    """``a -> b`` looks for the <<types>> group of the two types, else it copies."""
    more = """
    group Period(source s : Period, target t : Period) <<types>> {
      s.start -> t.end;
    }
    """
    source = {"resourceType": "Patient", "name": [{"family": "Li", "period": {"start": "2000"}}]}
    rule = "src.name as n -> tgt.name as m then { n.period -> m.period; n.family -> m.family; };"
    found = target_of(rule, source, source_type="Patient", more=more)
    assert found == {"name": [{"family": "Li", "period": {"end": "2000"}}]}


def test_groups_come_from_imported_maps_by_pattern() -> None:
    """An import with a star reaches every map that fits, and their imports."""
    library = Library()
    library.add(
        'map "http://x/names/a" = "a"\nimports "http://x/other"\ngroup A(source s, target t) { s then B(s, t) "b"; }'
    )
    library.add('map "http://x/other" = "o"\ngroup B(source s, target t) { s.id -> t.id; }')
    text = map_text("src then A(src, tgt) 'a';").replace(
        "group Main", 'imports "http://x/names/*"\ngroup Main'
    )
    assert load(text, library=library).run({"id": "7"}).target["id"] == "7"


def test_an_unknown_group_is_found_when_the_map_is_compiled() -> None:
    """FB-2103 names the group, the rule and the line."""
    with pytest.raises(BridgeError, match=r"FB-2103.*Nobody") as raised:
        load(map_text("src then Nobody(src, tgt) 'x';"))
    assert raised.value.issues[0].details["rule"].startswith('"x" (line')


def test_a_wrong_number_of_parameters_is_found_when_the_map_is_compiled() -> None:
    """FB-2107 says how many are taken and how many were given."""
    with pytest.raises(BridgeError, match=r"FB-2107.*2 parameters and got 1"):
        load(map_text("src then Name(src) 'x';", more=NAME))


def test_a_library_that_is_not_strict_reports_when_the_rule_fires() -> None:
    """Published maps with faults can be run; what was left out is an issue."""
    text = map_text("src.a as a -> tgt.id = a; src.b as b then Nobody(b, tgt) 'x';")
    compiled = load(text, library=Library(is_strict=False))
    assert compiled.run({"a": "1"}).target["id"] == "1"
    done = compiled.run({"a": "1", "b": "2"})
    assert done.target["id"] == "1"
    assert [one.code for one in done.issues] == ["FB-2103"]


def test_a_group_that_calls_itself_for_ever_is_stopped() -> None:
    """FB-2117, never a stack overflow."""
    more = "group Again(source s, target t) { s then Again(s, t) 'again'; }"
    with pytest.raises(BridgeError, match="FB-2117"):
        load(map_text("src then Again(src, tgt) 'x';", more=more)).run({"a": 1})


def test_recursion_follows_the_depth_of_the_input() -> None:
    """A tree of fifty levels is walked."""
    source: dict[str, object] = {"id": "deep"}
    for _ in range(50):
        source = {"item": [source]}
    more = "group Item(source s, target t) { s.id -> t.id; s.item as i then Item(i, t); }"
    assert target_of("src then Item(src, tgt) 'x';", source, more=more) == {"id": "deep"}


def test_constants_and_given_variables_are_seen_everywhere() -> None:
    """``let`` and the variables of a run are parameters and FHIRPath variables."""
    text = map_text("src.a as a -> tgt.language = lang, tgt.id = (%prefix & %a);")
    text = text.replace("group Main", "let prefix = 'p' + '-';\ngroup Main")
    found = load(text).run({"a": "1"}, variables={"lang": "zh"}).target
    assert (found["language"], found["id"]) == ("zh", "p-1")


def test_a_variable_that_nobody_gave_is_named() -> None:
    """FB-2108 with the name."""
    with pytest.raises(BridgeError, match=r"FB-2108.*zone"):
        load(map_text("src.a as a -> tgt.birthDate = datetime_from_ts(a, zone);")).run({"a": "1"})


def test_an_unknown_map_is_named() -> None:
    """FB-2104 with the URL."""
    with pytest.raises(BridgeError, match=r"FB-2104.*http://x/none"):
        Library().compile("http://x/none")


def test_sources_that_multiply_are_bounded() -> None:
    """Five lists of thirty are 24 million combinations: refused, not computed for minutes."""
    sources = ", ".join(f"src.a as {name}" for name in "bcdef")
    with pytest.raises(BridgeError, match="FB-2008"):
        transform(f"{sources} -> tgt.id = b 'x';", {"a": [str(one) for one in range(30)]})


def test_groups_that_call_groups_twice_are_bounded() -> None:
    """Forty of them in a row would be two to the power of forty calls."""
    more = " ".join(
        f"group G{one}(source s, target t) {{ s then G{one + 1}(s, t), G{one + 1}(s, t) 'x'; }}"
        for one in range(40)
    )
    more += " group G40(source s, target t) {}"
    with bounded(Bounds(steps=10_000)), pytest.raises(BridgeError, match="FB-2008"):
        transform("src then G0(src, tgt) 'x';", {"a": "x"}, more=more)
