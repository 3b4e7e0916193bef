"""An include of a reference to a version brings that version, or says that it does not.

https://hl7.org/fhir/R4/search.html#include; on both databases.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.world import World


@pytest.fixture
def filled(either: World) -> World:
    """A Patient in two versions; one Condition names the first, one any."""
    client = either.client()
    for family in ("Before", "After"):
        _put(client, {"resourceType": "Patient", "id": "p", "name": [{"family": family}]})
    for id_, reference in (("old", "Patient/p/_history/1"), ("any", "Patient/p")):
        subject = {"reference": reference}
        _put(client, {"resourceType": "Condition", "id": id_, "subject": subject})
    return either


def _put(client: Any, resource: dict[str, Any]) -> None:
    path = f"/fhir/{resource['resourceType']}/{resource['id']}"
    assert client.put(path, json=resource).status_code < 300


def _shown(world: World, query: str) -> tuple[list[str], list[str]]:
    """The versions of Patients on the page, and the codes of what is said beside it."""
    bundle = world.client().get(f"/fhir/{query}").get_json(force=True)
    resources = [entry["resource"] for entry in bundle.get("entry", ())]
    versions = [one["meta"]["versionId"] for one in resources if one["resourceType"] == "Patient"]
    codes = [
        issue["details"]["coding"][0]["code"]
        for one in resources
        if one["resourceType"] == "OperationOutcome"
        for issue in one["issue"]
    ]
    return sorted(versions), codes


def test_the_version_that_is_named_is_included(filled: World) -> None:
    """By the name of the parameter and by ``*``; a reference to any version brings the newest."""
    assert _shown(filled, "Condition?_id=old&_include=Condition:subject") == (["1"], [])
    assert _shown(filled, "Condition?_id=old&_include=*") == (["1"], [])
    assert _shown(filled, "Condition?_id=any&_include=Condition:subject") == (["2"], [])


def test_both_versions_are_included_when_both_are_named(filled: World) -> None:
    """Each once, whoever names it."""
    found = _shown(filled, "Condition?_id=old,any&_include=Condition:subject")

    assert found == (["1", "2"], [])


def test_a_version_that_is_not_there_is_said(filled: World) -> None:
    """The page never shows another one in its place without a word."""
    subject = {"reference": "Patient/p/_history/7"}
    _put(filled.client(), {"resourceType": "Condition", "id": "gone", "subject": subject})

    assert _shown(filled, "Condition?_id=gone&_include=Condition:subject") == ([], ["FB-4115"])


def test_who_is_found_back_from_another_version_is_said(filled: World) -> None:
    """A reverse include starts from the newest version; the reference names an older one."""
    found = _shown(filled, "Patient?_id=p&_revinclude=Condition:subject")

    assert found == (["2"], ["FB-4116"])
