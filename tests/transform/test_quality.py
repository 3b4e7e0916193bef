"""Check finds faults without input; coverage finds what is left behind, with input."""

from __future__ import annotations

import pytest

from fhir_bridge import hl7v2
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.transform import Library, check_map, measure_coverage
from tests.transform.maps import map_text

URL = "http://example.org/StructureMap/test"


def codes(rules: str, **options: str) -> list[str]:
    """The codes that check finds in a map."""
    return [issue.code for issue in check_map(Library(None, [map_text(rules, **options)]), URL)]


def test_a_good_map_has_no_findings() -> None:
    """Nothing is said of a map that is right, on a source without types."""
    assert codes("src.a as a -> tgt.name as n, n.family = a;") == []


def test_unknown_target_elements_are_found_through_groups() -> None:
    """The types of parameters are followed into the groups that are called."""
    more = "group Name(source s, target t) { s -> t.surname = 'x' 'x'; }"
    assert codes("src.a as a -> tgt.name as n then Name(a, n);", more=more) == ["FB-2109"]


def test_unknown_source_elements_are_found_where_the_type_is_known() -> None:
    """A rule on an element that R4 has not can never fire."""
    assert codes("src.surname as a -> tgt.id = a;", source_type="Patient") == ["FB-2121"]


def test_unknown_types_are_found() -> None:
    """In uses and in create()."""
    text = map_text("src.a as a -> tgt.contained = create('Nothing') as c, c.id = a;")
    text = text.replace(
        "uses", 'uses "http://hl7.org/fhir/StructureDefinition/Nobody" as source\nuses', 1
    )
    found = [issue.code for issue in check_map(Library(None, [text]), URL)]
    assert found.count("FB-2120") == 2


def test_groups_that_nobody_calls_are_found() -> None:
    """Unless they are chosen by types."""
    more = "group Idle(source s, target t) {} group Typed(source s : Period, target t : Period) <<types>> {}"
    assert codes("src.a as a -> tgt.id = a;", more=more) == ["FB-2122"]


def test_a_group_that_another_map_reaches_is_called() -> None:
    """Also when only a group stands between that the other map calls."""
    parts = map_text(
        "src.a as a -> tgt.id = a;",
        more="group Part(source s, target t) { s then Inner(s, t) 'x'; } "
        "group Inner(source s, target t) {}",
    )
    caller = map_text("src then Part(src, tgt) 'x';").replace(URL, f"{URL}-caller")
    caller = caller.replace("uses", f'imports "{URL}"\nuses', 1)
    assert [one.code for one in check_map(Library(None, [parts]), URL)] == ["FB-2122"] * 2
    assert check_map(Library(None, [parts, caller]), URL) == []


def test_the_maps_of_the_product_have_no_findings() -> None:
    """What ``fhir-bridge transform --check`` says of all of them."""
    library = Library.from_artifacts(Artifacts())
    found = [str(issue) for url in library.maps for issue in check_map(library, url)]
    assert found == []


@pytest.mark.parametrize(
    "rule",
    [
        "src.a as a where false -> tgt.id = a;",
        "src.deceased : Quantity as a -> tgt.id = 'x' 'x';",
    ],
)
def test_rules_that_never_fire_are_found(rule: str) -> None:
    """A condition that is false, a type that the choice has not."""
    assert "FB-2123" in codes(rule, source_type="Patient")


def test_groups_chosen_by_types_are_compiled_too() -> None:
    """What no rule calls by name would else fail on the first record of its type."""
    more = (
        "group Typed(source s : Period, target t : Period) <<types>> { s -> t.id = (%s.none()); }"
    )
    assert codes("src.a as a -> tgt.id = a;", more=more) == ["FB-2003"]


def test_unknown_concept_maps_are_found() -> None:
    """A translate by a map that the library has not would fail on the first record."""
    assert codes("src.a as a -> tgt.gender = translate(a, 'http://x/none', 'code');") == ["FB-2202"]


