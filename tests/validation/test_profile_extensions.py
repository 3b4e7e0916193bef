"""What a profile asks of values, narratives and targets by its extensions and target profiles."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_bridge import clock
from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import Resource, definitions
from fhir_bridge.validation import Validator

URL = "http://x.example/StructureDefinition/p"
R4 = "http://hl7.org/fhir/StructureDefinition/"
R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition."
ABSENT = f"{R4}data-absent-reason"


def _profile(kind: str, path: str, url: str = URL, **facts: Any) -> Resource:
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "type": kind,
        "baseDefinition": f"{R4}{kind}",
        "derivation": "constraint",
        "differential": {"element": [{"id": path, "path": path, **facts}]},
    }


def _issues(resource: Resource, *profiles: Resource) -> list[tuple[str, str]]:
    validator = Validator(definitions(), Profiles(profiles))
    return [(issue.code, issue.where) for issue in validator.check(resource, [URL])]


def _patient(**more: Any) -> Resource:
    return {"resourceType": "Patient", **more}


def _absent(url: str) -> dict[str, Any]:
    return {"extension": [{"url": url, "valueCode": "unknown"}]}


def test_an_element_that_must_have_a_value_may_not_say_why_it_has_none():
    """The extension mustHaveValue takes away what every other element may do."""
    profile = _profile(
        "Patient",
        "Patient.active",
        extension=[{"url": f"{R5}mustHaveValue", "valueBoolean": True}],
    )

    assert [] == _issues(_patient(active=True), profile)
    assert [("FB-3003", "Patient.active")] == _issues(_patient(_active=_absent(ABSENT)), profile)


def test_only_the_named_extensions_stand_for_a_value():
    """Of a list each item by itself."""
    profile = _profile(
        "Patient",
        "Patient.name.given",
        extension=[{"url": f"{R5}valueAlternatives", "valueCanonical": ABSENT}],
    )
    other = {"extension": [{"url": "http://x.example/x", "valueCode": "unknown"}]}
    good = {"given": ["a", None], "_given": [None, _absent(ABSENT)]}
    bad = {"given": ["a", None], "_given": [None, other]}

    assert [] == _issues(_patient(name=[good]), profile)
    assert [("FB-3003", "Patient.name[0].given[1]")] == _issues(_patient(name=[bad]), profile)


def _narrated(div: str, **more: Any) -> Resource:
    text = f'<div xmlns="http://www.w3.org/1999/xhtml">{div}</div>'
    return _patient(**more, text={"status": "generated", "div": text})


@pytest.mark.parametrize(
    ("code", "div", "is_good"),
    [
        ("_no", "<p>a</p>", True),
        ("_no", '<div lang="en">a</div>', False),
        ("_yes", '<div lang="en">a</div>', True),
        ("_yes", "<p>a</p>", False),
        ("_resource", '<div lang="zh">a</div>', True),
        ("_resource", '<div lang="en">a</div>', False),
        ("de", '<div xml:lang="de">a</div>', True),
        ("de", '<div xml:lang="en">a</div>', False),
    ],
)
def test_a_narrative_has_the_sections_by_language_that_a_profile_asks_for(code, div, is_good):
    """None, any, the resource's own, or a language by its tag."""
    control = {"url": f"{R4}narrative-language-control", "valueCode": code}
    profile = _profile("Patient", "Patient.text", extension=[control])
    expected = [] if is_good else [("FB-3019", "Patient.text")]

    assert expected == _issues(_narrated(div, language="zh"), profile)


@pytest.mark.parametrize(
    ("div", "is_good"),
    [
        ('<p class="generated">a</p><p class="x original">b</p>', True),
        ('<p class="generated">a</p><p>b</p>', False),
        ('loose<p class="generated">a</p>', False),
    ],
)
def test_each_part_of_a_narrative_says_its_source_where_a_profile_asks(div, is_good):
    """By the classes boilerplate, generated and original."""
    control = {"url": f"{R4}narrative-source-control", "valueCode": "error"}
    profile = _profile("Patient", "Patient.text", extension=[control])

    assert ([] if is_good else [("FB-3019", "Patient.text")]) == _issues(_narrated(div), profile)


@pytest.mark.parametrize(
    ("bound", "good", "bad"),
    [
        ({"minValueQuantity": {"value": 100, "code": "a"}}, "1926-11-30", "1925"),
        ({"maxValueQuantity": {"value": 2, "code": "d"}}, "2026-12-02", "2026-12-03"),
        ({"maxValueDuration": {"value": 1, "code": "mo"}}, "2026-12", "2027-01"),
    ],
)
def test_a_bound_of_a_date_may_be_a_duration_from_now(bound, good, bad):
    """Subtracted from the clock for the least value, added for the greatest."""
    profile = _profile("Patient", "Patient.birthDate", **bound)
    with clock.at(datetime(2026, 11, 30, tzinfo=UTC)):
        assert [] == _issues(_patient(birthDate=good), profile)
        assert [("FB-3027", "Patient.birthDate")] == _issues(_patient(birthDate=bad), profile)


def test_what_a_reference_leads_to_conforms_to_one_of_its_target_profiles():
    """Inside the resource and its Bundle; what lies elsewhere is not judged."""
    named = _profile("Organization", "Organization.name", "http://x.example/named", min=1)
    kinds = [{"code": "Reference", "targetProfile": ["http://x.example/named"]}]
    profile = _profile("Patient", "Patient.managingOrganization", type=kinds)
    bare = {"resourceType": "Organization", "id": "o", "identifier": [{"value": "1"}]}

    def owned(organization: Resource) -> Resource:
        return _patient(
            contained=[organization], managingOrganization={"reference": f"#{organization['id']}"}
        )

    assert [] == _issues(owned({**bare, "name": "a"}), profile, named)
    assert [("FB-3034", "Patient.managingOrganization")] == _issues(owned(bare), profile, named)
    elsewhere = _patient(managingOrganization={"reference": "Organization/o"})
    assert [] == _issues(elsewhere, profile, named)


def test_resources_that_refer_to_each_other_by_profiles_are_judged():
    """Each is good when the other is, so both are."""
    kinds = [{"code": "Reference", "targetProfile": [URL]}]
    profile = _profile("Patient", "Patient.link.other", type=kinds)
    inner = {
        "resourceType": "Patient",
        "id": "b",
        "link": [{"type": "seealso", "other": {"reference": "#"}}],
    }
    outer = _patient(contained=[inner], link=[{"type": "seealso", "other": {"reference": "#b"}}])

    assert [] == _issues(outer, profile)
