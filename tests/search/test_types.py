"""The types of search parameters: each is one file, and its name is read in one place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from fhir_bridge.search import Registry
from fhir_bridge.search.escaping import Written, read_value

_ROOT = Path(__file__).parents[2] / "fhir_bridge"
_NAMES = {
    "composite",
    "date",
    "number",
    "quantity",
    "reference",
    "special",
    "string",
    "token",
    "uri",
}


def _compared_names(path: Path) -> set[str]:
    """Names of types that a file compares with the `type` of something, or matches it against."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.Match):
            patterns = [each for case in node.cases for each in ast.walk(case.pattern)]
            sides = [node.subject, *(each for each in patterns if isinstance(each, ast.expr))]
        else:
            continue
        if any(isinstance(each, ast.Attribute) and each.attr in ("type", "kind") for each in sides):
            names |= {
                each.value
                for side in sides
                for each in ast.walk(side)
                if isinstance(each, ast.Constant) and each.value in _NAMES
            }
    return names


def test_the_name_of_a_type_is_read_in_one_place() -> None:
    """A new type is one file and one row; nothing else asks what a parameter is called."""
    readers = {
        str(path.relative_to(_ROOT))
        for package in ("search", "store")
        for path in (_ROOT / package).rglob("*.py")
        if _compared_names(path)
    }
    assert readers == {"search/types/by_name.py"}


def test_every_parameter_of_r4_has_a_type_or_is_not_answered(registry: Registry) -> None:
    """Only the languages of their own and what R4 leaves to servers have none."""
    without = {
        code
        for resource_type in registry.settings.resource_types
        for code in registry.parameters(resource_type)
        if registry.resolve(resource_type, code) is None
    }
    assert without == {"_filter", "_query"}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (r"a,b", [["a"], ["b"]]),
        (r"a\,b,c", [["a,b"], ["c"]]),
        (r"s|c,s\|c", [["s", "c"], ["s|c"]]),
        (r"a\\|b", [["a\\", "b"]]),
        (r"a\\,b", [["a\\"], ["b"]]),
        (r"a\nb|c\|", [["a\\nb", "c|"]]),
        ("a\\", [["a\\"]]),
        ("", [[""]]),
        (r"\,|,|\|", [[",", ""], ["", "|"]]),
    ],
)
def test_a_value_is_read_once(text: str, values: list[list[str]]) -> None:
    """Separators that are escaped are text, in whatever order the value is taken apart."""
    assert [each.fields() for each in read_value(text).alternatives()] == values


def test_the_components_of_a_composite_keep_their_escapes_apart() -> None:
    """A dollar sign that is text does not separate, nor does the bar within a component."""
    components = read_value(r"s|a\$b$5\|x|y").components()
    assert components == [Written("s|a$b", frozenset({3})), Written("5|x|y", frozenset({1}))]
    assert [each.fields() for each in components] == [["s", "a$b"], ["5|x", "y"]]
