"""The target side of rules: lists, choices, primitives with extensions, order and pruning."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import render_json
from fhir_bridge.transform import load
from tests.transform.maps import map_text, target_of, transform


def test_a_list_gets_an_item_each_time_a_rule_fires() -> None:
    """``tgt.name as n`` makes a new name for every source item."""
    rule = "src.n as v -> tgt.name as n, n.text = v;"
    assert target_of(rule, {"n": ["a", "b"]}) == {"name": [{"text": "a"}, {"text": "b"}]}


def test_share_gives_rules_the_same_item() -> None:
    """Rules that name the same share fill one item, within each run of the rule around them."""
    rule = (
        "src.p as p -> tgt.contact as c then {"
        " p.f as f -> c.telecom as n share one, n.value = f;"
        " p.g as g -> c.telecom as n share one, n.rank = g;"
        "};"
    )
    found = target_of(rule, {"p": [{"f": "1", "g": 1}, {"f": "2", "g": 2}]})
    assert [one["telecom"] for one in found["contact"]] == [
        [{"value": "1", "rank": 1}],
        [{"value": "2", "rank": 2}],
    ]


@pytest.mark.parametrize("mode", ["single", "collate"])
def test_single_keeps_adding_to_the_first_item(mode: str) -> None:
    """The first item of the list is filled further."""
    rule = f"src.n as v -> tgt.name as n {mode}, n.given = v;"
    assert target_of(rule, {"n": ["a", "b"]}) == {"name": [{"given": ["a", "b"]}]}


def test_last_waits_behind_items_of_other_rules() -> None:
    """An item that is to be last stays behind what is written later."""
    rule = "src -> tgt.name as n last, n.text = 'z' 'z'; src.n as v -> tgt.name as n, n.text = v;"
    found = target_of(rule, {"n": ["a", "b"]})
    assert [one["text"] for one in found["name"]] == ["a", "b", "z"]


def test_a_choice_element_is_written_under_its_typed_key() -> None:
    """The type that was created, or of the value, picks the key; a later one replaces it."""
    rule = "src.v as v -> tgt.value = create('Quantity') as q, q.value = v;"
    assert target_of(rule, {"v": "1.50"}, target="Observation") == {
        "valueQuantity": {"value": Decimal("1.50")}
    }
    rule = "src.v as v -> tgt.value = v, tgt.value = true;"
    assert target_of(rule, {"v": "x"}, target="Observation") == {"valueBoolean": True}


def test_a_type_that_the_choice_has_not_is_refused() -> None:
    """create() of a type that the definition does not allow is FB-2119."""
    with pytest.raises(BridgeError, match="FB-2119"):
        transform("src -> tgt.deceased = create('Quantity') as x 'x';", {"a": 1})


def test_an_element_that_the_type_has_not_is_refused() -> None:
    """FB-2109 names the element and the type."""
    with pytest.raises(BridgeError, match=r"FB-2109.*nickname.*Patient"):
        transform("src -> tgt.nickname = 'x' 'x';", {"a": 1})


def test_values_are_made_to_fit_their_type() -> None:
    """Text becomes number or boolean where the element is one; a decimal keeps its text."""
    rule = "src -> tgt.value = create('Quantity') as q then { src.n -> q.value; } 'q';"
    done = transform(rule, {"n": "1.10"}, target="Observation")
    assert b'"value":1.10' in render_json(done.target)
    assert target_of("src.a as a -> tgt.active = a;", {"a": "true"}) == {"active": True}


def test_a_value_that_does_not_fit_is_reported_and_left_out() -> None:
    """FB-2112 at the source position; the rest of the record is mapped."""
    done = transform(
        "src.a as a -> tgt.active = a; src.b as b -> tgt.id = b;", {"a": "maybe", "b": "1"}
    )
    assert done.target == {"resourceType": "Patient", "id": "1"}
    assert [(one.code, one.where) for one in done.issues] == [("FB-2112", "a")]


def test_what_is_never_filled_is_pruned() -> None:
    """An object that was made and stays empty is not in the target, however deep."""
    rule = "src -> tgt.contact as c, c.name as n, n.period as p 'x'; src.none as x -> tgt.id = x;"
    assert target_of(rule, {"a": 1, "none": ""}) == {}


def test_the_target_is_in_the_order_of_the_definition() -> None:
    """Rules may write in any order."""
    rule = "src -> tgt.birthDate = '2000-01-01', tgt.gender = 'male', tgt.id = 'x' 'x';"
    found = load(map_text(rule)).run({"a": 1}).target
    assert list(found) == ["resourceType", "id", "gender", "birthDate"]


def test_a_primitive_may_have_extensions() -> None:
    """They stand beside it, at the same place of a list."""
    rule = (
        "src -> tgt.name as n, n.given = 'a', n.given = 'b' as g,"
        " g.extension as e, e.url = 'u', e.value = 'x' 'x';"
    )
    assert target_of(rule, {"a": 1}) == {
        "name": [
            {
                "given": ["a", "b"],
                "_given": [None, {"extension": [{"url": "u", "valueString": "x"}]}],
            }
        ]
    }


def test_the_extensions_of_a_copied_primitive_come_along() -> None:
    """Value and companion of FHIR JSON are one element."""
    source = {
        "resourceType": "Patient",
        "birthDate": "2000",
        "_birthDate": {"extension": [{"url": "u", "valueString": "x"}]},
    }
    found = target_of("src.birthDate -> tgt.birthDate;", source, source_type="Patient")
    assert found == {"birthDate": "2000", "_birthDate": source["_birthDate"]}


def test_a_copy_shares_nothing_with_the_source() -> None:
    """Changing the target leaves the source as it was."""
    source = {"resourceType": "Patient", "name": [{"family": "Li"}]}
    rule = "src.name as n -> tgt.name = n as m, m.family = 'Wang';"
    assert target_of(rule, source, source_type="Patient") == {"name": [{"family": "Wang"}]}
    assert source["name"] == [{"family": "Li"}]


def test_a_copied_property_that_r4_has_not_is_left_out_with_a_warning() -> None:
    """FB-2124 says what was dropped."""
    done = transform("src.n as n -> tgt.name = n;", {"n": {"family": "Li", "animal": "x"}})
    assert done.target["name"] == [{"family": "Li"}]
    assert [(one.code, one.severity) for one in done.issues] == [("FB-2124", "warning")]


def test_a_given_target_is_filled_further() -> None:
    """A run may continue a resource."""
    found = load(map_text("src.a as a -> tgt.id = a;")).run(
        {"a": "1"}, {"resourceType": "Patient", "active": True}
    )
    assert found.target == {"resourceType": "Patient", "id": "1", "active": True}


def test_a_reference_is_the_full_url_of_the_entry() -> None:
    """reference() and pointer() agree, and make the fullUrl where there is none."""
    rule = (
        "src -> tgt.entry as e, e.resource = create('Patient') as p, e.fullUrl = pointer(p),"
        " tgt.entry as f, f.resource = create('Observation') as o, o.subject = reference(p) 'x';"
    )
    entries = target_of(rule, {"a": 1}, target="Bundle")["entry"]
    assert entries[0]["fullUrl"].startswith("urn:uuid:")
    assert entries[1]["resource"]["subject"] == {"reference": entries[0]["fullUrl"]}


def test_a_reference_outside_a_bundle_is_type_and_id() -> None:
    """The id of the resource, as in the target of the reference."""
    rule = "src -> tgt.id = 'p1', tgt.link as l, l.other = reference(tgt) 'x';"
    assert target_of(rule, {"a": 1})["link"] == [{"other": {"reference": "Patient/p1"}}]
