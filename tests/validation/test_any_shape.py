"""Whatever JSON comes in, the answer is issues and never an exception."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.validation.test_family_doctor import BASE, RECORDS, VALIDATOR

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["#", "#x", "2024", "urn:uuid:x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "code", "system", "extension", "url", "reference", "id"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def _places(node: Any) -> list[tuple[Any, Any]]:
    """(holder, key) of every value."""
    found = []
    keys = (
        node.keys()
        if isinstance(node, dict)
        else range(len(node))
        if isinstance(node, list)
        else ()
    )
    for key in keys:
        found += [(node, key), *_places(node[key])]
    return found


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(RECORDS)), st.integers(min_value=0), _json)
def test_a_record_with_anything_anywhere_is_judged(name: str, place: int, value: Any) -> None:
    """One value of a sound record replaced by any JSON."""
    resource = copy.deepcopy(RECORDS[name])
    places = _places(resource)
    holder, key = places[place % len(places)]
    holder[key] = value

    issues = VALIDATOR.check(resource, [f"{BASE}/StructureDefinition/{name}"])

    assert all(issue.sentence for issue in issues)