def test_unknown_groups_are_found() -> None:
    """What hinders compiling is a finding too."""
    assert codes("src then Nobody(src, tgt) 'x';") == ["FB-2103"]


def test_an_unknown_map_is_an_error() -> None:
    """There is nothing to check."""
    with pytest.raises(BridgeError, match="FB-2104"):
        check_map(Library(), URL)


def test_coverage_ranks_what_never_reaches_the_target() -> None:
    """Fields by how many inputs had them, places in lists taken together."""
    library = Library(None, [map_text("src.a as a -> tgt.id = a; src.n as n -> tgt.name = n;")])
    sources = [
        {"a": "1", "rare": "x", "lost": ["p", "q"]},
        {"a": "2", "n": {"family": "Li"}, "lost": ["p"]},
    ]
    report = measure_coverage(library, URL, sources)
    assert [(one.path, one.inputs) for one in report.unreached] == [("lost", 2), ("rare", 1)]
    assert (report.inputs, report.failed, report.reached) == (2, 0, 2)
    unfilled = {(one.type, one.element) for one in report.unfilled}
    assert ("Patient", "birthDate") in unfilled
    assert ("Patient", "name") not in unfilled


def test_coverage_names_fields_of_messages_as_they_were_sent() -> None:
    """A field without separators is the field, parts that differ stay parts."""
    library = Library(None, [map_text("src.PID as pid -> tgt.id = pid.f8;")])
    sent = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5\rPID|1||7^^^H||Li^||||F\r"
    report = measure_coverage(library, URL, [hl7v2.parse(sent)])
    unreached = {one.path for one in report.unreached}
    assert {"MSH-4", "MSH-9.1", "MSH-9.2", "PID-1", "PID-3.1", "PID-3.4", "PID-5"} <= unreached
    assert not unreached & {"PID-8", "PID-3", "MSH-9"}


def test_coverage_goes_on_after_an_input_that_is_refused() -> None:
    """It is counted, with its issue."""
    library = Library(None, [map_text("src.a as a check (a = '1') -> tgt.id = a;")])
    report = measure_coverage(library, URL, [{"a": "2"}, {"a": "1"}])
    assert (report.inputs, report.failed) == (2, 1)
    assert [one.code for one in report.issues] == ["FB-2110"]


BUNDLE = {"target": "Bundle"}
OBSERVATION = {"target": "Observation"}
PART = 'group Part(source s, target p : Patient) { s -> p.active = true "x"; }'


