"""Bodies are stored packed and read as they were, whichever release wrote them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from fhir_bridge.access import Access
from fhir_bridge.database.bodies import _DICTIONARY, _TRAINED, packed, unpacked
from fhir_bridge.store import Store, maintenance

_SMALL = (
    b'{"resourceType":"Observation","id":"a","status":"final","code":{"text":"\xe8\xa1\x80"}}' * 2
)


@pytest.mark.parametrize("body", [b"", b"{}", _SMALL, _SMALL * 200, bytes(range(256)) * 40])
def test_a_body_comes_back_as_it_was(body: bytes) -> None:
    """Empty, tiny, small, large, and such that cannot be made smaller."""
    how, stored = packed(body)
    assert unpacked(how, stored) == body
    assert len(stored) <= len(body)


def test_a_body_of_a_form_that_nobody_knows_is_never_taken_for_a_plain_one() -> None:
    """Its bytes are no resource."""
    with pytest.raises(ValueError, match="another release"):
        unpacked(9, _SMALL)


def test_many_threads_pack_and_unpack_at_once() -> None:
    """Each with what is its own, as the library asks."""
    bodies = [b'{"resourceType":"Observation","id":"%d"}' % number * 200 for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda body: unpacked(*packed(body)), bodies * 10)) == bodies * 10


def test_the_dictionary_stays_as_it_is() -> None:
    """Every stored body needs it: a better one is another file."""
    digest = hashlib.sha256(_TRAINED).hexdigest()
    assert digest == "5f2bf336c69d790f47eab0a2b2eeb9756cc6e9a5272ce83b346a011facf581b5"


def test_a_small_resource_takes_less_than_a_third() -> None:
    """What FHIR's JSON always says is not stored again."""
    body = (
        b'{"resourceType":"Condition","id":"c1","meta":{"versionId":"1","lastUpdated":'
        b'"2026-03-04T05:06:07.089Z"},"clinicalStatus":{"coding":[{"system":"http://terminology'
        b'.hl7.org/CodeSystem/condition-clinical","code":"resolved"}]},"code":{"coding":[{"system"'
        b':"http://hl7.org/fhir/sid/icd-10","code":"I10","display":"Hypertension"}]},"subject":'
        b'{"reference":"Patient/p77"},"onsetDateTime":"2020-02-03"}'
    )
    assert len(packed(body)[1]) * 3 < len(body)


def test_bodies_of_older_releases_are_read(opening: Callable[..., Store]) -> None:
    """Plain bodies, zlib's, and those deflated with a dictionary, are served, searched and exported like packed ones."""
    store = opening()
    with store.transaction() as tx:
        for id_ in ("a", "b", "c"):
            tx.put({"resourceType": "Basic", "id": id_, "code": {"text": f"Word-{id_}"}})
    bodies = {id_: store.read("Basic", id_).body for id_ in ("a", "b", "c")}  # type: ignore[union-attr]
    deflate = zlib.compressobj(3, zlib.DEFLATED, -13, 6, zdict=_DICTIONARY)
    older = [
        (0, bodies["a"], "a"),
        (1, zlib.compress(bodies["b"], 6), "b"),
        (2, deflate.compress(bodies["c"]) + deflate.flush(), "c"),
    ]
    with store.writing() as session:
        session.many("UPDATE resource SET compressed = ?, body = ? WHERE id = ?", older)
    assert {each: store.read("Basic", each).body for each in bodies} == bodies  # type: ignore[union-attr]
    assert sorted(store.bodies("Basic", Access.everything())) == sorted(bodies.values())
    assert maintenance.check(store).issues == ()
