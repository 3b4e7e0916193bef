"""The text of expressions: what is read how, and what a refusal says."""

from __future__ import annotations

import pytest

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ("name.", "line 1, column 6", "expected a name or a function"),
        ("name.where(\n  use = \n)", "line 3, column 1", "expected a value"),
        ("1 +", "line 1, column 4", "expected a value"),
        ("name)", "line 1, column 5", "expected an operator or the end"),
        ("'open", "line 1, column 1", "the string is not closed"),
        ("1 /* open", "line 1, column 3", "the comment is not closed"),
        ("@2019-13", "line 1, column 1", "is not a possible date"),
        ("@T10:00Z", "line 1, column 1", "a time has no zone"),
        ("a ? b", "line 1, column 3", "unexpected character"),
    ],
)
def test_a_refusal_says_where_and_what_was_expected(text: str, where: str, reason: str) -> None:
    """FB-2001 names line and column and what should stand there."""
    with pytest.raises(BridgeError) as caught:
        fhirpath.compile(text)
    issue = caught.value.issues[0]
    assert (issue.code, issue.where) == ("FB-2001", where)
    assert reason in issue.sentence


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name.frist()", "there is no such function"),
        ("name.where()", "takes 1 argument, not 0"),
        ("name.ofType(1 + 1)", "the name of a type"),
    ],
)
def test_a_call_is_judged_when_compiled(text: str, reason: str) -> None:
    """Unknown functions and wrong arguments are FB-2003 before any evaluation."""
    with pytest.raises(BridgeError) as caught:
        fhirpath.compile(text)
    assert caught.value.code == "FB-2003"
    assert reason in caught.value.issues[0].sentence
    assert caught.value.issues[0].where.startswith("line 1, column")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", [7]),
        ("-1 + 2", [1]),
        ("(1 | 1 is Integer).count()", [2]),
        ("true or false and false", [True]),
        ("false implies false = false", [True]),
        ("2 // rest of the line", [2]),
        ("2 /* between */ + 2", [4]),
        (r"'a\'b\\c\u0041\n'", ["a'b\\cA\n"]),
        (r"'\uD83E\uDDB6'", ["\U0001f9b6"]),
        ("`as`.`odd name`", ["x"]),
        ("姓名", ["王"]),
        ("%`vs-administrative-gender`", ["http://hl7.org/fhir/ValueSet/administrative-gender"]),
        ('%"vs-x"', ["http://hl7.org/fhir/ValueSet/x"]),
        ("{}", []),
        ("1L is Long", [True]),
    ],
)
def test_what_is_read(text: str, expected: list[object]) -> None:
    """Precedence, literals, escapes, comments, delimited and non-ASCII names."""
    assert fhirpath.compile(text)({"as": {"odd name": "x"}, "姓名": "王"}) == expected


def test_an_evaluation_error_names_the_place_in_the_expression() -> None:
    """FB-2005 and FB-2006 carry the line and column of the call they come from."""
    with pytest.raises(BridgeError) as caught:
        fhirpath.compile("name.where(true).single()")({"name": ["a", "b"]})
    assert (caught.value.code, caught.value.issues[0].where) == ("FB-2006", "line 1, column 18")


def test_a_compiled_expression_is_kept() -> None:
    """The same text, definitions and type give the same object."""
    assert fhirpath.compile("a.b") is fhirpath.compile("a.b")


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("name.", "line 1, column 6", "expected a name or a function, found the end"),
        ("name.frist()", "line 1, column 6", "there is no such function; did you mean first?"),
        ("name.first(1)", "line 1, column 6", "it takes no arguments, not 1"),
        ("name.resolve(s()) is Patient", "line 1, column 6", "it takes no arguments, not 1"),
        ("resolve(1) is Patient", "line 1, column 1", "it takes no arguments, not 1"),
        ("name.ofType()", "line 1, column 6", "it takes 1 argument, not 0"),
        ("HumanName { familly: 'a' }", "line 1, column 1", "did you mean family?"),
    ],
)
def test_refusals_say_what_was_expected(text: str, where: str, words: str) -> None:
    """A refusal has its place, what was expected, and the name that may have been meant."""
    with pytest.raises(BridgeError) as caught:
        fhirpath.compile(text, definitions=definitions())
    issue = caught.value.issues[0]
    assert issue.where == where
    assert words in issue.sentence


def test_a_check_offers_the_name_that_is_near() -> None:
    """An element that is not there is named with the one that may have been meant."""
    (issue,) = fhirpath.check("Patient.contact.nam", definitions(), "Patient")
    assert "it is no element of Patient.contact; did you mean name?" in issue.sentence


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Patient.name.startsWith('x')", "HumanName is no simple value"),
        ("Patient.name.select(length())", "HumanName is no simple value"),
        ("Patient.children().where(true).first()", "the items before it have no order"),
        ("Patient.descendants()[0]", "the items before it have no order"),
        ("Patient.name.given.length", "it is no element of string"),
    ],
)
def test_a_check_finds_what_cannot_work(text: str, words: str) -> None:
    """Functions of strings on structures, and places in what has no order, are reported."""
    issues = fhirpath.check(text, definitions(), "Patient", ordered=True)
    assert [words in issue.sentence for issue in issues] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "Patient.name.given.first().length()",
        "Patient.multipleBirth.toString().substring(1)",
        "Patient.children().sort(id).first()",
        "Patient.extension.value.length()",
    ],
)
def test_a_check_lets_pass_what_may_work(text: str) -> None:
    """What depends on the data is not reported."""
    assert fhirpath.check(text, definitions(), "Patient", ordered=True) == []


def test_the_resource_around_a_part_is_not_known() -> None:
    """%resource of an expression on a datatype may be any resource."""
    assert fhirpath.check("%resource.contained.id", definitions(), "Reference") == []
    assert fhirpath.check("%resource.nam", definitions(), "Patient") != []
