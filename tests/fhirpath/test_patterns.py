"""Regular expressions: the meaning of :mod:`re`, the time of RE2, refusals by name."""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_bridge import fhirpath
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.budget import Bounds, Budget, BudgetExceeded, bounded
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from fhir_bridge.pattern import Costly, compile_pattern

PATTERNS = [
    *(r"^a$", r"a$", r"^$", r"\s+$", r"x*", r"a|b|", r".", r"^.*$", r"a\Z", r"\A\d", r"(?m)^a$"),
    *(
        r"\d+",
        r"\D+",
        r"\w+$",
        r"\W",
        r"[\W]",
        r"[^\W\d]",
        r"[\S]+",
        r"[\D]",
        r"[.\d-]+$",
        r"[\w-]",
    ),
    *(r"^[-/—无]*$", r"(\w)(\s)", r"(?i)ABC", r"(?i:a)b", r"[a-z&b]", r"[]a]+", r"[^]a]", r"[\b]"),
    *(
        r"a{,2}b",
        r"a{2",
        r"a{}",
        r"x{a}",
        r"(?:ab)+?",
        r"(a)?b",
        r"(?P<n>a)|b",
        r"(?<n>a)",
        r"a{2,}",
    ),
    *(
        r"\x41|\u4e2d",
        r"\.\-\/\é",
        r"\0",
        r"\012",
        r"[^\uFDD0]",
        r"[\u3400-\u9fff·]+",
        r"\U0001d49c",
    ),
]
TEXTS = [
    *(
        "",
        "a",
        "a\n",
        "\n",
        "a\n\n",
        "12 ab",
        "中 文",
        "x中x",
        "foo bar",
        "ABC abc",
        "—",
        "٣",
        "aab",
    ),
    *(
        "a b\n",
        "中\n",
        "a\nb\na\n",
        "é",
        "\u3000",
        "\x1c",
        "\xa0 a",
        "A中",
        "𝒜",
        "a{2",
        "x{a}",
        "\x00",
    ),
]


@pytest.mark.parametrize("source", PATTERNS)
def test_a_pattern_means_what_it_meant(source: str) -> None:
    """Found, taking the whole text, and replaced, as Python's own matcher has it."""
    ours, theirs = compile_pattern(source), re.compile(source.replace("(?<n>", "(?P<n>"), re.DOTALL)
    for text in TEXTS:
        assert ours.search(text) is (theirs.search(text) is not None), text
        assert ours.fullmatch(text) is (theirs.fullmatch(text) is not None), text
        assert ours.replace(text, "<$0>", Budget(Bounds())) == theirs.sub(r"<\g<0>>", text), text


@given(st.text(st.sampled_from("ab中\n é1_-٣"), max_size=12))
def test_classes_know_unicode(text: str) -> None:
    r"""``\d``, ``\w``, ``\s`` and their opposites, inside a class and outside, on any text."""
    for letter in "dwsDWS":
        for source in (rf"\{letter}+", rf"[\{letter}x]+", rf"[^\{letter}x]+"):
            wanted = re.sub(source, "<>", text)
            assert compile_pattern(source).replace(text, "<>", Budget(Bounds())) == wanted


def test_groups_stand_in_what_replaces() -> None:
    """``$1``, ``${name}`` and ``$$``; a group that is not there stays as it is written."""
    pattern = compile_pattern(r"(\d+)-(?P<x>\d+)")
    assert pattern.replace("1-2, 3-4", "$2/$1${x}$$$7${y}", Budget(Bounds())) == (
        "2/12$$7${y}, 4/34$$7${y}"
    )


def test_properties_of_unicode_are_known() -> None:
    r"""``\p{…}`` names a class of characters, by category or by script."""
    assert compile_pattern(r"^\p{Han}+$").search("张三丰")
    assert not compile_pattern(r"^\P{L}+$").search("1é")


@pytest.mark.parametrize(
    ("source", "named"),
    [
        *((r"(?=a)", "look-ahead"), (r"(?!a)", "look-ahead"), (r"(?<=a)b", "look-behind")),
        *(
            (r"(?<!a)b", "look-behind"),
            (r"(a)\1", "back-reference"),
            (r"(?P<n>a)(?P=n)", "back-ref"),
        ),
        *(
            (r"a++", "possessive"),
            (r"(?>a)", "atomic"),
            (r"(a)?(?(1)b)", "condition"),
            (r"\Ka", r"\\K"),
        ),
        *(
            (r"\k<n>", "back-reference"),
            (r"a{1001}", "1000"),
            (r"(?x)a", r"\(\?x"),
            (r"(?R)", r"\(\?R"),
        ),
        *(
            (r"\C", r"\\C"),
            ("(", "missing"),
            ("[a", "no end"),
            ("\\", "backslash"),
            (r"*a", "repetition"),
        ),
        *((r"\p{Foo}", "Foo"), (r"[z-a]", "z-a"), ("\ud800", "half"), ("a" * 5001, "5000")),
        (r"(?:\p{L}{1,100}){1,10}", "too large"),
    ],
)
def test_what_takes_more_than_linear_time_is_refused_by_name(source: str, named: str) -> None:
    """FB-2012 says what it is that cannot be used."""
    with pytest.raises(BridgeError, match=f"FB-2012.*{named}"):
        compile_pattern(source)


