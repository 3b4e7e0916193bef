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
