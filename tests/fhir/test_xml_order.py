"""XML is written in one walk over a value: whatever the order and the shape of what it holds."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import parse_json, parse_xml, render_json, render_xml

RESOURCES = [
    {
        "resourceType": "Patient", "id": "p", "meta": {"profile": ["http://x"]}, "language": "zh",
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">a&lt;b</div>'},
        "contained": [{"resourceType": "Organization", "id": "o", "name": 'A & B "C" <D>'}],
        "extension": [{"url": "http://e", "extension": [{"url": "f", "valueString": "x\ty\nz"}]}],
        "name": [{"family": "李", "_family": {"extension": [{"url": "http://g", "valueCode": "x"}]},
                  "given": ["a", None, "c"], "_given": [None, {"id": "b"}, None]}],
        "_birthDate": {"extension": [{"url": "http://h", "valueBoolean": False}]},
        "deceasedBoolean": True, "multipleBirthInteger": 2,
    },
    {
        "resourceType": "Bundle", "type": "collection",
        "entry": [{"resource": {"resourceType": "Basic", "code": {"text": "x"}}}, {"fullUrl": "urn:x:1"}],
    },
]  # fmt: skip


def _shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: _shuffled(value[key], chance) for key in keys}
    return [_shuffled(item, chance) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each["resourceType"])
def test_the_order_of_json_does_not_show_in_xml(resource: dict[str, Any]) -> None:
    """Elements stand as the definitions say, attributes and ``_name`` included; nothing is lost."""
    ordered = render_xml(resource)
    for seed in range(30):
        assert render_xml(_shuffled(resource, random.Random(seed))) == ordered
    again = parse_xml(ordered)
    assert json.loads(render_json(again)) == json.loads(render_json(resource))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"nonsense": 1}, "FB-1021"),
        ({"_nonsense": {"id": "x"}}, "FB-1021"),
        ({"_name": [{"id": "x"}]}, "FB-1021"),
        ({"birthDate": {"value": "x"}}, "FB-1021"),
        ({"name": "text"}, "FB-1021"),
        ({"name": ["text"]}, "FB-1021"),
        ({"gender": "a\x01b"}, "FB-1023"),
        ({"birthDate": ["x"], "_birthDate": {"id": "x"}}, "FB-1021"),
        ({"contained": [{"resourceType": "Nothing"}]}, "FB-1020"),
        ({"text": {"status": "generated", "div": "<p>x</p>"}}, "FB-1023"),
        ({"text": {"status": "generated", "div": "<div>"}}, "FB-1023"),
    ],
    ids=str,
)
def test_what_r4_does_not_know_cannot_be_rendered(changed: dict[str, Any], code: str) -> None:
    """Wherever it stands among the others; a narrative that was refused once is refused again."""
    for resource in ({**RESOURCES[0], **changed}, {"resourceType": "Patient", **changed}):
        for _ in range(2):
            with pytest.raises(BridgeError) as refused:
                render_xml(resource)
            assert refused.value.code == code


def test_examples_of_the_specification_come_back_whole(shared: Path) -> None:
    """All properties of real resources, also in another order of keys."""
    folder = shared / "samples" / "intl" / "fhir-r4-official-examples"
    chance, count = random.Random(1), 0
    for path in sorted(folder.glob("*.json"))[::4]:
        try:
            resource = parse_json(path.read_bytes())
            written = render_xml(resource)
        except BridgeError:
            continue
        assert render_xml(_shuffled(resource, chance)) == written, path.name
        count += 1
    assert count > 20