AMBIGUOUS = [
    *(r"(a+)+$", r"(a*)*b", r"(a|aa)+$", r"(\s*a+\s*)*$", r"(.*)*x", r"(\.a*a*)*$", r"(ab|a|b)*$"),
    *(r"(a|a)*$(b+)+", r"(a?){200}a{200}b", r"(a*)*(a*)*(a*)*b", r"^(([a-z])+.)+[A-Z]([a-z])+$"),
]


@pytest.mark.parametrize("source", AMBIGUOUS)
def test_no_pattern_holds_the_service(source: str) -> None:
    """What would take for ever elsewhere is answered, or refused as too much, at once."""
    start = time.process_time()
    for text in ("a" * 50_000 + "!", "中" + "a" * 20_000 + "!"):
        with suppress(BudgetExceeded):
            found = fhirpath.compile("matches(%pattern)")(text, variables={"pattern": source})
            assert found in ([True], [False])
    assert time.process_time() - start < 2


def test_a_costly_pattern_asks_for_a_budget() -> None:
    """Without one only what is cheap is matched; with one its steps are counted."""
    pattern = compile_pattern(r"(?:a|b)*a(?:a|b){800}c")
    with pytest.raises(Costly):
        pattern.search("ab" * 5_000)
    with pytest.raises(BudgetExceeded, match="FB-2008"):
        pattern.search("ab" * 5_000, Budget(Bounds(steps=1_000)))


def test_a_costly_pattern_is_counted_on_the_fast_path_too() -> None:
    """However often an expression has run."""
    compiled = fhirpath.compile(
        "Patient.id.matches('(?:a|b)*a(?:a|b){800}c')", definitions=definitions()
    )
    for _ in range(5):
        with bounded(Bounds(steps=1_000)), pytest.raises(BudgetExceeded, match="FB-2008"):
            compiled({"resourceType": "Patient", "id": "ab" * 5_000})


def _patterns() -> Iterator[tuple[str, str]]:
    """Every pattern of the maps, profiles and rules that ship, and of R4's own invariants."""
    artifacts = Artifacts()
    for folder, ending in (("mappings", ".map"), ("profiles", ".json")):
        for name, path in artifacts.walk(folder, ending):
            text = path.read_text(encoding="utf-8")
            text = text.replace("\\\\", "\\") if ending == ".json" else text
            for call in _CALL.finditer(text):
                yield name, fhirpath.compile(f"'{call[1]}'")(None)[0]
    for name, path in artifacts.walk("mappings", ".toml"):
        for row in tomllib.loads(path.read_text(encoding="utf-8")).get("verified", ()):
            yield name, row["pattern"]
    for shape in definitions().types.values():
        if shape.regex:
            yield shape.name, shape.regex
        for constraint in _constraints(shape):
            for call in _CALL.finditer(constraint.expression):
                yield constraint.key, fhirpath.compile(f"'{call[1]}'")(None)[0]


_CALL = re.compile(r"(?:matches|matchesFull|replaceMatches)\('((?:[^'\\]|\\.)*)'")


def _constraints(shape: Any) -> Iterator[Any]:
    yield from shape.constraints
    for element in shape.elements.values():
        yield from element.constraints


def test_every_pattern_that_ships_can_be_used() -> None:
    """Maps, profiles, rules of identity and the definitions of R4 need nothing that is refused."""
    found = list(_patterns())
    assert len(found) > 900
    for name, source in found:
        try:
            compile_pattern(source)
        except BridgeError as error:
            pytest.fail(f"{name}: {source}: {error}")


def test_python_matches_no_pattern_of_others() -> None:
    """``re`` compiles only what is written in the product itself, or in R4 (the primitives)."""
    allowed = {
        "fhirpath_values/date_formats.py",
        "fhirpath/functions/factory.py",
        "fhir/xml_rendering.py",
        "validation/structure/primitives.py",
    }
    own = Path(fhirpath.__file__).parent.parent
    for path in own.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if re.search(
                r"\bre\.(compile|search|match|fullmatch|sub)\((?!r?b?f?b?[\"'])(?!$)\w", line
            ):
                assert str(path.relative_to(own)) in allowed, f"{path}: {line.strip()}"