@pytest.mark.parametrize(
    ("rules", "options", "code"),
    [
        # A resource without a type, of a type that is none, of the wrong kind of type.
        ("src -> tgt.entry as e, e.resource as r, r.id = 'x' 'x';", BUNDLE, "FB-2118"),
        ("src -> tgt.entry as e, e.resource = create('Resource') as r 'x';", BUNDLE, "FB-2118"),
        ("src -> tgt.entry as e, e.resource = create('HumanName') as r 'x';", BUNDLE, "FB-2119"),
        ("src -> tgt.entry as e, e.resource = 'text' 'x';", BUNDLE, "FB-2119"),
        ("src -> tgt.entry as e, e.resource = cc('text') 'x';", BUNDLE, "FB-2119"),
        ("src -> tgt.contained as r, r.id = 'x' 'x';", {}, "FB-2118"),
        ("src -> tgt.contained = create('Period') as r 'x';", {}, "FB-2119"),
        (
            "src -> tgt.parameter as p, p.resource = create('Coding') as r 'x';",
            {"target": "Parameters"},
            "FB-2119",
        ),
        # An element of many types.
        ("src -> tgt.value as v, v.value = '1' 'x';", OBSERVATION, "FB-2118"),
        ("src -> tgt.value = create('Address') as v 'x';", OBSERVATION, "FB-2119"),
        ("src -> tgt.valueString = create('Quantity') as v 'x';", OBSERVATION, "FB-2119"),
        ("src -> tgt.deceased = qty('5 mg') 'x';", {}, "FB-2119"),
        ("src -> tgt.medication = 'aspirin' 'x';", {"target": "MedicationRequest"}, "FB-2119"),
        # A plain element.
        ("src -> tgt.name = create('Address') as n 'x';", {}, "FB-2119"),
        ("src -> tgt.name = 'Li' 'x';", {}, "FB-2119"),
        ("src -> tgt.gender = cc('male') 'x';", {}, "FB-2119"),
        ("src -> tgt.gender = create('CodeableConcept') as c 'x';", {}, "FB-2119"),
        ("src -> tgt.maritalStatus = id('http://x', '1') 'x';", {}, "FB-2119"),
        ("src.s as s -> tgt.maritalStatus = cast(s, 'string') 'x';", {}, "FB-2119"),
        ("src.s as s -> tgt.name = identity_key(s) 'x';", {}, "FB-2119"),
        ("src -> tgt.active = 'perhaps' 'x';", {}, "FB-2112"),
        ("src -> tgt.active = usual('perhaps') 'x';", {}, "FB-2112"),
        ("src.name as n -> tgt.address = n 'x';", {"source_type": "Patient"}, "FB-2119"),
        ("src as s -> tgt.birthDate = s.name 'x';", {"source_type": "Patient"}, "FB-2119"),
        ("src -> tgt.name as n, tgt.address = n 'x';", {}, "FB-2119"),
        # What is handed to a group.
        (
            "src -> tgt.entry as e, e.resource = create('Observation') as r then Part(src, r) 'x';",
            BUNDLE | {"more": PART},
            "FB-2129",
        ),
        ("src -> tgt.name as n then Part(src, n) 'x';", {"more": PART}, "FB-2129"),
    ],
)
def test_what_cannot_be_assigned_is_found(rules: str, options: dict[str, str], code: str) -> None:
    """The type that is assigned, and the one the element takes, are both known without input."""
    assert codes(rules, **options) == [code]


@pytest.mark.parametrize(
    ("rules", "options"),
    [
        (
            "src -> tgt.entry as e, e.resource = create('Patient') as p then Part(src, p) 'x';",
            BUNDLE,
        ),
        ("src.r as r -> tgt.entry as e, e.resource = r 'x';", BUNDLE),
        ("src.r as r -> tgt.entry as e, e.resource = create() as p 'x';", BUNDLE),
        ("src -> tgt.contained = create('Organization') as o, o.active = 'true' 'x';", {}),
        ("src -> tgt.managingOrganization = 'Organization/1' 'x';", {}),
        (
            "src -> tgt.value = qty('5 mg') as q then { src.u as u -> tgt.value as q, q.unit = u; } 'x';",
            OBSERVATION,
        ),
        ("src.s as s -> tgt.value = s, tgt.effective = 'x', tgt.issued = null() 'x';", OBSERVATION),
        ("src -> tgt.contact = create('BackboneElement') as c, c.gender = 'male' 'x';", {}),
        ("src -> tgt.onset = qty('5 a') 'x';", {"target": "Condition"}),
        ("src.name as n -> tgt.name = n 'x';", {"source_type": "Patient"}),
    ],
)
def test_what_can_be_assigned_is_no_finding(rules: str, options: dict[str, str]) -> None:
    """A reference from its text, a type that the element names, a value of unknown type."""
    more = PART if "Part" in rules else ""
    assert codes(rules, **options, more=more) == []


def test_a_map_that_gives_an_imported_group_the_wrong_target_is_found() -> None:
    """The fault is in the other map's rules only because of what this one hands over."""
    parts = map_text(
        "src.a as a -> tgt.id = a;",
        more="group Own(source s, target t) { s -> t.request as r 'x'; }",
    )
    caller = map_text("src -> tgt.name as n then Own(src, n) 'x';").replace(URL, f"{URL}-caller")
    caller = caller.replace("uses", f'imports "{URL}"\nuses', 1)
    found = check_map(Library(None, [parts, caller]), f"{URL}-caller")
    assert [(one.code, URL in one.where) for one in found] == [("FB-2109", True)]
