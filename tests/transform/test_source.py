"""The source side of rules: elements, types, conditions, list modes, trees of every kind."""

from __future__ import annotations

from typing import Any, Self

import pytest

from fhir_bridge.errors import BridgeError
from tests.transform.maps import target_of, transform

NAMES = {"name": ["a", "b", "c"]}


class Value(str):
    """A v2 value: text of its first component, with components and a position."""

    __slots__ = ("parts", "where")

    def __new__(cls, text: str, where: str) -> Self:
        """Split at the component sign."""
        parts = text.split("^")
        made = super().__new__(cls, parts[0])
        made.parts = parts
        made.where = where
        return made

    def get(self, name: str) -> Any:
        """Component ``cN``."""
        place = int(name[1:]) - 1 if name[1:].isdigit() else 99
        return self.parts[place] if place < len(self.parts) else None

    def keys(self) -> list[str]:
        """The components there are."""
        return [f"c{place}" for place in range(1, len(self.parts) + 1)]


@pytest.mark.parametrize(
    ("mode", "given"),
    [
        ("", ["a", "b", "c"]),
        ("first", ["a"]),
        ("not_first", ["b", "c"]),
        ("last", ["c"]),
        ("not_last", ["a", "b"]),
    ],
)
def test_list_modes_choose_items(mode: str, given: list[str]) -> None:
    """Each mode takes its part of the list, in order."""
    rule = f"src -> tgt.name as m then {{ src.name {mode} as n -> m.given = n 'x'; }} 'y';"
    assert target_of(rule, NAMES) == {"name": [{"given": given}]}


def test_only_one_refuses_a_second_item() -> None:
    """A promise of one item that is broken is FB-2113 at the second item."""
    with pytest.raises(BridgeError, match="FB-2113") as raised:
        transform("src.name only_one as n -> tgt.name as m;", NAMES)
    assert raised.value.issues[0].where == "name[1]"


def test_a_cardinality_that_is_broken_is_refused() -> None:
    """``0..2`` on three items is FB-2114."""
    with pytest.raises(BridgeError, match="FB-2114"):
        transform("src.name 0..2 as n -> tgt.name as m;", NAMES)


def test_a_condition_chooses_items() -> None:
    """``where`` sees the item as its context and by its variable."""
    rule = "src.name as n where n != 'b' and $this != 'c' -> tgt.id = n;"
    assert target_of(rule, NAMES) == {"id": "a"}


def test_a_variable_may_be_named_without_the_percent_sign() -> None:
    """Older maps write ``row.kind`` where newer ones write ``%row.kind``."""
    source = {"row": [{"kind": "x", "value": "1"}, {"kind": "y", "value": "2"}]}
    rule = "src.row as row then { row.value as v where row.kind = 'y' -> tgt.id = v; };"
    assert target_of(rule, source) == {"id": "2"}


def test_a_failed_check_refuses_the_input_and_names_place_and_rule() -> None:
    """``check`` is FB-2110 with the sender's path, the rule, line and map."""
    with pytest.raises(BridgeError, match="FB-2110") as raised:
        transform('src.name as n check (n.length() > 3) -> tgt.id = n "long";', NAMES)
    issue = raised.value.issues[0]
    assert issue.where == "name[0]"
    assert '"long"' in issue.sentence
    assert "http://example.org/StructureMap/test" in issue.sentence


def test_a_log_is_an_information_issue() -> None:
    """``log`` reports what its expression gives."""
    issues = transform("src.name as n where n = 'a' log ('saw ' & n) -> tgt.id = n;", NAMES).issues
    assert [(one.code, one.severity, one.details["message"]) for one in issues] == [
        ("FB-2116", "information", "saw a")
    ]


def test_a_default_stands_in_for_nothing() -> None:
    """``default`` gives an item where the source has none, and is silent otherwise."""
    rule = "src.nick default ('none') as n -> tgt.id = n;"
    assert target_of(rule, {"x": 1}) == {"id": "none"}
    assert target_of(rule, {"nick": "jo"}) == {"id": "jo"}


def test_two_sources_fire_for_every_combination() -> None:
    """Sources side by side multiply."""
    rule = "src.a as a, src.b as b -> tgt.name as n, n.family = (%a & %b);"
    found = target_of(rule, {"a": ["1", "2"], "b": ["x", "y"]})
    assert [one["family"] for one in found["name"]] == ["1x", "1y", "2x", "2y"]


def test_a_choice_element_is_found_and_typed_by_its_key() -> None:
    """``value : Quantity`` fires for valueQuantity only."""
    rule = "src.value : string as v -> tgt.text as t, t.status = v; src.value : Quantity as q -> tgt.id = 'q' 'q';"
    source = {"resourceType": "Observation", "valueQuantity": {"value": 1}}
    assert target_of(rule, source, source_type="Observation") == {"id": "q"}


def test_a_target_and_a_source_may_have_the_same_name() -> None:
    """``patient`` is read as the source and written as the target."""
    rule = "src.patient as patient -> tgt.name as patient then { patient.f -> patient.family; };"
    assert target_of(rule, {"patient": {"f": "Li"}}) == {"name": [{"family": "Li"}]}


def test_a_v2_value_gives_its_components_and_its_text() -> None:
    """Copying a v2 value writes plain text, its components are read by name."""
    source = {"f5": [Value("Li^Wei", "PID-5[1]")]}
    rule = (
        "src.f5 as n -> tgt.name as m, m.text = n then { n.c1 -> m.family; n.c2 -> m.given; } 'n';"
    )
    found = target_of(rule, source)
    assert found == {"name": [{"text": "Li", "family": "Li", "given": ["Wei"]}]}
    assert type(found["name"][0]["text"]) is str


def test_issues_speak_in_the_senders_terms() -> None:
    """A node's own position is what an issue names."""
    done = transform(
        "src.f7 as d -> tgt.birthDate = date_from_ts(d);", {"f7": Value("9x", "PID-7")}
    )
    assert [(one.code, one.where) for one in done.issues] == [("FB-2126", "PID-7")]


def test_column_names_of_any_script_are_elements() -> None:
    """A table's columns are named in the sender's language."""
    assert target_of("src.姓名 as n -> tgt.id = n;", {"姓名": "x"}) == {"id": "x"}
    assert target_of("src.`first name` as n -> tgt.id = n;", {"first name": "x"}) == {"id": "x"}


def test_a_condition_that_cannot_be_evaluated_does_not_fire_and_is_reported() -> None:
    """The rest of the record is mapped all the same."""
    rule = "src.a as a where ($this > 5) -> tgt.id = 'x'; src.b as b -> tgt.language = b;"
    done = transform(rule, {"a": {"x": "1"}, "b": "zh"})
    assert done.target == {"resourceType": "Patient", "language": "zh"}
    assert [one.code for one in done.issues] == ["FB-2115"]


@pytest.mark.parametrize("beside", ["x", 5, [1], ["x", {}], True])
def test_what_stands_beside_a_primitive_is_an_object_or_nothing(beside: Any) -> None:
    """A key with an underscore that holds something else is no companion."""
    source = {"resourceType": "Patient", "birthDate": "1980", "_birthDate": beside}
    rules = "src.birthDate as born -> tgt.birthDate = born;"
    assert target_of(rules, source, source_type="Patient") == {"birthDate": "1980"}
