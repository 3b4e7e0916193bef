"""Every finding says where: in the sender's terms, else by map, line and rule."""

from __future__ import annotations

import pytest

from fhir_bridge.errors import BridgeError
from tests.transform.maps import transform

PLACE = "map http://example.org/StructureMap/test, line 4"


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ('src.a as a -> tgt.id = nobody "r";', "FB-2108"),
        ('src.a as a -> tgt.id = %nobody "r";', "FB-2108"),
        ('nobody.a as a -> tgt.id = a "r";', "FB-2108"),
        ('src.a as a -> tgt.id = unheard(a) "r";', "FB-2106"),
        ('src.a as a -> tgt.id = truncate(a) "r";', "FB-2107"),
        ('src.a as a then Nobody(a, tgt) "r";', "FB-2103"),
        ('src.a as a -> tgt.surname = a "r";', "FB-2109"),
        ('src.a as a where (a.nothing() = 1) -> tgt.id = a "r";', "FB-2003"),
    ],
)
def test_a_fault_of_the_map_names_map_line_and_rule(rule: str, code: str) -> None:
    """Whether it shows when the map is compiled or when the rule fires."""
    with pytest.raises(BridgeError) as raised:
        transform(rule, {"a": "x"})
    issue = raised.value.issues[0]
    assert issue.code == code
    assert issue.where.startswith(f'{PLACE}, rule "r"')


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("src.a as a -> tgt.gender = translate(a, 'http://x/none', 'code') \"r\";", "FB-2202"),
        ("src.a as a -> tgt.active = cast(a, 'boolean') \"r\";", "FB-2111"),
    ],
)
def test_what_refuses_an_input_names_the_source(rule: str, code: str) -> None:
    """The path in the input is the place; the rule stands in the sentence or in the details."""
    with pytest.raises(BridgeError) as raised:
        transform(rule, {"resourceType": "Basic", "a": "x"})
    issue = raised.value.issues[0]
    assert (issue.code, issue.where) == (code, "Basic.a")
    assert issue.details["rule"] == '"r" (line 4 of http://example.org/StructureMap/test)'


def test_a_value_left_out_names_source_and_rule() -> None:
    """The run goes on; the finding is enough to find both ends."""
    done = transform('src.a as a -> tgt.active = a "r";', {"resourceType": "Basic", "a": "x"})
    (issue,) = done.issues
    assert (issue.code, issue.where) == ("FB-2112", "Basic.a")
    assert 'Rule "r" (line 4 of http://example.org/StructureMap/test)' in issue.sentence


def test_a_finding_without_place_in_the_source_names_the_rule() -> None:
    """An element that is demanded and absent has no path of its own."""
    with pytest.raises(BridgeError, match="FB-2114") as raised:
        transform('src.zz 1..1 as a -> tgt.id = a "r";', {"a": "x"})
    assert raised.value.issues[0].where == f'{PLACE}, rule "r"'
