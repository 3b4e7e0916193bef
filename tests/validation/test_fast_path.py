"""The quick answer never says less than the thorough one."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge import fhirpath
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions, parse_json
from fhir_bridge.validation import Validator
from fhir_bridge.validation.fast_path import fast_path
from tests.validation.test_family_doctor import BASE, RECORDS

VALUES: tuple[Any, ...] = (
    *("", " ", "x", "#x", "final", "2024-01-01", "1901-02-30", "2024", "2024-01-01T10:00:00Z"),
    *(None, [], {}, 5, -1, True, ["a"], [None]),
    {"id": "a"},
    {"extension": [{"url": "http://example.org/x", "valueString": "y"}]},
)


class Thorough(Validator):
    """A validator that never takes the quick answer."""

    def _passes_fast_path(self, resource: Any, profile_urls: Any) -> bool:
        return False


@pytest.fixture(scope="module")
def profiles() -> Profiles:
    """The profiles that ship."""
    return Profiles.from_artifacts(Artifacts())


def test_quick_and_thorough_verdicts_are_the_same(profiles: Profiles) -> None:
    """Sound records, and the same with faults of many kinds at random places."""
    quick, thorough = (
        Validator(definitions(), profiles),
        Thorough(definitions(), profiles),
    )
    chance = random.Random(1)
    for _ in range(3000):
        name = chance.choice(sorted(RECORDS))
        resource = copy.deepcopy(RECORDS[name])
        for _ in range(chance.randrange(3)):
            _spoil(resource, chance)
        urls = [f"{BASE}/StructureDefinition/{name}"]

        assert quick.check(resource, urls) == thorough.check(resource, urls), json.dumps(
            resource, default=str
        )


def test_published_examples_are_judged_alike(shared: Path, profiles: Profiles) -> None:
    """Every tenth R4 example, as published and with one fault."""
    quick, thorough = Validator(definitions(), profiles), Thorough(definitions(), profiles)
    chance = random.Random(2)
    paths = sorted((shared / "conformance/examples/r4").glob("*.ndjson"))
    lines = [
        line
        for path in paths
        if path.name != "index.ndjson"
        for line in path.read_bytes().splitlines()
        if len(line) < 20_000
    ]
    for line in lines[::10]:
        resource = parse_json(line)
        assert quick.check(resource) == thorough.check(resource)
        _spoil(resource, chance)
        assert quick.check(resource) == thorough.check(resource)


@pytest.mark.parametrize(
    ("type_name", "rule", "value", "answer"),
    [
        ("Period", "start <= end", {"start": "2024-01-02", "end": "2024-01-01"}, False),
        ("Period", "start <= end", {"start": "2024-01-01", "end": "2024-01-01"}, True),
        ("Period", "start <= end", {"start": "2024-01-01"}, None),
        ("Period", "start <= end", {"start": "2024", "end": "2024-01-01"}, fhirpath.UNKNOWN),
        ("Period", "start.hasValue()", {"_start": {"id": "a"}}, fhirpath.UNKNOWN),
        ("Quantity", "code.empty() or system.exists()", {"code": "mg"}, False),
        ("Quantity", "value > 0 xor code = 'x'", {"value": 3, "code": "x"}, False),
        ("Patient", "gender in ('male' | 'female')", {"gender": "other"}, False),
        ("Patient", "(name.count() + telecom.count()) > 1", {"name": [{}], "telecom": [{}]}, True),
        ("Patient", "contact.name.exists()", {"contact": [{}]}, fhirpath.UNKNOWN),
        ("Patient", "contact.name.exists()", {}, False),
        ("Patient", "deceased.exists()", {"deceasedBoolean": False}, True),
        ("Identifier", "value.substring(6, 2).length() = 2", {"value": "1234567"}, False),
        ("Identifier", "value.matches('^[0-9]+$')", {"value": "12"}, True),
        ("Identifier", "system.startsWith('urn:') implies value.exists()", {"system": "x"}, True),
    ],
)  # fmt: skip
def test_what_is_predicted_is_what_the_engine_answers(
    type_name: str, rule: str, value: dict[str, Any], answer: Any
) -> None:
    """Look-ups that stand for a rule answer as the rule does, or are not sure."""
    engine = fhirpath.compile(rule, definitions=definitions(), root_type=type_name)
    look = engine.prediction(type_name)

    assert look is not None
    assert look(value, value) is answer
    if answer is not fhirpath.UNKNOWN:
        assert engine(value) == ([] if answer is None else [answer])


def test_most_rules_of_r4_are_predicted() -> None:
    """Every rule of R4 compiles; four in five need no engine when little is there."""
    predicted = total = 0
    for name, shape in definitions().types.items():
        for constraint in shape.constraints:
            if constraint.key.startswith(("ele-", "ext-", "dom-")):
                continue
            try:
                rule = fhirpath.compile(constraint.expression, definitions=definitions())
            except BridgeError:
                pytest.fail(f"{constraint.key} cannot be read")
            total += 1
            predicted += rule.prediction(name) is not None
    assert predicted > 0.8 * total


def _spoil(node: Any, chance: random.Random) -> None:
    """Change, remove, add or repeat something at a random place below `node`."""
    holders, waiting = [], [node]
    while waiting:
        holder = waiting.pop()
        holders.append(holder)
        inside = holder.values() if isinstance(holder, dict) else holder
        waiting += [item for item in inside if isinstance(item, dict | list) and item]
    holder = chance.choice(holders)
    key = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    act = chance.randrange(5)
    if act == 0:
        del holder[key]
    elif act == 1 and isinstance(holder, dict):
        holder[f"_{key}"] = copy.deepcopy(chance.choice(VALUES))
    elif act == 2 and isinstance(holder[key], list):
        holder[key].append(copy.deepcopy(holder[key][0]) if holder[key] else None)
    elif act == 3 and isinstance(holder, dict):
        holder["valueString"] = "x"
    else:
        holder[key] = copy.deepcopy(chance.choice(VALUES))


def test_a_condition_whose_left_side_cannot_be_foreseen_is_not_foreseen() -> None:
    """The engine asks the left side first: what it raises must be seen, also behind ``or true``."""
    for operator in ("or true", "and false", "implies true", "xor true"):
        unsure = f"trace('x') {operator}"
        assert fhirpath.compile(unsure, definitions=definitions()).prediction("Patient") is None
    rule = fhirpath.compile("true or trace('x')", definitions=definitions())
    look = rule.prediction("Patient")
    assert look is not None
    assert look({}, {}) is True


def test_layouts_that_are_kept_are_bounded(
    monkeypatch: pytest.MonkeyPatch, profiles: Profiles
) -> None:
    """An input could hold any number of key orders: what is over the bound is judged anew."""
    monkeypatch.setattr(fast_path, "_MAX_LAYOUTS", 2)
    learnt: list[tuple[str, ...]] = []
    learn = fast_path._Layouts.learn

    def counted(self: Any, keys: tuple[str, ...]) -> Any:
        learnt.append(keys)
        return learn(self, keys)

    monkeypatch.setattr(fast_path._Layouts, "learn", counted)
    validator = Validator(definitions(), profiles)
    orders = [("gender", "active", "id"), ("id", "gender", "active"), ("active", "id", "gender")]
    values = {"gender": "male", "active": True, "id": "a"}
    for _ in range(3):
        for order in orders:
            patient = {"resourceType": "Patient"} | {key: values[key] for key in order}
            assert validator.check(patient, []) == []
    times = [sum(keys[1:] == order for keys in learnt) for order in orders]
    assert times == [1, 1, 3]


@pytest.mark.parametrize("change", [{"gender": ["male"]}, {"name": {"family": "Li"}}])
def test_a_list_in_a_single_element_and_one_value_in_a_list_are_told(
    change: dict[str, Any], profiles: Profiles
) -> None:
    """Quick and thorough, where JSON has another shape than R4."""
    patient = {"resourceType": "Patient"} | change
    quick = Validator(definitions(), profiles).check(patient, [])
    assert quick == Thorough(definitions(), profiles).check(patient, [])
    assert any(issue.severity == "error" for issue in quick)
