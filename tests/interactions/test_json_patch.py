"""JSON Patch: what the public suite does not say about FHIR."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import parse_json, render_json
from fhir_bridge.interactions.patch.json_patch import apply_json_patch, without_empty


def test_decimals_keep_their_text() -> None:
    """What the patch does not touch renders as it came."""
    before = parse_json(b'{"a":1.10,"b":[1e2]}')
    after = apply_json_patch(before, [{"op": "add", "path": "/c", "value": Decimal("2.50")}])
    assert b'{"a":1.10,"b":[1e2],"c":2.50}' == render_json(after)


def test_the_document_is_not_changed() -> None:
    """A patch that fails in its second operation leaves nothing behind."""
    before: dict[str, Any] = {"a": [1]}
    patch = [{"op": "add", "path": "/a/-", "value": 2}, {"op": "remove", "path": "/b"}]
    with pytest.raises(BridgeError) as raised:
        apply_json_patch(before, patch)
    assert raised.value.issues[0].where == "operation 1"
    assert before == {"a": [1]}


def test_one_is_not_true() -> None:
    """Values are compared as JSON, where 1 and true differ."""
    with pytest.raises(BridgeError) as raised:
        apply_json_patch({"a": 1}, [{"op": "test", "path": "/a", "value": True}])
    assert raised.value.code == "FB-4022"


def test_a_value_cannot_be_moved_into_itself() -> None:
    """RFC 6902 §4.4 forbids it."""
    with pytest.raises(BridgeError) as raised:
        apply_json_patch({"a": {"b": 1}}, [{"op": "move", "from": "/a", "path": "/a/b"}])
    assert raised.value.code == "FB-4020"


@pytest.mark.parametrize(
    "patch",
    [
        {},
        "x",
        [1],
        [{"op": "add"}],
        [{"op": "add", "path": 3, "value": 1}],
        [{"op": "test", "path": "/~2", "value": 1}],
    ],
)
def test_what_is_no_patch_is_refused(patch: Any) -> None:
    """Every malformed patch gets FB-4020."""
    with pytest.raises(BridgeError) as raised:
        apply_json_patch({"a": 1}, patch)
    assert raised.value.code == "FB-4020"


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ([{"op": "remove", "path": "/a/0"}], {"x": 1, "b": {"c": [1]}}),
        ([{"op": "remove", "path": "/b/c/0"}], {"x": 1, "a": [1]}),
        ([{"op": "move", "from": "/b/c/0", "path": "/a/-"}], {"x": 1, "a": [1, 1]}),
        (
            [{"op": "remove", "path": "/a/0"}, {"op": "add", "path": "/a/0", "value": 2}],
            {"x": 1, "a": [2], "b": {"c": [1]}},
        ),
        (
            [{"op": "remove", "path": "/a/0"}, {"op": "add", "path": "/d", "value": []}],
            {"x": 1, "b": {"c": [1]}, "d": []},
        ),
    ],
)
def test_what_a_patch_empties_goes(patch: list[dict[str, Any]], expected: Any) -> None:
    """FHIR has no empty arrays and objects; what the patch puts there empty is its own fault."""
    document = {"x": 1, "a": [1], "b": {"c": [1]}}
    assert expected == without_empty(apply_json_patch(document, patch), patch)
